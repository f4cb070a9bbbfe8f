"""Faults that profiling must find: each at a line that tests know by its mark."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, insert, select
from sqlalchemy.engine import Engine

from shared.database import in_read, in_write

ROWS = 3_000
HERE = "tests/support/planted_faults.py"
metadata = MetaData()
orders = Table(
    "planted_orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("station_id", String(16), nullable=False),
    Column("receive_date", Date, nullable=False),
    Column("note", String(200)),
)
_kept: list[object] = []


def line_of(mark: str) -> str:
    """Return file:line of the marked line."""
    lines = Path(__file__).read_text().splitlines()
    return f"{HERE}:{next(number for number, line in enumerate(lines, 1) if line.endswith(f'# {mark}'))}"


def fill(engine: Engine, rows: int = ROWS) -> None:
    """Make the table anew."""
    metadata.drop_all(engine)
    metadata.create_all(engine)
    day = date(2026, 1, 1)
    made = [
        {"station_id": f"S{number % 50}", "receive_date": day + timedelta(number % 200), "note": "x" * 150}
        for number in range(rows)
    ]
    in_write(engine, lambda connection: connection.execute(insert(orders), made))


def query_in_a_loop(engine: Engine, times: int) -> int:
    """Ask for one row after the other."""

    def ask(number: int) -> int:
        found = select(orders).where(orders.c.id == number)
        return len(in_read(engine, lambda connection: connection.execute(found).all()))  # loop

    return sum(ask(number) for number in range(1, times + 1))


def missing_index(engine: Engine) -> int:
    """Ask for what no index serves."""
    wanted = select(orders.c.id).where(orders.c.station_id == "S3", orders.c.receive_date >= date(2026, 3, 1))
    return len(in_read(engine, lambda connection: connection.execute(wanted).all()))  # scan


def slow_function() -> int:
    """Take long by itself."""
    total = 0
    for number in range(400_000):
        total += number % 7
    return total


def call_slow_twice() -> int:
    """Call it where once would do."""
    return slow_function() + slow_function()


def fast_function(number: int) -> int:
    """Take nothing worth naming."""
    return number + 1


def call_fast_often() -> int:
    """Call it for each of a hundred thousand numbers."""
    total = 0
    for _ in range(100_000):
        total = fast_function(total)
    return total


class Leaked:
    """What is never let go."""

    def __init__(self) -> None:
        self.text = ["x"] * 250  # leaked text


def leak(times: int) -> None:
    """Keep something for good with each run."""
    for _ in range(times):
        _kept.append(Leaked())  # leak
