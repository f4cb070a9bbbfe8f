"""Which orders an export has, and that its file is whole, the same in both modes, or absent."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import Engine, delete, select, text, update

from gm_service.demo.load import load_demo_orders
from gm_service.orders import store
from gm_service.orders.exports.making import (
    ExportedFile,
    bunch_orders,
    export_to_file,
    iter_orders,
    open_snapshot,
)
from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.exports.rows import OrderDetail
from gm_service.orders.models import Order, OrderStatus, order_line, orders
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from gm_service.yongyou import YongyouSettings
from shared.errors import StorageFull, UnsupportedFormat
from shared.web import strict_json
from tests.support.measured import run_measured
from tests.support.order_rows import CYCLE, OTHER_STATION, STATION, insert, make_line, make_order

DAY = date(2010, 12, 1)
BY_DATE = OrderQuery(QueryType.ORDER_DATE, start_date=DAY, end_date=DAY)


BAD_SETTINGS = strict_json.dumps(
    {**ExportRequest(STATION, BY_DATE, "yongyou", "x", "en").to_json(), "yongyou": {"tax_rate": "much"}}
)


def matching(engine: Engine, query: OrderQuery, zone: ZoneInfo, page_size: int = 500) -> list[str]:
    with open_snapshot(engine) as connection:
        pages = store.iter_order_pages(connection, STATION, query, zone, page_size)
        found = [order.order_no for page in pages for order in page]
        assert len(found) == store.count_orders(connection, STATION, query, zone)
    return found


def export(engine: Engine, zone: ZoneInfo, directory: Path, **changes: Any) -> ExportedFile:
    request = replace(ExportRequest(STATION, BY_DATE, "house", "orders.xlsx", "en"), **changes)
    return export_to_file(engine, request, zone, directory=directory, name="9.1")


def test_order_dates_are_whole_days_of_the_zone(orders_engine: Engine, zone: ZoneInfo) -> None:
    moments = {
        "before": datetime(2010, 11, 30, 15, 59, 59, 999999),
        "first": datetime(2010, 11, 30, 16, 0),
        "last": datetime(2010, 12, 1, 15, 59, 59, 999999),
        "after": datetime(2010, 12, 1, 16, 0),
    }
    insert(orders_engine, *(make_order(name, order_time=moment) for name, moment in moments.items()))

    assert matching(orders_engine, BY_DATE, zone) == ["first", "last"]


def test_operating_cycle_leaves_its_end_out(orders_engine: Engine, zone: ZoneInfo) -> None:
    moments = {"first": datetime(2010, 11, 30, 22, 0), "end": datetime(2010, 12, 1, 22, 0)}
    insert(orders_engine, *(make_order(name, order_time=moment) for name, moment in moments.items()))
    insert(orders_engine, make_order("elsewhere", order_time=moments["first"], time_config_id="morning"))
    query = OrderQuery(
        QueryType.OPERATING_CYCLE,
        time_config_id=CYCLE.id,
        cycle_start_time=datetime(2010, 12, 1, 6, 0, tzinfo=zone),
        cycle_end_time=datetime(2010, 12, 1, 22, 0, tzinfo=UTC),
    )

    assert matching(orders_engine, query, zone) == ["first"]


def test_receive_dates_include_both_ends(orders_engine: Engine, zone: ZoneInfo) -> None:
    days = [date(2010, 12, 1), date(2010, 12, 2), date(2010, 12, 3), date(2010, 12, 4)]
    insert(orders_engine, *(make_order(f"{day:%d}", receive_date=day) for day in days))
    query = OrderQuery(QueryType.RECEIVE_DATE, start_date=days[1], end_date=days[2])

    assert matching(orders_engine, query, zone) == ["02", "03"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": 4}, ["C-1"]),
        ({"search_area": "EIRE"}, ["E-1"]),
        ({"search_area": "eire"}, []),
        ({"search_area": "EIR"}, []),
        ({"search_text": "c-1"}, ["C-1"]),
        ({"search_text": "Müller"}, ["E-1"]),
        ({"search_text": "99_"}, ["P-1"]),
        ({"search_text": "50%"}, ["P-1"]),
        ({"search_text": "/"}, ["P-1"]),
        ({"search_text": "' OR 1=1 --"}, []),
        ({"search_text": "lantern"}, ["C-1", "E-1"]),
        ({"search_text": "lantern", "status": 2}, ["E-1"]),
    ],
)
def test_filters_narrow(orders_engine: Engine, zone: ZoneInfo, filters: dict[str, Any], expected: list[str]) -> None:
    rows = [
        make_order("C-1", status=4),
        make_order("E-1", area="EIRE", buyer_name="Müller"),
        make_order("P-1", buyer_code="99_1/2"),
    ]
    lines = {"C-1": [make_line()], "E-1": [make_line()], "P-1": [make_line(sku_name="50% off", sku_code="X")]}
    insert(orders_engine, *rows, lines=lines)
    insert(orders_engine, make_order("other station"), station_id=OTHER_STATION)

    assert matching(orders_engine, replace(BY_DATE, **filters), zone) == expected


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("query_type", [QueryType.ORDER_DATE, QueryType.RECEIVE_DATE])
def test_pages_neither_skip_nor_repeat(
    orders_engine: Engine, zone: ZoneInfo, page_size: int, query_type: QueryType
) -> None:
    rows = [
        make_order(
            f"{number:02}",
            order_time=datetime(2010, 12, 1, 1, number % 3),
            receive_date=date(2010, 12, 1 + number % 2),
        )
        for number in range(12)
    ]
    insert(orders_engine, *rows)
    query = OrderQuery(query_type, start_date=DAY, end_date=date(2010, 12, 2))

    found = matching(orders_engine, query, zone, page_size)

    if query_type is QueryType.RECEIVE_DATE:
        rows.sort(key=lambda row: (row["receive_date"], row["order_time"]))
    else:
        rows.sort(key=lambda row: row["order_time"])
    assert found == [row["order_no"] for row in rows]


def change_everything(engine: Engine, zone: ZoneInfo, turn: int) -> None:
    """Add an order in the range, and change, move or delete orders before and behind where an export may be."""
    insert(engine, make_order(f"new-{turn}", order_time=datetime(2010, 12, 1, 1, turn % 60)))
    with engine.begin() as connection:
        ids = list(connection.scalars(select(orders.c.id).order_by(orders.c.order_time, orders.c.id)))
        first, second, *_, later, last = ids
        connection.execute(delete(orders).where(orders.c.id.in_([first, last])))
        connection.execute(update(orders).where(orders.c.id == second).values(order_time=datetime(2010, 12, 1, 9)))
        connection.execute(update(orders).values(remark=f"changed-{turn}"))
        connection.execute(update(order_line).values(amount=Decimal(turn), sku_name=f"changed-{turn}"))
        connection.execute(delete(order_line).where(order_line.c.order_id == later, order_line.c.line_no == 2))


def read_all(engine: Engine, zone: ZoneInfo) -> list[list[OrderDetail]]:
    with open_snapshot(engine) as connection:
        return list(iter_orders(connection, STATION, BY_DATE, zone))


def test_changes_meanwhile_neither_skip_nor_double_nor_mix(orders_engine: Engine, zone: ZoneInfo) -> None:
    numbers = [f"{number:04}" for number in range(2 * store.ORDERS_A_PAGE + 5)]
    rows = [make_order(number, order_time=datetime(2010, 12, 1, 0, place % 60)) for place, number in enumerate(numbers)]
    insert(orders_engine, *rows, lines={number: [make_line(), make_line(sku_code="2")] for number in numbers})
    before = read_all(orders_engine, zone)

    seen = []
    with open_snapshot(orders_engine) as connection:
        for place, order in enumerate(iter_orders(connection, STATION, BY_DATE, zone)):
            seen.append(order)
            if place % 100 == 0:
                change_everything(orders_engine, zone, place)

    assert seen == before
    assert sorted(order[0].order_no for order in seen) == numbers
    after = read_all(orders_engine, zone)
    assert {row.remark for order in after for row in order} == {"changed-1000"}, "the changes were real"


@pytest.mark.parametrize(
    ("line_counts", "bunches"),
    [
        ([], []),
        ([1, 1, 1], [[1, 1, 1]]),
        ([4, 6, 1], [[4, 6], [1]]),
        ([5, 6, 4], [[5], [6, 4]]),
        ([1, 99, 1], [[1], [99], [1]]),
        ([0, 10, 0, 1], [[0, 10, 0], [1]]),
    ],
)
def test_bunches_hold_no_more_lines_than_allowed(line_counts: list[int], bunches: list[list[int]]) -> None:
    order = Order(1, "A-1", datetime(2010, 12, 1), DAY, CYCLE.id, OrderStatus.CONFIRMED, "", "", "", "", 0)
    page = [replace(order, line_count=count) for count in line_counts]

    found = [[each.line_count for each in bunch] for bunch in bunch_orders(page, max_lines=10)]

    assert found == bunches


def test_decimals_come_back_exactly(orders_engine: Engine, zone: ZoneInfo) -> None:
    line = make_line(quantity=Decimal("0.001"), unit_price=Decimal("12345678.0001"), amount=Decimal("-0.10"))
    insert(orders_engine, make_order(), lines={"A-1": [line]})

    with open_snapshot(orders_engine) as connection:
        (row,) = next(iter_orders(connection, STATION, BY_DATE, zone))

    assert (row.quantity, row.unit_price, row.amount) == (
        Decimal("0.001"),
        Decimal("12345678.0001"),
        Decimal("-0.10"),
    )
    assert row.order_time == datetime(2010, 12, 1, 8, 26)


def test_export_of_nothing_has_a_header(orders_engine: Engine, zone: ZoneInfo, tmp_path: Path) -> None:
    made = export(orders_engine, zone, tmp_path / "out")

    assert (made.orders, made.rows) == (0, 0)
    assert openpyxl.load_workbook(made.path)["Orders"].max_row == 1


def test_unknown_format_leaves_nothing(orders_engine: Engine, zone: ZoneInfo, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat):
        export(orders_engine, zone, tmp_path / "out", format="pdf")

    assert not (tmp_path / "out").exists()


@pytest.fixture
def no_complaints(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """See that nothing is complained about where nobody can catch it, such as when a file is collected."""
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    yield
    gc.collect()
    assert complaints == []


@pytest.mark.usefixtures("no_complaints")
@pytest.mark.parametrize("limit", [0, 100, 3000])
def test_full_disk_leaves_nothing(orders_engine: Engine, zone: ZoneInfo, tmp_path: Path, limit: int) -> None:
    insert(orders_engine, *(make_order(f"{number}") for number in range(400)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(StorageFull):
            export(orders_engine, zone, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert list((tmp_path / "out").iterdir()) == []


def start_script(database_url: str, output_dir: Path, run_count: int = 1, **options: Any) -> subprocess.Popen[str]:
    output_dir.mkdir(parents=True, exist_ok=True)
    module = "gm_service.tool.celery_tasks.export_orderdetail"
    arguments = ["--task-id", "12", "--run-count", str(run_count), "--output-dir", str(output_dir)]
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=script_environment(database_url),
        **options,
    )


def script_environment(database_url: str) -> dict[str, str]:
    return {**os.environ, "GM_SERVICE_DATABASE_URL": database_url, "GM_TIMEZONE": "Asia/Shanghai"}


def run_script(
    database_url: str, output_dir: Path, task_input: str, run_count: int = 1, **options: Any
) -> tuple[int, list[dict[str, Any]]]:
    with start_script(database_url, output_dir, run_count, **options) as script:
        said, _ = script.communicate(task_input, timeout=60)
    return script.returncode, [strict_json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize("file_format", PROFILES)
def test_script_makes_the_very_bytes_of_the_sync_export(
    orders_engine: Engine, zone: ZoneInfo, tmp_path: Path, database_url: str, file_format: str
) -> None:
    insert(orders_engine, *(make_order(f"{number}", remark="=1+1 中文") for number in range(150)))
    yongyou = YongyouSettings(tax_rate=Decimal(9), department="203")
    request = ExportRequest(STATION, BY_DATE, file_format, "订单.xlsx", "zh", yongyou)
    sync = export_to_file(orders_engine, request, zone, directory=tmp_path / "sync", name="key")

    code, said = run_script(database_url, tmp_path / "export", strict_json.dumps(request.to_json()))

    assert code == 0
    made = tmp_path / said[-1]["result"]["file"]
    assert said[-1]["result"] == {**sync.to_json(tmp_path), "file": f"export/12.1.{sync.path.suffix[1:]}"}
    assert made.read_bytes() == sync.path.read_bytes()
    assert said[0] == {"progress": {"done": 0, "total": 150}}
    assert said[-2] == {"progress": {"done": 150, "total": 150}}


def test_script_removes_what_older_runs_left(orders_engine: Engine, tmp_path: Path, database_url: str) -> None:
    output_dir = tmp_path / "export"
    (output_dir / ".12.1.abc.tmp").mkdir(parents=True)
    for name in ("12.1.xlsx", "12.3.xlsx", "123.1.xlsx", ".12.1.abc.tmp/12.1.xlsx"):
        (output_dir / name).write_text("old")
    request = ExportRequest(STATION, BY_DATE, "house", "orders.xlsx", "en")

    code, _said = run_script(database_url, output_dir, strict_json.dumps(request.to_json()), run_count=2)

    assert code == 0
    assert sorted(path.name for path in output_dir.iterdir()) == ["12.2.xlsx", "12.3.xlsx", "123.1.xlsx"]


def test_script_clears_up_before_it_needs_the_room(tmp_path: Path, database_url: str) -> None:
    output_dir = tmp_path / "export"
    (output_dir / ".12.1.abc.tmp").mkdir(parents=True)
    request = ExportRequest(STATION, BY_DATE, "no such format", "orders.xlsx", "en")

    code, _said = run_script(database_url, output_dir, strict_json.dumps(request.to_json()), run_count=2)

    assert (code, list(output_dir.iterdir())) == (1, [])


def test_killed_script_leaves_no_file_and_the_next_run_clears_up(
    orders_engine: Engine, zone: ZoneInfo, tmp_path: Path, database_url: str
) -> None:
    load_demo_orders(orders_engine, zone)
    december = OrderQuery(QueryType.ORDER_DATE, start_date=DAY, end_date=date(2010, 12, 31))
    task_input = strict_json.dumps(ExportRequest(STATION, december, "house", "orders.xlsx", "en").to_json())
    output_dir = tmp_path / "export"

    with start_script(database_url, output_dir) as script:
        assert script.stdin and script.stdout
        script.stdin.write(task_input)
        script.stdin.close()
        assert "progress" in script.stdout.readline()
        script.kill()

    left = [path.name for path in output_dir.iterdir()]
    assert len(left) == 1 and left[0].startswith(".12.1.")
    code, _said = run_script(database_url, output_dir, task_input, run_count=2)
    assert code == 0
    assert [path.name for path in output_dir.iterdir()] == ["12.2.xlsx"]


def test_script_that_is_asked_to_end_leaves_nothing(
    orders_engine: Engine, zone: ZoneInfo, tmp_path: Path, database_url: str
) -> None:
    load_demo_orders(orders_engine, zone)
    december = OrderQuery(QueryType.ORDER_DATE, start_date=DAY, end_date=date(2010, 12, 31))
    task_input = strict_json.dumps(ExportRequest(STATION, december, "house", "orders.xlsx", "en").to_json())

    with start_script(database_url, tmp_path / "export") as script:
        assert script.stdin and script.stdout
        script.stdin.write(task_input)
        script.stdin.close()
        assert "progress" in script.stdout.readline()
        script.terminate()
        assert script.wait(timeout=10) == 128 + signal.SIGTERM

    assert list((tmp_path / "export").iterdir()) == []


def december(*days: int) -> str:
    first, last = (date(2010, 12, day) for day in days)
    query = OrderQuery(QueryType.ORDER_DATE, start_date=first, end_date=last)
    return strict_json.dumps(ExportRequest(STATION, query, "house", "orders.xlsx", "en").to_json())


def is_sound(engine: Engine) -> bool:
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        said = connection.execute(text("PRAGMA integrity_check" if sqlite else "CHECK TABLE orders, order_line"))
        return {row[-1] for row in said} == {"ok" if sqlite else "OK"}


def test_script_on_a_full_disk_says_so_and_leaves_nothing(
    orders_engine: Engine, zone: ZoneInfo, tmp_path: Path, database_url: str
) -> None:
    load_demo_orders(orders_engine, zone)
    output_dir, log = tmp_path / "export", tmp_path / "stderr"
    mebibyte = (1024 * 1024, resource.RLIM_INFINITY)  # a third of the file

    with log.open("wb") as stderr:
        code, said = run_script(
            database_url,
            output_dir,
            december(1, 31),
            stderr=stderr,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, mebibyte),
        )

    assert (code, said[-1]["error"]["code"]) == (1, StorageFull.code)
    assert said[-1]["error"]["en"] and said[-1]["error"]["zh"]
    assert list(output_dir.iterdir()) == []
    assert log.read_text() == ""
    assert is_sound(orders_engine)
    code, _said = run_script(database_url, output_dir, december(1, 31), run_count=2)
    assert (code, [path.name for path in output_dir.iterdir()]) == (0, ["12.2.xlsx"])


def test_memory_does_not_grow_with_the_lines(
    orders_engine: Engine, zone: ZoneInfo, tmp_path: Path, database_url: str
) -> None:
    load_demo_orders(orders_engine, zone)

    def export_in_a_process(first: int, last: int) -> tuple[int, float]:
        measured = run_measured(
            "gm_service.tool.celery_tasks.export_orderdetail",
            ["--task-id", "12", "--run-count", "1", "--output-dir", str(tmp_path / "export")],
            stdin=december(first, last),
            environment=script_environment(database_url),
        )
        return strict_json.loads(measured.output.splitlines()[-1])["result"]["rows"], measured.peak_mb

    few_lines, few_mb = export_in_a_process(1, 3)
    many_lines, many_mb = export_in_a_process(1, 31)

    assert many_lines > few_lines + 30_000
    assert many_mb - few_mb < 15, "with 30,000 lines kept it was 27 MB"
    assert many_mb < 100


@pytest.mark.parametrize("task_input", ["", "[]", "{}", '{"query": 5}', "\u0000", BAD_SETTINGS])
def test_script_explains_a_bad_input(database_url: str, tmp_path: Path, task_input: str) -> None:
    code, said = run_script(database_url, tmp_path / "export", task_input)

    assert code == 1
    assert said[-1]["error"]["code"] == 40000
    assert said[-1]["error"]["en"] and said[-1]["error"]["zh"]


def test_script_starts_without_web_libraries() -> None:
    probe = (
        "import sys, gm_service.tool.celery_tasks.export_orderdetail;"
        "print([name for name in ('flask', 'requests', 'celery', 'pydantic') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"
