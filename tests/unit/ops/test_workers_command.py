"""`gm ops workers` where something is away: on-call engineers get a sentence at once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from shared.ops import platform
from shared.ops.cli import main
from shared.ops.env_file import write_env


def test_a_task_service_that_is_away_is_said_at_once(tmp_path: Path) -> None:
    write_env(tmp_path / "gm.env", {"GM_ASYNC_TASK_URL": "http://127.0.0.1:1", "GM_AUTH_KEY": "k" * 32})
    began = time.monotonic()

    answer = CliRunner().invoke(main, ["ops", "workers", "--etc", str(tmp_path)])

    assert (answer.exit_code, "can't be asked" in answer.output) == (1, True)
    assert time.monotonic() - began < 10


def test_who_may_not_read_the_settings_is_told_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: Path) -> dict[str, str]:
        raise PermissionError(13, "Permission denied", "/etc/gm/gm.env")

    monkeypatch.setattr(platform, "read_env", refuse)

    answer = CliRunner().invoke(main, ["ops", "workers", "--etc", str(tmp_path)])

    assert answer.output == ("Error: /etc/gm/gm.env can't be read by you: call this as root, or as whoever owns it.\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_settings_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "gm.env").touch(mode=0o000)

    answer = CliRunner().invoke(main, ["ops", "workers", "--etc", str(tmp_path)])

    assert (answer.exit_code, str(tmp_path / "gm.env") in answer.output) == (1, True)
