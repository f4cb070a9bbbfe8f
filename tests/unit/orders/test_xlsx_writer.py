"""The .xlsx writer's sheets, widths, totals and texts, as independent readers see them."""

from __future__ import annotations

import io
import sys
import tracemalloc
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from gm_service.orders.exports.columns import CellType, ExportColumn
from gm_service.orders.exports.profiles import PROFILES, Balance, Profile
from gm_service.orders.exports.rows import OrderDetail
from gm_service.orders.exports.xlsx_cells import column_name
from gm_service.orders.exports.xlsx_package import Package
from gm_service.orders.exports.xlsx_writer import XlsxWriter
from gm_service.orders.models import OrderStatus
from tests.support.export_rows import make_detail

DETAIL = make_detail(buyer_name="Ann", quantity="6.500", amount="16.58")
REMARK, SKU_NAME, LINE, AMOUNT = "P", "K", "I", "O"
PLACES = {"remark": REMARK, "sku_name": SKU_NAME}
LONGEST_TEXTS = {
    "order_no": 64,
    "cycle_name": 64,
    "buyer_code": 64,
    "buyer_name": 128,
    "area": 64,
    "sku_code": 64,
    "sku_name": 255,
    "unit": 16,
    "remark": 500,
}
"""the columns of people's texts, and how many characters the database takes"""


def write(*orders: Sequence[OrderDetail], profile: Profile = PROFILES["house"], **options: Any) -> bytes:
    file = io.BytesIO()
    writer = XlsxWriter(profile, file, "en", **options)
    for rows in orders:
        writer.write_order(rows)
    writer.close()
    return file.getvalue()


def read(content: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def column(sheet: Worksheet, letter: str) -> list[Any]:
    return [cell.value for cell in sheet[letter]][1:]


def lines(count: int, **changes: Any) -> list[OrderDetail]:
    return [replace(DETAIL, line_no=number, **changes) for number in range(1, count + 1)]


@pytest.mark.parametrize("field", PLACES)
@pytest.mark.parametrize(
    "text",
    [
        "100%",
        "%s %(n)d %%",
        "\x00 and \x01",
        "_x0041_x0042_ _x00ZZ_",
        "a\rb\r\nc\nd\te",
        "  spaces  ",
        "\u3000全角\u3000",
        "<is>&amp;</is> ]]> \"'",
        "😀",
        "=1+1",
        "123456789012345678",
    ],
)
def test_texts_come_back_as_they_were(field: str, text: str) -> None:
    cell = read(write([replace(DETAIL, **{field: text})]))["Orders"][f"{PLACES[field]}2"]

    assert cell.data_type in ("s", "inlineStr")
    assert unescape(str(cell.value)) == text


def test_lines_of_an_order_share_only_what_is_the_orders() -> None:
    first = replace(DETAIL, line_no=1, sku_name="one", quantity=Decimal(1), unit="kg")
    second = replace(DETAIL, line_no=2, sku_name="two", quantity=Decimal(2), unit="box")
    other = replace(DETAIL, order_no="A-2", remark="other", status=OrderStatus.CANCELLED)

    sheet = read(write([first, second], [other]))["Orders"]

    rows = [[sheet[f"{letter}{row}"].value for letter in "AEKLMP"] for row in (2, 3, 4)]
    assert rows == [
        ["A-1", "Confirmed", "one", 1, "kg", None],
        ["A-1", "Confirmed", "two", 2, "box", None],
        ["A-2", "Cancelled", "WHITE LANTERN", 6.5, "pcs", "other"],
    ]


def test_another_reader_agrees() -> None:
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(write([DETAIL])))

    rows = workbook.get_sheet_by_name("Orders").to_python()

    assert rows[1] == [
        "A-1",
        datetime(2010, 12, 1, 8, 26, 30),
        date(2010, 12, 2),
        "全天",
        "Confirmed",
        "017850",
        "Ann",
        "EIRE",
        1.0,
        "85123A",
        "WHITE LANTERN",
        6.5,
        "pcs",
        2.55,
        16.58,
        "",
    ]


@pytest.mark.parametrize("letter", ["B", "C", "N", "O"])
def test_numbers_and_dates_keep_their_formats_on_every_sheet(letter: str) -> None:
    *sheets, _totals = read(write(lines(3), max_sheet_rows=2))

    formats = {"B": "yyyy-mm-dd hh:mm:ss", "C": "yyyy-mm-dd", "N": "0.00##", "O": "0.00"}
    assert {sheet[f"{letter}2"].number_format for sheet in sheets} == {formats[letter]}


