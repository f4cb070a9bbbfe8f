"""The two slots of a host's workers: what runs in each stands in `slot-a.env` and `slot-b.env`.

A slot with a file holds a release; the one without is free for the next. So a host that boots starts what ran last,
and what was ended leaves its file behind as `slot-a.env.previous`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.ops.env_file import read_env, write_env

NAMES = ("a", "b")


class SlotError(Exception):
    """What keeps a slot from being used, in a sentence."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the two; supervisor's group of its workers is `workers-a` or `workers-b`."""

    name: str
    file: Path

    @property
    def group(self) -> str:
        """The group of supervisor's programs that runs it."""
        return f"workers-{self.name}"

    def is_free(self) -> bool:
        """Tell whether it holds no release."""
        return not self.file.exists()

    def version(self) -> str | None:
        """Return the release that it holds."""
        return read_env(self.file).get("GM_RELEASE")

    def fill(self, values: Mapping[str, str]) -> None:
        """Put a release into it: GM_RELEASE, GM_HOME, GM_PYTHON, and what else it sets."""
        write_env(self.file, values, like=self.file.with_name("gm.env"))

    def free(self) -> None:
        """Make it free for the next release."""
        if self.file.exists():
            self.file.replace(self.file.with_name(self.file.name + ".previous"))


@contextmanager
def one_at_a_time(etc: Path) -> Iterator[None]:
    """Keep other releases of this host out; a command that was killed keeps nobody out.

    Raises:
        SlotError: another one is under way.
    """
    folder = os.open(etc, os.O_RDONLY)
    try:
        _lock(folder)
        yield
    finally:
        os.close(folder)


def _lock(folder: int) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SlotError("Another release command runs on this host: let it end, or take it back (--back).") from error


def list_slots(etc: Path) -> list[Slot]:
    """Return both slots of the host whose files are in `etc`."""
    return [Slot(name, etc / f"slot-{name}.env") for name in NAMES]


def choose(slots: list[Slot], version: str) -> tuple[Slot, Slot | None]:
    """Return the slot for `version`, the one that holds it already or a free one, and the other where it is in use.

    Raises:
        SlotError: both hold other releases.
    """
    holding = [slot for slot in slots if slot.version() == version]
    free = [slot for slot in slots if slot.is_free()]
    if not holding and not free:
        names = " and ".join(str(slot.version()) for slot in slots)
        raise SlotError(
            f"Both slots are in use, by {names}: a release is under way, or was cut short. `gm ops release --status` "
            "tells which; its own command again goes on with it, and --back takes it back."
        )
    new = (holding or free)[0]
    others = [slot for slot in slots if slot is not new and not slot.is_free()]
    return new, others[0] if others else None
