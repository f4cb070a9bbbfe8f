"""Calling handlers without a job, as their author does while writing them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = """
import sys
from xlib import retstat


def add(req, one, two):
    return retstat.OK, {"sum": one + two}


def refuse(req):
    return "ERR_OWN", {"msg": "not today"}


def leave(req):
    sys.exit(0)


def give_what_is_no_json(req):
    return retstat.OK, {"it": object()}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder to work in, whose `.env` names the folder of a handler file."""
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "shop.py").write_text(HANDLERS)
    (tmp_path / ".env").write_text(f'GM_HANDLER_DIRS=["{tmp_path / "handlers"}"]\n')
    return tmp_path


def call(folder: Path, *arguments: str) -> tuple[int, Any]:
    """Return the exit code, and the answer, which is all that stands on stdout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GM_")}
    done = subprocess.run(
        [sys.executable, "-m", "gm_task.call_handler", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_a_handler_of_a_folder_in_the_env_file_is_called(folder: Path) -> None:
    assert call(folder, "/shop/add", '{"one": 1, "two": 2}') == (0, {"stat": "OK", "sum": 3})


@pytest.mark.parametrize(
    ("name", "stat"),
    [
        ("refuse", "ERR_OWN"),
        ("add", "ERR_BAD_PARAMS"),
        ("nobody_wrote_it", "ERR_HANDLER_NOT_EXISTS"),
        ("leave", "ERR_SERVER_EXCEPTION"),
        ("give_what_is_no_json", "ERR_SERVER_EXCEPTION"),
    ],
)
def test_what_went_wrong_is_the_answer_as_it_is_in_a_job(folder: Path, name: str, stat: str) -> None:
    code, answer = call(folder, f"/shop/{name}")

    assert (code, answer["stat"]) == (1, stat)
