"""Becomes an export script: `python -I -S launch.py <parent pid> <memory MiB> -- argv...`; imports the least it can.

Before it does, it limits its memory and asks the kernel to be killed with its parent, so that no script goes on
as an orphan beside its successor.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127


def main(arguments: list[str]) -> int:
    """Replace this process by the script; return an exit code only where that fails."""
    parent, memory_mib, _, *argv = arguments
    _die_with(int(parent))
    limit = int(memory_mib) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        os.execvp(argv[0], argv)  # noqa: S606 an argument list from configuration, no shell
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        return _CANNOT_RUN


def _die_with(parent: int) -> None:
    if sys.platform != "linux":
        return  # elsewhere the run's own clean-up has to do
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(_CANNOT_RUN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
