"""Makes the bucket that GM_FILE_STORE names, where it is not there yet: `python -m shared.files.make_bucket`.

For a store of one's own; elsewhere the operator makes it, with the rules that docs/operations.md lists.
"""

from __future__ import annotations

import sys

from shared.files.s3 import open_s3_store
from shared.logs import configure_logs
from shared.settings import CommonSettings


def main() -> int:
    """Make the configured bucket; return the process's exit code."""
    settings = CommonSettings()
    configure_logs("make_bucket", settings.log_level, settings.secrets())
    if not settings.file_store:
        sys.stderr.write("GM_FILE_STORE names no bucket; files stay in GM_FILES_DIR.\n")
        return 0
    open_s3_store(settings).make_bucket()
    return 0


if __name__ == "__main__":
    sys.exit(main())
