"""A profile's call graph, by gprof2dot and Graphviz."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.profiling.pstat_tables import Place, Table, write_table
from shared.profiling.report import shorten

PICTURES = ("svg", "png", "pdf")
WHERE_INSTALLED = "it comes with the extra `explain`, which requirements.txt and gm_service's image have"
_SECONDS = 120


class NotDrawn(Exception):
    """Why there is no picture, in a sentence."""


def dot_text(table: Table, node_percent: float = 0.5, edge_percent: float = 0.1) -> str:
    """Return the call graph as DOT: function, share with what it calls, (own share), calls; small parts are left out.

    Raises:
        NotDrawn: gprof2dot is not installed, or fails.
    """
    if find_spec("gprof2dot") is None:
        raise NotDrawn(f"This needs gprof2dot: {WHERE_INSTALLED}.")
    argv = [sys.executable, "-m", "gprof2dot", "-f", "pstats", "-n", str(node_percent), "-e", str(edge_percent)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "profile.prof"
        write_table(_with_short_paths(table), file)
        return _run([*argv, str(file)], b"").decode()


def _with_short_paths(table: Table) -> Table:
    """Leave out where on this machine things are: pictures are shown to others."""

    def short(place: Place) -> Place:
        return (shorten(place[0]), *place[1:])

    return {
        short(place): (*row[:4], {short(caller): counts for caller, counts in row[4].items()})
        for place, row in table.items()
    }


def draw(dot: str, form: str) -> bytes:
    """Return a DOT text as a picture.

    Raises:
        NotDrawn: Graphviz is not installed, or fails.
    """
    program = shutil.which("dot")
    if program is None:
        raise NotDrawn(
            "Graphviz' program dot is not installed here, so there is no picture (apt-get install graphviz)."
        )
    return _run([program, f"-T{form}"], dot.encode())


def _run(argv: list[str], given: bytes) -> bytes:
    try:
        done = subprocess.run(argv, input=given, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise NotDrawn(f"{Path(argv[0]).name} took longer than {_SECONDS} seconds; leave out more (-n 2).") from error
    if done.returncode != 0:
        raise NotDrawn(f"{Path(argv[0]).name} failed: {done.stderr.decode(errors='replace').strip()[-400:]}")
    return done.stdout
