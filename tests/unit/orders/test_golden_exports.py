"""Each format's file is the one that was agreed on, as an independent reader sees it."""

from __future__ import annotations

import csv
import io
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest

from gm_service.orders.exports.profiles import PROFILES
from tests.support.export_rows import GOLDEN_DIR, SAMPLE_ORDERS, SAMPLE_SETTINGS, golden_file, write_file


def write_sample(format_name: str) -> bytes:
    return write_file(format_name, SAMPLE_ORDERS, yongyou=SAMPLE_SETTINGS)


def read_xlsx(content: bytes) -> list[dict[str, Any]]:
    """Return all that a person sees of a workbook; not its bytes, which are the writing library's affair."""
    return [
        {
            "title": sheet.title,
            "frozen": sheet.freeze_panes,
            "widths": {letter: size.width for letter, size in sheet.column_dimensions.items()},
            "rows": [
                [(cell.value, cell.data_type, cell.number_format, cell.font.b) for cell in row]
                for row in sheet.iter_rows()
            ],
        }
        for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets
    ]


def read_as_dicts(rows: list[list[str]], *, below: int) -> list[dict[str, str]]:
    """Return the rows below the first by its titles; `below` many rows at the end are left out."""
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1 : len(rows) - below]]


@pytest.mark.parametrize("format_name", [name for name, each in PROFILES.items() if each.kind == "xlsx"])
def test_workbook_is_as_agreed(format_name: str) -> None:
    made = read_xlsx(write_sample(format_name))

    assert made == read_xlsx(golden_file(format_name).read_bytes())


@pytest.mark.parametrize("format_name", [name for name, each in PROFILES.items() if each.kind != "xlsx"])
def test_text_file_is_as_agreed_to_the_byte(format_name: str) -> None:
    made = write_sample(format_name)

    assert made == golden_file(format_name).read_bytes()


def test_every_golden_file_belongs_to_a_format() -> None:
    assert {path.name for path in GOLDEN_DIR.iterdir()} == {golden_file(name).name for name in PROFILES}


def test_house_csv_is_read_by_a_csv_reader() -> None:
    text = golden_file("house_csv").read_bytes().decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert [row["订单号"] for row in read_as_dicts(rows, below=1)] == [line.order_no for line in sample_lines()]
    assert [row["客户名称"] for row in read_as_dicts(rows, below=1)] == [line.buyer_name for line in sample_lines()]
    assert (rows[-1][0], rows[-1][14]) == ("合计", str(sum(line.amount for line in sample_lines())))


def test_yongyou_workbook_has_no_total_that_u8_would_take_for_an_order() -> None:
    [sheet] = read_xlsx(golden_file("yongyou").read_bytes())

    assert [row[1][0] for row in sheet["rows"][1:]] == [line.order_no for line in sample_lines()]
    assert [row[3][0] for row in sheet["rows"][1:]][-1] == "00042"


def test_yongyou_xml_is_read_by_an_xml_parser() -> None:
    root = ElementTree.fromstring(golden_file("yongyou_xml").read_bytes())

    assert (root.tag, root.get("roottag"), root.get("proc"), root.get("sender")) == (
        "ufinterface",
        "saleorder",
        "add",
        "222",
    )
    documents = root.findall("saleorder")
    assert [each.findtext("header/code") for each in documents] == [rows[0].order_no for rows in SAMPLE_ORDERS]
    assert [len(each.findall("body/entry")) for each in documents] == [len(rows) for rows in SAMPLE_ORDERS]
    assert documents[0].findtext("header/custcode") == "C-0001"
    assert [each.findtext("tax") for each in documents[0].iter("entry")] == ["0.12", "0.12", "0.11"]
    assert documents[-1].findtext("header/cusname") == SAMPLE_ORDERS[-1][0].buyer_name
    assert documents[-1].findtext("header/memo") == "=1+1 <b>&amp;\ufffd\r"


def test_yongyou_voucher_is_read_as_gbk_text() -> None:
    lines = golden_file("yongyou_voucher").read_bytes().decode("gbk").split("\r\n")

    assert (lines[0], lines[-1]) == ("填制凭证,V800", "")
    entries = [line.split(",") for line in lines[1:-1]]
    assert {len(entry) for entry in entries} == {21}
    vouchers = {(entry[0], entry[2]) for entry in entries}
    assert vouchers == {("2010-12-02", "1"), ("2010-12-02", "2"), ("2010-12-02", "3"), ("2011-01-03", "1")}
    assert [entry[17] for entry in entries if entry[5] == "112201"] == ["C-0001", "C-0001", "C-0001", "00042"]


def sample_lines() -> list[Any]:
    return [line for rows in SAMPLE_ORDERS for line in rows]
