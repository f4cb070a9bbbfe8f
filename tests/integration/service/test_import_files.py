"""Fix and run again through real files: what a clerk uploads, downloads, corrects and uploads again."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.support.import_calls import BATCH, add_cycle, run
from tests.support.order_rows import order_numbers
from tests.support.service import Caller, Service

TITLES = ["订单号", "下单时间", "客户编码", "商品编码", "数量", "单价", "业务员"]


@pytest.fixture
def service(service: Service) -> Service:
    """The service with an operating cycle."""
    add_cycle(service)
    return service


def row(number: str, **changes: Any) -> list[Any]:
    """Return a good row; leading zeros, eighteen digits and a real date are in it."""
    cells = {
        "number": number,
        "time": datetime(2026, 1, 31, 8, 30),
        "buyer": "001234567890123456",
        "sku": "000123",
        "quantity": 2,
        "price": 3.5,
        "seller": "小王",
    }
    return list({**cells, **changes}.values())


def workbook(*rows: list[Any], titles: list[str] = TITLES) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for cells in (titles, *rows):
        sheet.append(cells)
    return save(book)


def save(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def upload(caller: Caller, verb: str, content: bytes, name: str = "一月.xlsx", **fields: Any) -> Any:
    data = {"file": (io.BytesIO(content), name), **fields}
    return caller.client.post(BATCH + verb, data=data, headers=caller.headers, content_type="multipart/form-data")


def submit_file(caller: Caller, content: bytes, key: str = "up-1", name: str = "一月.xlsx") -> int:
    answer = upload(caller, "submit", content, name, task_id=key, time_config_id="whole-day").get_json()
    assert answer["code"] == 0, answer
    return int(answer["data"]["task_url"].rpartition("=")[2])


def download(caller: Caller, task_id: int | str, language: str = "zh") -> openpyxl.Workbook:
    headers = {**caller.headers, "Accept-Language": language}
    answer = caller.client.get(BATCH + "open_rows", query_string={"task_id": task_id}, headers=headers)
    assert answer.status_code == 200, answer.text
    return openpyxl.load_workbook(io.BytesIO(answer.data))


def cells_of(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in cells] for cells in sheet.iter_rows()]


def amend(caller: Caller, book: openpyxl.Workbook, task_id: int | str = "up-1") -> Any:
    return upload(caller, "amend", save(book), "corrected.xlsx", task_id=task_id).get_json()


def test_clerk_corrects_the_failed_rows_in_a_spreadsheet_and_only_they_run(service: Service) -> None:
    program = service.program()
    rows = [row("A-1"), row("A-2", quantity=0), row("A-3"), row("A-4", sku=None), row("A-5")]
    task_id = submit_file(program, workbook(*rows))
    run(service, task_id)
    book = download(program, task_id)
    titles, *failed = cells_of(book.active)

    assert titles[:7] == TITLES and titles[-1] == "失败原因"
    assert [cells[0] for cells in failed] == ["A-2", "A-4"]
    assert [cells[6] for cells in failed] == ["小王", "小王"]
    assert "数量" in failed[0][-1] or "quantity" in failed[0][-1]
    fills = [[cell.fill.fgColor.rgb for cell in line] for line in book.active.iter_rows(min_row=2, max_col=7)]
    assert [[place for place, fill in enumerate(line) if fill != "00000000"] for line in fills] == [[4], [3]]

    book.active["E2"], book.active["D3"] = 7, "000124"
    data = amend(program, book)["data"]

    assert (data["status"], data["created"], data["failed"]) == (3, 5, 0)
    assert [(each["index"], each["state"]) for each in data["rows"]] == [(1, "created"), (3, "created")]
    assert order_numbers(service.engine) == ["A-1", "A-3", "A-5", "A-2", "A-4"]
    result = program.get("/task/get", task_id=task_id).get_json()["data"]["result"]
    assert [each["attempt"] for each in result["rows"]] == [1, 2, 1, 2, 1]
    assert [each["sheet_row"] for each in result["rows"]] == [2, 3, 4, 5, 6]


def test_same_corrected_file_twice_changes_nothing_more(service: Service) -> None:
    program = service.program()
    task_id = submit_file(program, workbook(row("A-1", quantity=0), row("A-2", quantity=0), row("A-3")))
    run(service, task_id)
    book = download(program, task_id)
    book.active["E2"] = 1
    first = amend(program, book)
    told = program.get("/task/get", task_id=task_id).get_json()

    second = amend(program, book)

    assert first == second and first["data"]["status"] == 4
    assert program.get("/task/get", task_id=task_id).get_json() == told
    assert order_numbers(service.engine) == ["A-3", "A-1"]


def test_row_that_fails_again_comes_back_as_corrected_with_its_new_reason(service: Service) -> None:
    program = service.program()
    task_id = submit_file(program, workbook(row("A-1", quantity=0), row("A-2")))
    run(service, task_id)
    book = download(program, task_id)
    book.active["E2"], book.active["A2"], book.active["G2"] = 5, "A-2", "小李"

    amend(program, book)

    titles, again = cells_of(download(program, task_id).active)
    assert titles[:7] == TITLES
    assert (again[0], again[4], again[6]) == ("A-2", 5, "小李")
    assert "A-2" in again[-1] and "0" not in again[-1]


def test_rows_deleted_or_moved_by_the_clerk_are_no_matter(service: Service) -> None:
    program = service.program()
    task_id = submit_file(program, workbook(*(row(f"A-{number}", quantity=0) for number in range(4))))
    run(service, task_id)
    book = download(program, task_id)
    sheet = book.active
    _, *failed = cells_of(sheet)
    sheet.delete_rows(2, 4)
    for cells in (failed[3], failed[1]):
        sheet.append([*cells[:4], 9, *cells[5:]])

    data = amend(program, book)["data"]

    assert [(each["index"], each["state"]) for each in data["rows"]] == [(1, "created"), (3, "created")]
    assert (data["status"], data["failed"]) == (4, 2)


def test_rows_of_a_stopped_import_are_in_the_file_too(service: Service) -> None:
    program = service.program()
    task_id = submit_file(program, workbook(row("A-1"), row("A-2")))
    service.tasks.close(task_id)
    book = download(program, task_id, "en")

    data = amend(program, book)["data"]

    assert "not attempted" in cells_of(book.active)[1][-1]
    assert (data["status"], data["created"]) == (3, 2)


def test_failed_rows_of_a_json_submission_come_as_a_file_as_well(service: Service) -> None:
    program = service.program()
    lines = [{"sku": "X", "quantity": 1, "unit_price": "1.50"}, {"sku": "Y", "quantity": -1, "unit_price": 2}]
    order = {"order_no": "0012", "order_time": "2026-01-31 08:30", "lines": lines}
    body = {"task_id": "up-1", "time_config_id": "whole-day", "order_data": [order]}
    task_id = int(program.post(BATCH + "submit", **body).get_json()["data"]["task_url"].rpartition("=")[2])
    run(service, task_id)
    book = download(program, task_id, "en")
    titles, first, second = cells_of(book.active)
    assert (first[titles.index("Order number")], second[titles.index("SKU")]) == ("0012", "Y")

    book.active.cell(3, titles.index("Quantity") + 1).value = 4
    data = amend(program, book)["data"]

    assert (data["status"], order_numbers(service.engine)) == (3, ["0012"])


def test_multi_line_orders_of_a_file_are_one_row_each(service: Service) -> None:
    program = service.program()
    titles = [*TITLES, "行号"]
    cells = [[*row("A-1"), 1], [*row("A-1", sku="000124"), 2], [*row("A-2", quantity=0), 1], [*row("A-2"), 2]]
    task_id = submit_file(program, workbook(*cells, titles=titles))
    run(service, task_id)

    result = program.get("/task/get", task_id=task_id).get_json()["data"]["result"]

    assert [(each["sheet_row"], each["state"]) for each in result["rows"]] == [(2, "created"), (4, "failed")]
    assert len(cells_of(download(program, task_id).active)) == 3


def test_check_of_a_file_says_what_it_made_of_it(service: Service) -> None:
    rows = "订单号,下单时间,商品编码,数量,单价,业务员\r\nA-1,2026-01-31,0012,1,2,王\r\nA-2,2026-01-31,0012,x,2,王\r\n"

    data = upload(service.program(), "check", rows.encode("gbk"), "一月.csv", time_config_id="whole-day").get_json()[
        "data"
    ]

    assert (data["total"], data["created"], data["rows"][0]["sheet_row"]) == (2, 1, 3)
    assert data["file"] == {
        "kind": "csv",
        "encoding": "gb18030",
        "sheet_name": None,
        "other_sheets": [],
        "ignored_columns": ["业务员"],
    }


def test_leading_zeros_long_numbers_and_dates_survive(service: Service) -> None:
    program = service.program()
    task_id = submit_file(program, workbook(row("00017"), row("123456789012345678")))
    run(service, task_id)

    shown = program.get(BATCH + "rows", task_id=task_id).get_json()["data"]

    assert order_numbers(service.engine) == ["00017", "123456789012345678"]
    order = shown[0]["order"]
    assert (order["buyer_code"], order["sku"]) == ("001234567890123456", "000123")
    assert order["order_time"] == "2026-01-31 08:30:00"


def _of_another(book: openpyxl.Workbook, service: Service, program: Caller) -> None:
    task_id = submit_file(program, workbook(row("B-1", quantity=0)), key="up-2")
    run(service, task_id)
    book.active["H2"] = download(program, task_id).active["H2"].value


def _without_marks(book: openpyxl.Workbook, *_: Any) -> None:
    book.active.delete_cols(8)


def _mark_altered(book: openpyxl.Workbook, *_: Any) -> None:
    mark = str(book.active["H2"].value)
    book.active["H2"] = mark[:-1] + ("B" if mark.endswith("A") else "A")


@pytest.mark.parametrize("spoil", [_of_another, _without_marks, _mark_altered])
def test_file_of_something_else_is_refused_and_nothing_runs(service: Service, spoil: Callable[..., None]) -> None:
    program = service.program()
    task_id = submit_file(program, workbook(row("A-1", quantity=0)))
    run(service, task_id)
    book = download(program, task_id)
    book.active["E2"] = 1
    spoil(book, service, program)

    answer = amend(program, book)

    assert answer["code"] == 42200 and len(answer["msg"]) > 20
    assert order_numbers(service.engine) == []


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 422), (b"PK\x03\x04rubbish", 422), (b"\xd0\xcf\x11\xe0" * 200, 422), (b"\x00\xff" * 50, 422)],
)
@pytest.mark.parametrize("verb", ["check", "submit"])
def test_file_that_is_none_is_refused_with_a_sentence(service: Service, content: bytes, status: int, verb: str) -> None:
    fields = {"time_config_id": "whole-day"} | ({"task_id": "up-1"} if verb == "submit" else {})

    answer = upload(service.program(), verb, content, **fields)

    assert (answer.status_code, answer.get_json()["code"]) == (status, 42200)
    assert service.tasks.list("S001") == []


def test_template_can_be_filled_and_submitted(service: Service) -> None:
    program = service.program()
    answer = program.get(BATCH + "template")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    titles = [cell.value for cell in book.worksheets[0][1]]
    good = {"Order number": "0009", "Order time": "2026-01-31", "SKU": "7", "Quantity": 1, "Unit price": 2, "Line": 1}
    book.worksheets[0].append([good.get(str(title).rstrip(" *")) for title in titles])

    task_id = submit_file(program, save(book))
    run(service, task_id)

    assert "attachment" in answer.headers["Content-Disposition"]
    assert order_numbers(service.engine) == ["0009"]
