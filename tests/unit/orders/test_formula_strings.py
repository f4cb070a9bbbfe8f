"""Forty strings that programs may take for formulas, through every format, reopened: none is one (RELIABILITY S-g)."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

import openpyxl
import pytest

from gm_service.orders.exports.csv_writer import defuse
from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.formulas import begins_like_formula
from tests.support.export_rows import make_detail, write_file

FORMULAS = [
    "=1+1",
    "=A1",
    "=SUM(A1:A9)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://127.0.0.1","click")',
    '=IMPORTXML("http://127.0.0.1/"&A1,"//a")',
    '=WEBSERVICE("http://127.0.0.1/"&A1)',
    '=DDE("cmd";"/C calc";"x")',
    "=2+5+cmd|' /C calc'!A0",
    "={1,2}",
    "==1",
    "='Sheet'!A1",
    "=",
    "+1+1",
    "+cmd|' /C calc'!A0",
    "+SUM(A1)",
    "++1",
    "+86 138 0000 0000",
    "-1+1",
    "-cmd|' /C calc'!A0",
    "--1",
    "-2+3+cmd|' /C calc'!A0",
    "- leave at door",
    "@SUM(A1)",
    "@cmd|' /C calc'!A0",
    "@A1",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    "\tplain",
    " =1+1",
    "   @SUM(A1)",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "＝1+1",
    "＋1+1",
    "＠SUM(A1)",
]
SPREADSHEETS = [name for name, profile in PROFILES.items() if profile.kind == "xlsx"]
OTHERS = {"house_csv", "yongyou_xml", "yongyou_voucher"}
# Every field of people's that some format has a column for.
ORDERS = [
    [make_detail(order_no=text, buyer_code=text, buyer_name=text, sku_code=text, sku_name=text, unit=text, remark=text)]
    for text in FORMULAS
]


def test_the_forty_are_forty_and_every_format_is_tried() -> None:
    assert len(set(FORMULAS)) == 40
    assert {*SPREADSHEETS, *OTHERS} == set(PROFILES)


@pytest.mark.parametrize("format_name", SPREADSHEETS)
def test_no_cell_is_a_formula_in_xlsx(format_name: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(write_file(format_name, ORDERS))).worksheets[0]

    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    hostile = [cell for cell in cells if isinstance(cell.value, str) and begins_like_formula(cell.value)]
    assert len(hostile) >= 5 * len(FORMULAS)
    assert {cell.data_type for cell in hostile} <= {"s", "inlineStr"}


def test_no_field_begins_like_a_formula_in_csv() -> None:
    text = write_file("house_csv", ORDERS).decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert [row[0] for row in rows[1:-1]] == [f"'{each}" for each in FORMULAS]
    assert [field for row in rows for field in row if begins_like_formula(field)] == []


def test_no_field_begins_like_a_formula_in_a_voucher_file() -> None:
    lines = write_file("yongyou_voucher", ORDERS).decode("gbk").splitlines()

    fields = [field for line in lines for field in line.split(",")]
    assert len(lines) == 1 + 3 * len(FORMULAS)
    assert [field for field in fields if begins_like_formula(field)] == []


def test_xml_keeps_the_very_text() -> None:
    root = ElementTree.fromstring(write_file("yongyou_xml", ORDERS))

    assert [each.findtext("header/memo") for each in root] == FORMULAS


def test_no_letter_or_digit_begins_a_formula() -> None:
    letters = (chr(number) for number in range(0x110000) if chr(number).isalnum())

    assert [letter for letter in letters if defuse(letter) != letter or begins_like_formula(letter)] == []
