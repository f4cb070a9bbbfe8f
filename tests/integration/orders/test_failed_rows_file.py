"""Fix and run again, the file's part: failed rows go out as the clerk's own file, and come back by their marks."""

from __future__ import annotations

import io
import re
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gm_service.orders.imports.files.columns import MARKS_TITLES, REASON_TITLES, TITLES, match_columns
from gm_service.orders.imports.files.failed_rows import OpenRow, read_row_marks, write_open_rows
from gm_service.orders.imports.files.orders import FileOrder, to_orders
from gm_service.orders.imports.files.reading import FileLimits, Sheet, read_sheet
from gm_service.orders.imports.files.template import write_template
from shared.errors import Language, RuleRefused
from tests.support.order_files import csv_bytes, xlsx_by_openpyxl

TASK = 7
OWN = ("Order number", "Order time", "SKU", "Quantity", "Unit price", "Colour")
FIELDS = match_columns(OWN).fields
CELLS = ["0012", "2010-12-01 08:26:00", "123456789012345678", -1, 2.55, "=red"]
LINED = ("Order number", "Order time", "Line", "SKU", "Quantity", "Unit price")


def make_open(index: int, *rows: list[Any], **changes: Any) -> OpenRow:
    facts = {"first_row": index + 2, "reason": "quantity must be above zero, not -1", "column": "quantity"}
    return OpenRow(index=index, cells=list(rows) or [CELLS], **{**facts, **changes})


def write(*rows: OpenRow, titles: tuple[str, ...] = OWN, task_id: int = TASK, language: Language = "en") -> bytes:
    return write_open_rows(titles, match_columns(titles).fields, rows, task_id, language)


def sheet_of(content: bytes) -> Sheet:
    return read_sheet(content, "failed.xlsx", FileLimits())


def table_of(content: bytes) -> list[list[Any]]:
    """Return the file's cells with the titles, for an edit."""
    sheet = sheet_of(content)
    return [list(sheet.titles), *[list(row.cells) for row in sheet.rows]]


def come_back(table: list[list[Any]], by: Any = xlsx_by_openpyxl) -> dict[int, FileOrder]:
    return dict(read_row_marks(sheet_of(by(*table)), TASK))


def refusal(table: list[list[Any]]) -> str:
    with pytest.raises(RuleRefused) as refused:
        come_back(table)
    assert re.search("[\u4e00-\u9fff]", refused.value.sentence("zh"))
    return refused.value.sentence("en")


@pytest.mark.parametrize(("language", "place"), [("en", 0), ("zh", 1)])
def test_file_is_the_clerks_own_with_marks_and_reasons(language: Language, place: int) -> None:
    titles, row = table_of(write(make_open(17), language=language))

    assert titles == [*OWN, MARKS_TITLES[place], REASON_TITLES[place]]
    assert row[:6] == CELLS
    assert re.fullmatch("T7R17-[A-Z]{2}", row[6])
    assert row[7] == "quantity must be above zero, not -1"


def test_faulty_cell_is_marked_and_only_it() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write(make_open(0), make_open(1, reason="", column=None))))

    coloured = [cell.coordinate for row in book.worksheets[0] for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"]

    assert coloured == ["D2"]


def test_faulty_cell_of_a_line_is_marked_on_its_row() -> None:
    lines = [["A", "2010-12-01", place, "S", place - 2, 1] for place in (1, 2, 3)]
    content = write(make_open(4, *lines, column="lines[1].quantity"), titles=LINED)

    book = openpyxl.load_workbook(io.BytesIO(content))

    coloured = [cell.coordinate for row in book.worksheets[0] for cell in row if cell.fill.fgColor.rgb == "FFFFC7CE"]
    assert coloured == ["E3"]


def test_texts_stay_texts_and_none_becomes_a_formula() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(write(make_open(0)))).worksheets[0]

    assert [cell.data_type for cell in sheet[2]][:6] == ["s", "s", "s", "n", "n", "s"]
    assert {cell.number_format for cell in sheet[2] if cell.data_type == "s"} == {"@"}
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (123456789012345678, "123456789012345678"),
        (-(2**63), "-9223372036854775808"),
        (999_999_999_999_999, 999_999_999_999_999),
        (1.2345678901234e17, 1.2345678901234e17),
        (float("inf"), "inf"),
        (True, True),
        ({"a": ["中"]}, '{"a": ["中"]}'),
        (None, None),
        ("x\ud800", "x�"),
    ],
)
def test_values_of_a_submission_in_json_are_written_as_they_are(cell: Any, read: Any) -> None:
    _, row = table_of(write(make_open(0, [cell, *CELLS[1:]])))

    assert row[0] == read


