"""Files as an independent reader sees them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from gm_service.orders.exports.csv_writer import CsvWriter
from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.exports.rows import OrderDetail
from gm_service.orders.exports.xlsx_writer import XlsxWriter
from gm_service.orders.models import OrderStatus
from tests.support.export_rows import make_detail

DETAIL = make_detail(
    order_no="00123456789012345678",
    status=OrderStatus.CANCELLED,
    buyer_name="Ann",
    quantity="-6.500",
    amount="-16.58",
)
HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://127.0.0.1")',
    "\n=1",
    "\u200b=1",
    "\ufeff=1",
    "\u00a0=1",
    "＝1",
    "＠SUM(A1)",
    "- leave at door",
    "{=1+1}",
    "http://127.0.0.1/x",
    "mailto:a@b",
    "<r><t>x</t></r>",
    "<r>&broken",
    "]]>",
    "a\x01b",
    "a\ufffeb",
    "a\ud800b",
    "_x0041_",
    "1e400",
    "TRUE",
]


def write_xlsx(rows: list[OrderDetail], **options: Any) -> bytes:
    file = io.BytesIO()
    writer = XlsxWriter(PROFILES["house"], file, "en", **options)
    writer.write_order(rows)
    writer.close()
    return file.getvalue()


def write_csv(rows: list[OrderDetail]) -> list[list[str]]:
    file = io.BytesIO()
    writer = CsvWriter(PROFILES["house_csv"], file, "zh")
    writer.write_order(rows)
    writer.close()
    return list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))


def test_house_file_keeps_types_and_leading_zeros() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(write_xlsx([DETAIL])))["Orders"]

    header, row, total = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert header[:3] == ["Order number", "Order time", "Receive date"]
    assert row[:5] == [
        "00123456789012345678",
        datetime(2010, 12, 1, 8, 26, 30),
        datetime(2010, 12, 2),
        "全天",
        "Cancelled",
    ]
    assert row[5:] == ["017850", "Ann", "EIRE", 1, "85123A", "WHITE LANTERN", -6.5, "pcs", 2.55, -16.58, None]
    assert (total[0], total[14], set(total[1:14] + total[15:])) == ("Total", -16.58, {None})
    assert sheet.freeze_panes == "A2"
    assert sheet["O2"].number_format == "0.00"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_in_xlsx(text: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(write_xlsx([replace(DETAIL, remark=text)])))["Orders"]

    cell = sheet["P2"]
    assert cell.data_type in ("s", "inlineStr")
    assert cell.hyperlink is None
    expected = text.replace("\ufffe", "�").replace("\ud800", "�")
    assert unescape(str(cell.value)).strip(" ") == expected.strip(" ")


@pytest.mark.parametrize("text", [text for text in HOSTILE if re.match(r"[\s\u200b\ufeff]*[=+@＝＠-]", text)])
def test_formula_gets_an_apostrophe_in_csv(text: str) -> None:
    _header, row, _total = write_csv([replace(DETAIL, remark=text)])

    assert row[-1] == f"'{text}"


def test_csv_has_plain_numbers_and_chinese_titles() -> None:
    header, row, total = write_csv([DETAIL])

    assert header[:2] == ["订单号", "下单时间"]
    assert row[:5] == ["00123456789012345678", "2010-12-01 08:26:30", "2010-12-02", "全天", "已取消"]
    assert row[11:15] == ["-6.5", "pcs", "2.5500", "-16.58"]
    assert (total[0], total[14], set(total[1:14] + total[15:])) == ("合计", "-16.58", {""})


def test_same_rows_give_the_same_bytes() -> None:
    assert write_xlsx([DETAIL]) == write_xlsx([DETAIL])


def test_every_profile_has_titles_in_both_languages() -> None:
    for profile in PROFILES.values():
        assert all(column.title("en") and column.title("zh") for column in profile.columns)
