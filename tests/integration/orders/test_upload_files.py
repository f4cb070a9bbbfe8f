"""Uploads are read as a person sees them: through real .xlsx by two writers, and .csv in the encodings of Excel."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from gm_service.orders.imports.files.reading import FileLimits, Sheet, read_sheet
from shared.errors import RuleRefused, TooLarge
from tests.support.order_files import (
    GOOD_CELLS,
    TITLES,
    csv_bytes,
    pack,
    sheet_xml,
    text_row,
    workbook_parts,
    xlsx_by_openpyxl,
    xlsx_by_xlsxwriter,
)
from tests.support.waiting import wait_for

LIMITS = FileLimits()
CHINESE = ("订单号", "下单时间", "商品编码", "数量", "单价")
CLERKS_CELLS = (
    "0012",
    "123456789012345678",
    "北京市朝阳区 88 号",
    " inner  blanks ",
    'say "hi"',
    "a\nb",
    "<b>&lt;</b>",
)


def read(content: bytes, **limits: Any) -> Sheet:
    return read_sheet(content, "orders.xlsx", replace(LIMITS, **limits))


def refusal(content: bytes, **limits: Any) -> str:
    with pytest.raises(RuleRefused) as refused:
        read(content, **limits)
    assert re.search("[\u4e00-\u9fff]", refused.value.sentence("zh"))
    return refused.value.sentence("en")


def only_cells(content: bytes) -> tuple[Any, ...]:
    (row,) = read(content).rows
    return row.cells


@pytest.mark.parametrize("write", [xlsx_by_openpyxl, xlsx_by_xlsxwriter])
def test_texts_of_a_workbook_stay_exactly(write: Any) -> None:
    content = write([f"c{place}" for place in range(len(CLERKS_CELLS))], CLERKS_CELLS)

    assert only_cells(content) == CLERKS_CELLS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_texts_of_a_csv_stay_exactly(encoding: str) -> None:
    content = csv_bytes([f"列{place}" for place in range(len(CLERKS_CELLS))], CLERKS_CELLS, encoding=encoding)

    sheet = read(content)

    assert sheet.rows[0].cells == CLERKS_CELLS
    assert sheet.titles[0] == "列0"
    assert sheet.encoding == ("gb18030" if encoding == "gbk" else encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_found_in_the_titles(delimiter: str) -> None:
    content = csv_bytes(("Order, number; all", *TITLES[1:]), GOOD_CELLS, delimiter=delimiter)

    assert only_cells(content) == tuple(str(cell) for cell in GOOD_CELLS)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (5, 5),
        (5.0, 5),
        (-3, -3),
        (2.55, 2.55),
        (0.1, 0.1),
        (999_999_999_999_999, 999_999_999_999_999),
        (True, True),
        (datetime(2010, 12, 1, 8, 26), "2010-12-01 08:26:00"),
        (datetime(2010, 12, 1, 8, 26, 59), "2010-12-01 08:26:59"),
        (datetime(2010, 12, 1), "2010-12-01"),
        (date(2010, 12, 1), "2010-12-01"),
        (None, None),
    ],
)
@pytest.mark.parametrize("write", [xlsx_by_openpyxl, xlsx_by_xlsxwriter])
def test_values_of_a_workbook(write: Any, cell: Any, expected: Any) -> None:
    read_cell = only_cells(write(("a", "b"), (cell, "x")))[0]

    assert (read_cell, type(read_cell)) == (expected, type(expected))


def test_every_second_of_a_day_survives_as_a_date() -> None:
    moments = [
        datetime(2026, 1, 31, hour, minute, second)
        for hour in (0, 7, 23)
        for minute in (1, 59)
        for second in (1, 29, 59)
    ]

    sheet = read(xlsx_by_openpyxl(["Order time"], *[[moment] for moment in moments]))

    assert [row.cells[0] for row in sheet.rows] == [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in moments]


def test_time_of_day_is_text() -> None:
    assert only_cells(xlsx_by_openpyxl(("a",), (time(8, 26),))) == ("08:26:00",)


def test_dates_of_the_1904_system() -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["Order time"])  # type: ignore[union-attr]
    book.active.append([datetime(2010, 12, 1, 8, 26)])  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)

    assert only_cells(content.getvalue()) == ("2010-12-01 08:26:00",)


def test_number_that_lost_digits_stays_a_float() -> None:
    (cell,) = only_cells(xlsx_by_openpyxl(("a",), (123456789012345678,)))

    assert isinstance(cell, float)


@pytest.mark.parametrize("write", [xlsx_by_openpyxl, xlsx_by_xlsxwriter])
def test_formula_is_read_as_its_text_never_as_its_value(write: Any) -> None:
    assert only_cells(write(("a", "b", "c"), ("=1+1", "x", "=SUM(A1:B1)"))) == ("=1+1", "x", "=SUM(A1:B1)")


def test_shared_formula_is_a_formula_in_each_cell() -> None:
    first = '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">B2*2</f><v>4</v></c></row>'
    second = '<row r="3"><c r="A3"><f t="shared" si="0"/><v>6</v></c></row>'

    sheet = read(pack(workbook_parts(sheet_xml(text_row(1, "a") + first + second))))

    assert [row.cells for row in sheet.rows] == [("=B2*2",), ("=B2*2",)]


def test_formulas_of_choices_and_marks_are_no_cells() -> None:
    lists = (
        "<extLst><ext><x14:dataValidation><x14:formula1><xm:f>Lists!A1:A9</xm:f></x14:formula1></x14:dataValidation>"
    )
    xml = sheet_xml(text_row(1, "a", "b") + text_row(2, "1", "2")).replace(
        "</sheetData>", f'</sheetData>{lists}</ext></extLst><v r="XFD9">1</v>'
    )
    declared = xml.replace("<worksheet", '<worksheet xmlns:x14="urn:x14" xmlns:xm="urn:xm"', 1)

    assert only_cells(pack(workbook_parts(declared))) == ("1", "2")


def test_error_cell_is_read_as_its_text() -> None:
    row = '<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2"><v>1</v></c></row>'

    assert only_cells(pack(workbook_parts(sheet_xml(text_row(1, "a", "b") + row)))) == ("#N/A", 1)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "inf"])
def test_number_that_no_spreadsheet_holds_is_read_as_an_error(number: str) -> None:
    row = f'<row r="2"><c r="A2"><v>{number}</v></c></row>'

    assert only_cells(pack(workbook_parts(sheet_xml(text_row(1, "a") + row)))) == ("#NUM!",)


def test_text_that_no_database_holds_shows_that_a_character_is_lost() -> None:
    xml = sheet_xml(text_row(1, "a_x0000_b", "c") + text_row(2, "85_x0000_123A", "_x0000_"))

    sheet = read(pack(workbook_parts(xml)))

    assert sheet.titles == ("a�b", "c")
    assert sheet.rows[0].cells == ("85�123A", "�")


def test_prefixed_xml_is_read_alike() -> None:
    xml = sheet_xml(text_row(1, "a") + '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>')
    prefixed = re.sub(r"<(/?)(?=[a-z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x=")

    assert only_cells(pack(workbook_parts(prefixed))) == ("=1+1",)


@pytest.mark.parametrize("write", [xlsx_by_openpyxl, csv_bytes])
def test_blank_rows_and_columns_are_left_out_but_rows_keep_their_numbers(write: Any) -> None:
    rows = [(), ("", ""), ("a", "b", None, None), (1, 2), (), (), (3, None, None)]

    sheet = read(write(*rows))

    assert sheet.titles == ("a", "b")
    assert [row.number for row in sheet.rows] == [4, 7]
    assert [len(row.cells) for row in sheet.rows] == [2, 2]


def test_record_over_several_lines_counts_as_one_row() -> None:
    sheet = read(b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n')

    assert [(row.number, row.cells) for row in sheet.rows] == [(2, ("1", "x\r\ny")), (3, ("2", "z"))]


def test_first_visible_sheet_with_data_is_read_and_the_others_are_named() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Empty"  # type: ignore[union-attr]
    for name in ("Hidden", "订单", "Notes"):
        book.create_sheet(name).append([name])
        book[name].append([1])
    book["Hidden"].sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)

    sheet = read(content.getvalue())

    assert (sheet.sheet_name, sheet.titles, sheet.other_sheets) == ("订单", ("订单",), ("Empty", "Notes"))


def test_content_decides_whatever_the_name_says() -> None:
    content = csv_bytes(TITLES, GOOD_CELLS)

    assert read_sheet(content, "orders.xlsx", LIMITS).kind == "csv"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \r\n\r\n", "The file is empty."),
        (csv_bytes(TITLES), "The file has a title line but no rows under it."),
        (xlsx_by_openpyxl(TITLES), "The file has a title line but no rows under it."),
        (xlsx_by_openpyxl(), "No visible sheet of the workbook has anything in it."),
        (b"a,b\n\xff\xff,1\n", "The file is neither a .xlsx workbook nor a text that can be read"),
        ("a,b\n1,2".encode("utf-16-le"), "The file is neither a .xlsx workbook nor a text that can be read"),
        (b'a,b\n1,"2\n3,4\n', "A quotation mark is not closed"),
        (b'a,b\n1,2\n"3"x,4\n', "A quotation mark is not closed"),
        (pack({"word/document.xml": "<w/>"}), "The file is no .xlsx workbook"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(content: bytes, sentence: str) -> None:
    assert refusal(content).startswith(sentence)


@pytest.mark.parametrize("write", [xlsx_by_openpyxl, csv_bytes])
def test_limits_are_exact(write: Any) -> None:
    rows = [("a", "b"), ("1", "xxx"), ("2", "yyy")]
    content = write(*rows)

    assert len(read(content, max_rows=2, max_columns=2, max_cell_characters=3).rows) == 2
    assert refusal(content, max_rows=1).startswith("The file has more than 1 rows")
    assert refusal(content, max_columns=1).startswith("Row 1 has more than 1 columns")
    assert "more than 2 characters" in refusal(content, max_cell_characters=2)


def test_row_of_a_bad_quotation_mark_is_named() -> None:
    assert refusal(b'a,b\n1,2\n"3"x,4\n').endswith("in the record that begins in row 3.")


def test_too_many_bytes_are_too_large() -> None:
    with pytest.raises(TooLarge):
        read(b"a,b\n1,2\n", max_bytes=7)


def test_too_slow_a_read_is_a_refusal() -> None:
    assert refusal(csv_bytes(TITLES, GOOD_CELLS), read_seconds=0.001).startswith("The file could not be read within")


def test_reading_in_too_little_memory_is_a_refusal() -> None:
    assert refusal(csv_bytes(TITLES, GOOD_CELLS), read_memory_mib=8) != ""


WHOLE = (xlsx_by_openpyxl(TITLES, GOOD_CELLS), xlsx_by_xlsxwriter(TITLES, GOOD_CELLS), csv_bytes(TITLES, GOOD_CELLS))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 9999), st.binary(max_size=3)), min_size=1, max_size=8))
def test_damaged_file_is_refused_or_read_and_nothing_else(whole: bytes, changes: list[tuple[int, bytes]]) -> None:
    damaged = bytearray(whole)
    for place, new in changes:
        damaged[place % len(whole) : place % len(whole) + 2] = new

    with suppress(RuleRefused):
        assert read(bytes(damaged)).rows


def test_files_are_read_two_at_a_time_and_all_are_read() -> None:
    content = csv_bytes(TITLES, GOOD_CELLS)

    with ThreadPoolExecutor(6) as pool:
        sheets = list(pool.map(read, [content] * 6))

    assert [len(sheet.rows) for sheet in sheets] == [1] * 6


def test_child_dies_with_its_parent() -> None:
    root = Path(__file__).resolve().parents[3]
    # The parent starts the reading child, which waits for its file for ever, and tells its id.
    code = (
        "import json, os, subprocess, sys; from dataclasses import asdict;"
        "from gm_service.orders.imports.files import reading;"
        "child = subprocess.Popen(reading.CHILD, stdin=subprocess.PIPE, start_new_session=True);"
        "request = {'limits': asdict(reading.FileLimits()), 'parent': os.getpid()};"
        "child.stdin.write(json.dumps(request).encode() + b'\\nabc'); child.stdin.flush();"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    wait_for(lambda: _death_signal_is_set(child))
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    wait_for(lambda: not _is_running(child))


def _death_signal_is_set(pid: int) -> bool:
    """Tell by the last limit that the child sets on itself, after it asked to die with its parent."""
    return re.search(r"Max core file size +0 +0", Path(f"/proc/{pid}/limits").read_text()) is not None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
