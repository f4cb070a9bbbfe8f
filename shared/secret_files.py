"""Settings read from files, one each, as container engines hand secrets over: `GM_SECRETS_DIR/gm_auth_key`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SECRETS_DIR = "GM_SECRETS_DIR"


def read_secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the files in the folder that GM_SECRETS_DIR names say, by the setting's name, such as GM_AUTH_KEY.

    For programs that read no settings class; blanks around a value don't count. Files of other names are left alone.

    Raises:
        OSError: a file that is there can't be read.
    """
    folder = environment.get(SECRETS_DIR)
    if not folder or not Path(folder).is_dir():
        return {}
    files = [path for path in sorted(Path(folder).iterdir()) if path.name.lower().startswith("gm_") and path.is_file()]
    return {path.name.upper(): path.read_text("utf-8").strip() for path in files}
