"""The two slots of a host, and the files that they stand in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.ops.env_file import read_env, write_env
from shared.ops.release.slots import SlotError, choose, list_slots, one_at_a_time

RELEASE = {"GM_RELEASE": "2", "GM_HOME": "/srv/gm/2", "GM_PYTHON": "/srv/gm/2/.venv/bin/python"}


def test_a_release_goes_into_the_free_slot(tmp_path: Path) -> None:
    a, b = list_slots(tmp_path)
    a.fill({**RELEASE, "GM_RELEASE": "1"})

    assert choose([a, b], "2") == (b, a)
    assert choose([a, b], "1") == (a, None)


def test_a_release_that_was_interrupted_is_found_in_its_slot(tmp_path: Path) -> None:
    a, b = list_slots(tmp_path)
    a.fill({**RELEASE, "GM_RELEASE": "1"})
    b.fill(RELEASE)

    assert choose([a, b], "2") == (b, a)
    with pytest.raises(SlotError, match="1 and 2"):
        choose([a, b], "3")


def test_an_empty_host_has_a_slot_and_nothing_old(tmp_path: Path) -> None:
    a, b = list_slots(tmp_path)

    assert choose([a, b], "1") == (a, None)


def test_a_slot_that_is_freed_keeps_what_it_held_aside(tmp_path: Path) -> None:
    slot = list_slots(tmp_path)[0]
    slot.fill(RELEASE)
    held = slot.version()

    slot.free()
    slot.free()

    assert (held, slot.version(), slot.is_free()) == ("2", None, True)
    assert read_env(tmp_path / "slot-a.env.previous") == RELEASE


def test_values_survive_their_file(tmp_path: Path) -> None:
    values = {"A": "plain", "B": "two words", "C": 'it\'s $HOME "quoted" `x` \\ #', "D": "", "E": "门店"}
    file = tmp_path / "x.env"
    write_env(file, values)

    assert read_env(file) == values
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_by_hand_is_read_as_a_shell_would(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text("# comment\nexport A=1\nB='x y'  # why\n\nnothing\n")

    assert read_env(file) == {"A": "1", "B": "x y"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_slot_that_root_fills_belongs_to_whom_the_settings_belong(tmp_path: Path) -> None:
    write_env(tmp_path / "gm.env", {})
    os.chown(tmp_path / "gm.env", 12345, 12346)
    slot = list_slots(tmp_path)[0]

    slot.fill(RELEASE)

    held = slot.file.stat()
    assert (held.st_uid, held.st_gid, held.st_mode & 0o777) == (12345, 12346, 0o600)


def test_a_second_release_on_the_same_host_is_refused_while_the_first_one_runs(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path), pytest.raises(SlotError, match="Another release"), one_at_a_time(tmp_path):
        pass

    with one_at_a_time(tmp_path):
        pass