@pytest.mark.parametrize("by", [xlsx_by_openpyxl, csv_bytes])
def test_corrected_rows_come_back_to_their_places_in_any_order(by: Any) -> None:
    table = table_of(write(make_open(3), make_open(17), make_open(20)))
    titles, third, seventeenth, _ = table
    for row in table:
        row[5] = "Colour" if row is titles else "red"  # a `=red` would be a formula once a program saves it
    seventeenth[3] = 6

    orders = come_back([titles, seventeenth, third], by)

    assert list(orders) == [17, 3]
    assert str(orders[17].order["quantity"]) == "6"
    assert orders[17].order["order_no"] == "0012"
    assert orders[17].order["sku"] == "123456789012345678"
    assert (orders[17].first_row, orders[3].first_row) == (2, 3)


def test_lines_of_an_order_come_back_as_one_order() -> None:
    lines = [["A", "2010-12-01", place, "S", place, 1] for place in (1, 2)]
    table = table_of(write(make_open(4, *lines), make_open(5, *lines), titles=LINED))
    table.insert(3, [*table[2][:2], 3, "added", 5, 1, table[2][6], None])

    orders = come_back(table)

    assert [line["sku"] for line in orders[4].order["lines"]] == ["S", "S", "added"]
    assert len(orders[5].order["lines"]) == 2


def test_file_that_went_round_twice_has_its_marks_and_reasons_once() -> None:
    table = table_of(write(make_open(3), task_id=6))

    again = write(make_open(9, table[1]), titles=tuple(table[0]))

    titles, row = table_of(again)
    assert titles == [*OWN, MARKS_TITLES[0], REASON_TITLES[0]]
    assert row[6].startswith("T7R9-")


def test_file_without_marks_is_refused() -> None:
    assert refusal([[*OWN], [*CELLS]]).startswith("The file has no column “Import row (keep)”; download the failed")


@pytest.mark.parametrize(
    ("row", "mark", "sentence"),
    [
        (1, None, "Row 2 has no mark"),
        (2, "  ", "Row 3 has no mark"),
        (2, "T7R3", "The mark “T7R3” in row 3 was altered"),
        (2, "rubbish", "The mark “rubbish” in row 3 was altered"),
        (2, 5, "The mark “5” in row 3 was altered"),
        (3, "=row 2", "The mark T7R3-"),
        (2, "=row 2", "The mark T7R3-"),
    ],
)
def test_mark_that_is_not_its_rows_is_refused_by_row(row: int, mark: Any, sentence: str) -> None:
    table = table_of(write(make_open(3), make_open(4), make_open(5)))
    table[row][6] = table[1][6] if mark == "=row 2" else mark

    told = refusal(table)

    assert told.startswith(sentence)
    assert f"ow {row + 1} " in told


def test_marks_that_a_spreadsheet_counted_on_are_refused() -> None:
    table = table_of(write(make_open(3), make_open(4)))
    table[2][6] = table[1][6].replace("R3", "R8")

    assert "was altered" in refusal(table)


def test_marks_of_another_import_are_refused() -> None:
    table = table_of(write(make_open(3), task_id=8))

    assert refusal(table).startswith("Row 2 belongs to import 8, not to import 7")


def _kept(text: str) -> str | None:
    return re.sub("[\x00\ufffe\uffff]", "�", text) or None


# No surrogates: JSON submissions with them are refused before.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["=1+1", "'x", "_x0041_", "<r>a</r>", "a\r\nb", "\x00\x1f", " a ", "\u200b", "1e5", "TRUE", "2010-12-01", "#N/A"]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(TEXTS, min_size=6, max_size=6), min_size=1, max_size=30))
def test_any_texts_survive_the_way_out_and_back(rows: list[list[str]]) -> None:
    content = write(*[make_open(index, cells) for index, cells in enumerate(rows)])

    read = [row.cells[:6] for row in sheet_of(content).rows]

    written = [tuple("<r>a</r> " if cell == "<r>a</r>" else _kept(cell) for cell in cells) for cells in rows]
    assert read == written


@pytest.mark.parametrize("language", ["en", "zh"])
def test_filled_template_makes_an_order(language: Language) -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_template(language)))
    sheet = book.worksheets[0]
    filled = {"order_no": "0012", "order_time": "2010-12-01 08:26:00", "line": 1, "sku": "007", "quantity": 6}
    for place, field in enumerate(TITLES, start=1):
        sheet.cell(2, place, {**filled, "unit_price": 2.55}.get(field))
    content = io.BytesIO()
    book.save(content)

    read = sheet_of(content.getvalue())
    (order,) = to_orders(read, match_columns(read.titles))

    assert order.order == {
        "order_no": "0012",
        "order_time": "2010-12-01 08:26:00",
        "lines": [{"sku": "007", "quantity": 6, "unit_price": 2.55}],
    }
    assert match_columns(read.titles).ignored == ()


def test_template_keeps_codes_as_text_and_explains_each_column() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_template("zh")))
    table, notes = book.worksheets

    formats = {field: table.column_dimensions[chr(ord("A") + place)] for place, field in enumerate(TITLES)}

    assert formats["sku"].number_format == formats["order_no"].number_format == "@"
    assert formats["quantity"].number_format == "General"
    assert [row[0].value for row in notes] == [cell.value for cell in table[1]]
    assert all(row[1].value for row in notes)
