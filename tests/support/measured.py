"""Runs modules in processes of their own and tells their time and peak memory.

The process that is measured is `python -m tests.support.measured FILE MODULE ARGUMENT...`; FILE gets its peak.

The kernel's account of a child (ru_maxrss) is no use: it begins with what the parent had when it started the child.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process took, from its start to its end, and what it said."""

    seconds: float
    peak_mb: float
    output: str


def run_measured(
    module: str, arguments: Sequence[str], *, stdin: str = "", environment: Mapping[str, str] | None = None
) -> Measured:
    """Run `python -m module arguments` with this input.

    Raises:
        CalledProcessError: it failed.
    """
    with TemporaryDirectory() as folder:
        peak_file = Path(folder) / "peak"
        command = [sys.executable, "-m", "tests.support.measured", str(peak_file), module, *arguments]
        began = time.perf_counter()
        done = subprocess.run(command, input=stdin, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.perf_counter() - began
        return Measured(seconds, float(peak_file.read_text()), done.stdout)


def main() -> None:
    """Be the process that is measured."""
    peak_file, module = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        peak_file.write_text(f"{_peak_kib() / 1024:.1f}")


def _peak_kib() -> int:
    """Return the most memory this process held at once (resident set)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
