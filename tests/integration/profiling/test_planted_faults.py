"""Planted faults are found, and named with file and line and what to do about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Index, select, text
from sqlalchemy.engine import Connection, Engine

from shared.database import in_read, make_engine
from shared.profiling.cli import profile as command
from shared.profiling.explanation import Explanation, explain
from shared.profiling.findings import Step
from shared.profiling.growth import growth_of
from shared.profiling.indexes import compare_indexes
from shared.profiling.session import Subject, watching
from shared.profiling.store import ProfileStore
from tests.support import planted_faults as planted


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    planted.fill(made)
    yield made
    made.dispose()


def run(folder: Path, body: Callable[[], Any], way: str = "cprofile", task_id: int = 7) -> ProfileStore:
    store = ProfileStore(folder / "profiles")
    with watching(Subject("task", "shop.work", way, "r1", task_id, 1), store):
        body()
    return store


def explained(folder: Path, body: Callable[[], Any], way: str = "cprofile") -> Explanation:
    return explain(run(folder, body, way), "7")


def told(explanation: Explanation, step: Step) -> list[tuple[str, str]]:
    return [(finding.told, finding.advice) for finding in explanation.findings if finding.step is step]


def test_a_query_in_a_loop_is_found_with_its_line(engine: Engine, tmp_path: Path) -> None:
    explanation = explained(tmp_path, lambda: planted.query_in_a_loop(engine, 1204), way="ledger")

    [(sentence, advice)] = told(explanation, Step.BATCH)
    assert sentence.startswith(f"1,204 times the same SELECT from {planted.line_of('loop')}: a query in a loop")
    assert "IN (...)" in advice


def test_a_missing_index_is_found_with_the_index_to_add(engine: Engine, tmp_path: Path) -> None:
    explanation = explained(tmp_path, lambda: planted.missing_index(engine), way="ledger")

    [(sentence, advice)] = told(explanation, Step.INDEX)
    examined = int(re.findall(r"([\d,]+) rows examined", sentence)[0].replace(",", ""))
    assert sentence.startswith("full scan of planted_orders, ")
    assert sentence.endswith(f"by {planted.line_of('scan')}: no index serves (station_id, receive_date)")
    assert examined == pytest.approx(planted.ROWS, rel=0.2)  # MariaDB estimates
    assert advice.startswith("CREATE INDEX ix_planted_orders_station_id_receive_date ON planted_orders")


def test_the_index_that_is_advised_ends_the_scan(engine: Engine, tmp_path: Path) -> None:
    [(_, advice)] = told(explained(tmp_path / "a", lambda: planted.missing_index(engine), "ledger"), Step.INDEX)

    with engine.begin() as connection:
        connection.execute(text(advice.rstrip(";")))

    assert told(explained(tmp_path / "b", lambda: planted.missing_index(engine), "ledger"), Step.INDEX) == []


def test_indexes_of_two_databases_are_compared(
    engine: Engine, make_database_url: Callable[[str], str], tmp_path: Path
) -> None:
    is_file = engine.dialect.name == "sqlite"
    other = make_engine(f"sqlite:///{tmp_path}/other.db" if is_file else make_database_url("mariadb"))
    planted.fill(other, rows=1)
    assert compare_indexes(engine, other) == []
    Index("ix_ours", planted.orders.c.station_id).create(engine)
    with other.begin() as connection:
        connection.execute(text("CREATE INDEX ix_theirs ON planted_orders (receive_date)"))
    for name, one in (("first", engine), ("second", other)):
        (tmp_path / name).write_text(one.url.render_as_string(hide_password=False))

    done = CliRunner().invoke(command, ["indexes", str(tmp_path / "first"), str(tmp_path / "second")])

    planted.orders.indexes.clear()
    other.dispose()
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "the second database lacks the index on planted_orders (station_id)",
        "the second database alone has the index on planted_orders (receive_date)",
    ]


def test_a_slow_function_called_twice_is_found(tmp_path: Path) -> None:
    explanation = explained(tmp_path, planted.call_slow_twice)

    assert re.fullmatch(rf"{planted.HERE}:\d+\(slow_function\)", explanation.slowest)
    assert re.match(r"slowest function .*: [\d.]+ s of its own, \d+% in 2 calls", told(explanation, Step.CODE)[0][0])


def test_a_slow_function_is_found_by_samples_too(tmp_path: Path) -> None:
    explanation = explained(tmp_path, lambda: [planted.call_slow_twice() for _ in range(4)], way="sample")

    assert re.fullmatch(rf"{planted.HERE}:\d+\(slow_function\)", explanation.slowest)


def test_a_fast_function_called_a_hundred_thousand_times_is_found(tmp_path: Path) -> None:
    explanation = explained(tmp_path, planted.call_fast_often)

    assert re.fullmatch(rf"{planted.HERE}:\d+\(fast_function\)", explanation.most_called)
    [often] = [sentence for sentence, _ in told(explanation, Step.CODE) if "is called 100,000 times" in sentence]
    assert "(call_fast_often)" in often


def test_a_leak_is_found_with_type_and_line(tmp_path: Path) -> None:
    for run_number in range(3):
        store = run(tmp_path, lambda: planted.leak(100), way="memory", task_id=run_number + 1)

    [growth] = growth_of(store.list_records(), "shop.work")
    lines = {line: objects for line, _bytes, objects in growth.lines}
    assert dict(growth.types)["tests.support.planted_faults.Leaked"] == 200
    assert lines[planted.line_of("leak")] >= 200
    assert growth.lines[0][0] == planted.line_of("leaked text")
    assert all(run.peak >= run.before > 0 for run in growth.runs)
    assert (
        "tests.support.planted_faults.Leaked"
        in CliRunner().invoke(command, ["--folder", str(tmp_path / "profiles"), "memory", "shop"]).output
    )


def read_row_by_row(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM planted_orders"))
        while rows.fetchone() is not None:
            pass


def test_what_counts_the_rows_is_not_told_as_slow_or_busy_code(engine: Engine, tmp_path: Path) -> None:
    explanation = explained(tmp_path, lambda: read_row_by_row(engine))

    assert "shared/profiling/" not in explanation.slowest
    assert "shared/profiling/" not in explanation.most_called
    assert [sentence for sentence, _ in told(explanation, Step.CODE) if "shared/profiling/" in sentence] == []


def test_what_the_ledger_keeps_is_not_told_as_growth(engine: Engine, tmp_path: Path) -> None:
    store = run(tmp_path, lambda: planted.query_in_a_loop(engine, 2), way="memory")

    [growth] = growth_of(store.list_records())
    assert growth.types
    assert [name for name, _ in growth.types if name.startswith("shared.profiling.")] == []


def test_advice_comes_in_the_manuals_order(engine: Engine, tmp_path: Path) -> None:
    def everything() -> None:
        planted.call_slow_twice()
        planted.query_in_a_loop(engine, 50)
        planted.missing_index(engine)

    explanation = explained(tmp_path, everything)

    steps = [finding.step for finding in explanation.findings]
    assert steps == sorted(steps)
    assert steps[:2] == [Step.INDEX, Step.BATCH]
    assert {"our code", "SQL"} <= set(explanation.shares.seconds)


def test_rows_that_stay_on_the_server_until_they_are_fetched_are_counted(engine: Engine, tmp_path: Path) -> None:
    def take(connection: Connection) -> int:
        rows = connection.execution_options(stream_results=True, yield_per=500).execute(select(planted.orders))
        first = [rows.fetchone(), *rows.fetchmany(20)]
        return len(first) + len(rows.all())

    store = run(tmp_path, lambda: in_read(engine, take), way="ledger")

    [entry] = [entry for entry in store.list_records()[0]["ledger"] if "planted_orders" in entry["shape"]]
    assert (entry["count"], entry["rows"]) == (1, planted.ROWS)
    assert 0 < entry["worst_seconds"] <= entry["total_seconds"]
