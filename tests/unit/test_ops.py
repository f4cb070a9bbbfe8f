"""The small rules of running it all on one machine."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from shared.ops.env_file import read_env, write_env
from shared.ops.kept import Kept
from shared.ops.layout import HostError
from shared.ops.servers.program import Program
from shared.ops.stack import refuse_without
from shared.ops.supervised import choose_socket


def test_what_was_made_before_is_kept_and_the_rest_is_made() -> None:
    kept = Kept({"GM_AUTH_KEY": "old"})

    made = kept.secret("GM_STATION_TOKEN")

    assert kept.secret("GM_AUTH_KEY") == "old"
    assert len(made) >= 32
    assert kept.values == {"GM_AUTH_KEY": "old", "GM_STATION_TOKEN": made}


def test_port_that_was_taken_meanwhile_is_left_to_whoever_has_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        kept = Kept({"GM_SERVICE_PORT": str(port)})

        first, second = kept.port("GM_SERVICE_PORT", 1), kept.port("GM_OTHER_PORT", port)

    assert port < first < second


def test_socket_lies_in_the_folder_unless_its_path_is_too_long(tmp_path: Path) -> None:
    far = tmp_path / ("x" * 100)

    chosen = Path(choose_socket(far))
    chosen.parent.rmdir()

    assert choose_socket(Path("/srv/gm")) == "/srv/gm/supervisor.sock"
    assert len(bytes(chosen)) <= 95
    assert chosen.parent != far


def test_servers_that_are_missing_are_named_with_what_to_do() -> None:
    refuse_without([])

    with pytest.raises(HostError, match=r"^not found: mariadbd, nginx; `make servers` installs"):
        refuse_without(["mariadbd", "nginx"])


def test_program_gets_its_words_and_its_environment_whatever_stands_in_them(tmp_path: Path) -> None:
    for name in ("servers", "programs"):
        (tmp_path / name).mkdir()
    (tmp_path / "mark").touch()
    odd = "50 % of \"two\" 'words' $HOME 订单"

    Program("odd", ["printf", "%s|%s", odd], 1, {"ODD": odd}).install(tmp_path)
    script = tmp_path / "servers" / "odd.start"
    said = subprocess.run([script], env={"GM_ETC": str(tmp_path)}, capture_output=True, text=True, check=True)

    assert said.stdout == f"{odd}|"
    assert "export ODD='50 % of" in script.read_text()
    assert odd not in (tmp_path / "programs" / "odd.conf").read_text()


def test_env_file_gives_back_what_was_written(tmp_path: Path) -> None:
    values = {"A": "two words", "B": "it's $HOME", "C": "订单", "D": "", "E": '["gm_task"]'}

    write_env(tmp_path / "env", values)

    assert read_env(tmp_path / "env") == values
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
