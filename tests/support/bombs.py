"""Uploads made to hurt whoever reads them; each is small as a file and made anew by the tests."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable

from tests.support.order_files import (
    TITLES,
    csv_bytes,
    pack,
    shared_strings_xml,
    sheet_xml,
    text_row,
    workbook_parts,
)

_MIB = 1024 * 1024
_LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
_DOCTYPE = f'<!DOCTYPE s [<!ENTITY l0 "ha">{_LAUGHS}]>'
_TITLE_ROW = text_row(1, *TITLES)


def one_huge_cell() -> bytes:
    """300 KB that unpack to a shared text of 300 MB."""
    content = io.BytesIO(pack(workbook_parts(sheet_xml(_TITLE_ROW))))
    with (
        zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as package,
        package.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
    ):
        part.write(b"<sst><si><t>")
        for _ in range(300):
            part.write(b"x" * _MIB)
        part.write(b"</t></si></sst>")
    return content.getvalue()


def last_cell_of_all() -> bytes:
    """Two cells: A1 and XFD1048576."""
    return pack(workbook_parts(sheet_xml(_TITLE_ROW + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')))


def many_rows() -> bytes:
    """400,000 rows."""
    rows = "".join(f'<row r="{row}"><c r="A{row}"><v>{row * 7919}</v></c></row>' for row in range(2, 400_002))
    return pack(workbook_parts(sheet_xml(_TITLE_ROW + rows)))


def billion_laughs_in_sheet() -> bytes:
    """Entities that expand tenfold nine times, in a cell."""
    row = '<row r="2"><c t="inlineStr"><is><t>&l9;</t></is></c></row>'
    xml = sheet_xml(_TITLE_ROW + row)
    return pack(workbook_parts(xml.replace("<worksheet", f"{_DOCTYPE}<worksheet", 1)))


def billion_laughs_in_texts() -> bytes:
    """The same among the shared texts."""
    row = '<row r="2"><c t="s"><v>0</v></c></row>'
    texts = shared_strings_xml("<si><t>&l9;</t></si>", before=_DOCTYPE)
    return pack(workbook_parts(sheet_xml(_TITLE_ROW + row), texts))


def zip_of_zips() -> bytes:
    """Zips in zips, six levels deep, and no workbook."""
    content = b"0" * _MIB
    for _ in range(6):
        content = pack({f"{place}.zip": content for place in range(10)})
    return content


def lying_sizes() -> bytes:
    """A sheet of 45 MB that the directory says has 1,000 bytes."""
    rows = _TITLE_ROW + " " * (45 * _MIB)
    packed = pack(workbook_parts(sheet_xml(rows)))
    size = len(sheet_xml(rows)).to_bytes(4, "little")
    assert packed.count(size) == 2
    return packed.replace(size, (1000).to_bytes(4, "little"))


def many_entries() -> bytes:
    """50,000 empty parts."""
    return pack({**workbook_parts(sheet_xml(_TITLE_ROW)), **{f"xl/{place}": b"" for place in range(50_000)}})


def one_text_in_every_cell() -> bytes:
    """One text of 32,767 characters that 200,000 cells refer to: 6.5 GB where each gets a copy."""
    cell = '<c t="s"><v>0</v></c>'
    rows = "".join(f'<row r="{row}">{cell * 100}</row>' for row in range(2, 2_002))
    noise = os.urandom(_MIB).hex()  # keeps the ratio of packing low
    texts = shared_strings_xml(f"<si><t>{'x' * 32_767}</t></si><si><t>{noise}</t></si>")
    return pack(workbook_parts(sheet_xml(_TITLE_ROW + rows), texts))


def huge_texts() -> bytes:
    """45 MB of shared texts, well packed."""
    noise = os.urandom(16_000).hex()
    items = "".join(f"<si><t>{place}{noise}</t></si>" for place in range(1_400))
    row = '<row r="2"><c t="s"><v>0</v></c></row>'
    return pack(workbook_parts(sheet_xml(_TITLE_ROW + row), shared_strings_xml(items)))


def millions_of_elements() -> bytes:
    """Eleven million empty elements."""
    noise = os.urandom(_MIB // 2).hex()
    return pack(workbook_parts(sheet_xml(f"{_TITLE_ROW}<!-- {noise} -->" + "<a/>" * 11_000_000)))


def millions_of_cells() -> bytes:
    """Two million cells, inside of the rows and columns that are taken."""
    cells = "<c><v>1</v></c>" * 100
    rows = "".join(f"<row>{cells}</row>" for _ in range(20_000))
    noise = os.urandom(_MIB // 2).hex()
    return pack(workbook_parts(sheet_xml(f"{_TITLE_ROW}<!-- {noise} -->{rows}")))


def deep_nesting() -> bytes:
    """Five million elements inside one another."""
    noise = os.urandom(_MIB // 2).hex()
    return pack(workbook_parts(sheet_xml(f"{_TITLE_ROW}<!-- {noise} -->" + "<a>" * 5_000_000)))


def truncated() -> bytes:
    """The first half of a workbook."""
    whole = pack(workbook_parts(sheet_xml(_TITLE_ROW + text_row(2, *"ABCDE"))))
    return whole[: len(whole) // 2]


def encrypted_entries() -> bytes:
    """A zip whose entries are marked as encrypted."""
    packed = bytearray(pack(workbook_parts(sheet_xml(_TITLE_ROW))))
    place = packed.find(b"PK\x01\x02")
    while place >= 0:
        packed[place + 8] |= 1
        place = packed.find(b"PK\x01\x02", place + 4)
    return bytes(packed)


def encrypted_workbook() -> bytes:
    """What Excel wraps a workbook with a password into: an OLE file."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 1000


