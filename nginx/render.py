#!/usr/bin/env python3
"""Fills in the templates and writes a folder that nginx runs from; needs nothing but Python 3.9.

    python3 nginx/render.py FOLDER                 a whole server: nginx -p FOLDER -c nginx.conf
    python3 nginx/render.py --conf-d-only FOLDER   only conf.d/ and gm.d/, for a host that has an nginx.conf

Values come from nginx/values.env and from the environment, which wins. `${NAME}` in a template is replaced as envsubst
does, so that the entrypoint of nginx' own images can do the same. What an operator keeps in gm.d/ is left alone.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDERS = ("conf.d", "gm.d")
FOLDERS_OF_A_SERVER = ("logs", "temp")
_PLACEHOLDER = re.compile(r"\$\{(GM_[A-Z_]+)\}")
_LINE = re.compile(r'(GM_[A-Z_]+)="([^"]*)"')


class WrongValue(Exception):
    """What is wrong with which value, in a sentence."""


def read_values(environment: Mapping[str, str]) -> dict[str, str]:
    """Return every value that the templates know, as the operator set it.

    Raises:
        WrongValue: one is missing, or would end its line in the configuration.
    """
    defaults = dict(_LINE.findall((HERE / "values.env").read_text("utf-8")))
    values = {name: environment.get(name) or default for name, default in defaults.items()}
    for name, value in values.items():
        if not value:
            raise WrongValue(f"{name} has no value; set it in {HERE / 'values.env'} or in the environment")
        if any(letter in value for letter in '"\n\r{}'):
            raise WrongValue(f"{name} has a quotation mark, a brace or a line break")
    if not values["GM_FILES_DIR"].startswith("/"):
        raise WrongValue("GM_FILES_DIR must be a path from the root, as nginx has another working folder")
    return {**values, "GM_FILES_DIR": values["GM_FILES_DIR"].rstrip("/")}


def render(folder: Path, values: Mapping[str, str], *, conf_d_only: bool = False) -> None:
    """Write the configuration into `folder`; written before, it is replaced."""
    for name in FOLDERS if conf_d_only else FOLDERS + FOLDERS_OF_A_SERVER:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for template in sorted((HERE / "templates").glob("*.template")):
        text = _PLACEHOLDER.sub(lambda found: values[found[1]], template.read_text("utf-8"))
        (folder / "conf.d" / template.stem).write_text(text, "utf-8")
    if not conf_d_only:
        shutil.copyfile(HERE / "nginx.conf", folder / "nginx.conf")


def main() -> None:
    """Read the command line, render, and say what is wrong in one line."""
    parser = argparse.ArgumentParser(description="Write nginx' configuration from nginx/templates.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--conf-d-only", action="store_true", help="no nginx.conf: the host has its own")
    given = parser.parse_args()
    try:
        render(given.folder, read_values(os.environ), conf_d_only=given.conf_d_only)
    except (WrongValue, OSError) as error:
        sys.exit(f"render.py: {error}")


if __name__ == "__main__":
    main()
