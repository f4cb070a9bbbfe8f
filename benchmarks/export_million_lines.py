"""A million order lines from MariaDB to the finished .xlsx, beside XlsxWriter writing the very same rows.

    python -m benchmarks.export_million_lines [--lines 1000000]

The export is the script that gm_task runs, as a process of its own: from its start to its end, with counting,
progress, and the file on the disk. XlsxWriter's time is that inside the library alone.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.many_orders import EVERYTHING, ZONE, fill, spool
from gm_service.migrate import migrate
from shared.database import make_engine
from tests.support.mariadb import start_server
from tests.support.measured import run_measured

MIN_RATIO, MAX_PEAK_MB = 3.0, 100.0


@dataclass(frozen=True, slots=True)
class Reached:
    """How fast rows were written, and in how much memory."""

    name: str
    rows: int
    seconds: float
    peak_mb: float
    bytes: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def main() -> None:
    """Fill a database, measure both, say it; exit code 1 where the promise isn't kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as name, _database(Path(name)) as url:
        folder = Path(name)
        _prepare(url, lines, folder / "spool")
        bare = measure_bare(folder)
        export = measure_export(url, folder)
    ratio = export.rate / bare.rate
    _print_table([bare, export], bare)
    if ratio < MIN_RATIO or export.peak_mb > MAX_PEAK_MB:
        raise SystemExit(f"Promised: at least {MIN_RATIO} times the rate, at most {MAX_PEAK_MB:.0f} MB.")


def measure_bare(folder: Path) -> Reached:
    """Write the spool with XlsxWriter."""
    path = folder / "bare.xlsx"
    done = run_measured("benchmarks.bare_xlsxwriter", [str(folder / "spool"), str(path)])
    said = json.loads(done.output)
    return Reached("XlsxWriter constant_memory alone", said["rows"], said["seconds"], done.peak_mb, path.stat().st_size)


def measure_export(url: str, folder: Path) -> Reached:
    """Run the export script as gm_task does."""
    output = folder / "export"
    done = run_measured(
        "gm_service.tool.celery_tasks.export_orderdetail",
        ["--task-id", "1", "--run-count", "1", "--output-dir", str(output)],
        stdin=json.dumps(EVERYTHING.to_json()),
        environment={**os.environ, "GM_SERVICE_DATABASE_URL": url, "GM_TIMEZONE": ZONE.key},
    )
    result = json.loads(done.output.splitlines()[-1])["result"]
    _require_rows(folder / result["file"], result["rows"])
    return Reached("MariaDB to file, export script", result["rows"], done.seconds, done.peak_mb, result["bytes"])


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    server = start_server(folder)
    try:
        yield server.make_url()
    finally:
        server.stop()


def _prepare(url: str, lines: int, spool_file: Path) -> None:
    engine = make_engine(url)
    migrate(engine)
    began = time.perf_counter()
    stored = fill(engine, lines)
    spool(engine, spool_file)
    engine.dispose()
    print(f"{stored:,} lines stored and spooled in {time.perf_counter() - began:.0f} s")


def _require_rows(path: Path, rows: int) -> None:
    """See that the file really has so many rows, beside each sheet's header and the totals."""
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        found = sum(_count_rows(archive, name) for name in sheets)
    if found != rows + len(sheets) + 1:
        raise SystemExit(f"The file has {found} rows, not {rows}, {len(sheets)} headers and the totals.")


def _count_rows(archive: zipfile.ZipFile, name: str) -> int:
    with archive.open(name) as sheet:
        rows, end = 0, b""
        while piece := sheet.read(1 << 20):
            rows += (end + piece).count(b"</row>")
            end = piece[-5:]
    return rows


def _print_table(all_reached: list[Reached], base: Reached) -> None:
    print("\n| | rows | seconds | rows a second | ratio | peak memory | file |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for each in all_reached:
        print(
            f"| {each.name} | {each.rows:,} | {each.seconds:.1f} | {each.rate:,.0f} | {each.rate / base.rate:.1f} "
            f"| {each.peak_mb:.0f} MB | {each.bytes / 1e6:.0f} MB |"
        )


if __name__ == "__main__":
    main()