def old_workbook() -> bytes:
    """The beginning of a .xls."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000 + "Workbook".encode("utf-16-le") + b"\0" * 1000


def macros() -> bytes:
    """A workbook with a macro project."""
    return pack({**workbook_parts(sheet_xml(_TITLE_ROW)), "xl/vbaProject.bin": b"\0" * 100})


def binary_workbook() -> bytes:
    """A .xlsb."""
    return pack({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": b"\0" * 100})


def external_link() -> bytes:
    """A cell calculated from a book elsewhere, and the part that says where."""
    cell = '<c r="A2"><f>[1]Sheet1!A1</f><v>7</v></c>'
    link = '<externalLink><externalBook r:id="rId1"/></externalLink>'
    parts = workbook_parts(sheet_xml(f'{_TITLE_ROW}<row r="2">{cell}</row>'))
    return pack({**parts, "xl/externalLinks/externalLink1.xml": link})


def open_quote() -> bytes:
    """A .csv of 8 MB after a quotation mark that is never closed."""
    return csv_bytes(TITLES) + b'"' + b"x\n" * (4 * _MIB - 100)


def one_field_each() -> bytes:
    """A .csv of one record of eight million fields."""
    return csv_bytes(TITLES) + b"," * (8 * _MIB - 100) + b"1"


def blank_lines() -> bytes:
    """A .csv of eight million lines, the last one with something in it."""
    return csv_bytes(TITLES) + b"\n" * (8 * _MIB - 100) + b"1"


def nul_bytes() -> bytes:
    """Eight million NULs."""
    return b"\0" * (8 * _MIB)


# Each with the beginning of what it is refused for.
BOMBS: dict[Callable[[], bytes], str] = {
    one_huge_cell: "The workbook unpacks to more than 50 MiB",
    last_cell_of_all: "There is something in cell XFD1048576",
    many_rows: "The file has more than 20000 rows",
    billion_laughs_in_sheet: "The workbook is damaged or was not written by a spreadsheet program (DOCTYPE)",
    billion_laughs_in_texts: "The workbook is damaged",
    zip_of_zips: "The file is no .xlsx workbook",
    lying_sizes: "The workbook is damaged",
    many_entries: "The workbook is packed from more than 1000 parts",
    one_text_in_every_cell: "Reading the file takes more memory than is allowed",
    huge_texts: "The workbook unpacks to more than 100:1",
    millions_of_elements: "The sheet has too many cells",
    millions_of_cells: "The sheet has too many cells",
    deep_nesting: "Reading the file takes more memory than is allowed",
    truncated: "The workbook is damaged",
    encrypted_entries: "The workbook is protected by a password",
    encrypted_workbook: "The workbook is protected by a password",
    old_workbook: "This is an old .xls workbook",
    macros: "The workbook has macros",
    binary_workbook: "This is a binary .xlsb workbook",
    open_quote: "Row 2 has a value of more than 32767 characters",
    one_field_each: "Reading the file takes more memory than is allowed",
    blank_lines: "The file has more than 20000 rows",
    nul_bytes: "The file is neither",
}
# Harmless, whatever it looks like: read, within the same bounds.
HARMLESS: dict[Callable[[], bytes], str] = {
    external_link: "read 1 rows",
}