def test_an_order_goes_on_in_the_next_sheet() -> None:
    workbook = read(write(lines(2), lines(5), max_sheet_rows=4))

    assert {sheet.title: column(sheet, LINE) for sheet in workbook} == {
        "Orders": [1, 2, 1],
        "Orders 2": [2, 3, 4],
        "Orders 3": [5, None],
    }


def test_every_sheet_has_its_bold_header_in_sight() -> None:
    workbook = read(write(lines(7), max_sheet_rows=3))

    assert len(workbook.sheetnames) == 4
    for sheet in workbook:
        assert (sheet.freeze_panes, sheet["A1"].value, sheet["A1"].font.bold) == ("A2", "Order number", True)
        assert not sheet["A2"].font.bold or sheet["A2"].value == "Total"


@pytest.mark.parametrize(("rows", "sheets"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_totals_stand_once_behind_the_last_row(rows: int, sheets: int) -> None:
    workbook = read(write(*([row] for row in lines(rows)), max_sheet_rows=3))

    assert len(workbook.sheetnames) == sheets
    labels = [value for sheet in workbook for value in column(sheet, "A")]
    assert labels == ["A-1"] * rows + ["Total"]
    last = workbook.worksheets[-1]
    total = last[f"{AMOUNT}{last.max_row}"]
    assert (total.value, total.number_format, total.font.bold) == (float(rows * DETAIL.amount), "0.00", True)


def test_totals_are_exact_where_floats_are_not() -> None:
    rows = [replace(DETAIL, amount=Decimal(text)) for text in ("1000000000000.10", "0.20", "-1000000000000.00")]

    sheet = read(write(rows))["Orders"]

    assert sheet[f"{AMOUNT}5"].value == 0.3


def widths(content: bytes) -> dict[str, float]:
    return {letter: each.width for letter, each in read(content)["Orders"].column_dimensions.items()}


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 30),
        ("short", 30),
        ("x" * 40, 42),
        ("汉" * 20, 42),
        ("x" * 500, 60),
    ],
)
def test_widths_fit_the_first_rows_within_bounds(text: str, width: int) -> None:
    assert widths(write([replace(DETAIL, remark=text)]))[REMARK] == width


def test_widths_look_no_further_than_the_first_rows() -> None:
    late = replace(DETAIL, remark="x" * 50)

    content = write(lines(400), [late])

    assert widths(content)[REMARK] == 30
    assert column(read(content)["Orders"], REMARK)[400] == late.remark


def test_sheets_without_rows_have_widths_too() -> None:
    assert widths(write())["B"] == 20


def test_columns_beyond_z_have_the_letters_that_readers_expect() -> None:
    columns = tuple(ExportColumn(f"T{place}", f"T{place}", "line_no", CellType.INTEGER) for place in range(60))
    wide = Profile("wide", "Wide", "宽", "xlsx", "utf-8", Balance.AS_STORED, columns)

    sheet = read(write([DETAIL], profile=wide))["Wide"]

    assert (sheet.max_column, sheet["BH2"].value) == (60, 1)
    assert [column_name(place) for place in range(800)] == [get_column_letter(place + 1) for place in range(800)]


def test_no_part_needs_zip64() -> None:
    content = write(lines(400))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        versions = {content[entry.header_offset + 4] for entry in archive.infolist()}
    assert versions == {20}


def test_a_sheet_says_when_its_bytes_are_enough() -> None:
    sheet = Package(io.BytesIO(), [], max_sheet_bytes=300_000).open_sheet("S", [10])

    told = []
    for _ in range(4):
        sheet.write("<row/>" * 20_000)
        told.append(sheet.is_full)

    assert told == [False, False, True, True]


def test_an_unfinished_file_is_given_up_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    file = io.BytesIO()
    writer = XlsxWriter(PROFILES["house"], file, "en")
    writer.write_order(lines(400))

    file.close()
    del writer

    assert complaints == []


def test_long_texts_that_never_come_again_are_not_kept() -> None:
    def order(number: int) -> list[OrderDetail]:
        texts = {name: f"{number}" + "𠮷" * (length - 8) for name, length in LONGEST_TEXTS.items()}
        return [replace(DETAIL, **texts)]

    writer = XlsxWriter(PROFILES["house"], io.BytesIO(), "en")
    tracemalloc.start()
    try:
        for number in range(9000):
            writer.write_order(order(number))
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 32_000_000, "with 8,192 texts remembered for each column it was 109 MB"
