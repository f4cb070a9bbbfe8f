"""How a worker's parent process tells its children that it stops."""

from __future__ import annotations

import mmap
import os


class StopFlag:
    """One byte shared with every process forked after it was made."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)
        self._parent = os.getpid()

    def set(self) -> None:
        """Tell every child; safe in a signal handler."""
        self._byte[0] = 1

    def is_set(self) -> bool:
        """Tell whether the worker stops; a parent that is gone can't tell anything and counts as stopping."""
        return self._byte[0] == 1 or self.is_orphan()

    def is_orphan(self) -> bool:
        """Tell whether this is a child whose parent is gone."""
        return self._parent not in (os.getpid(), os.getppid())
