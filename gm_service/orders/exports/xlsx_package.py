"""The parts of an .xlsx file around its rows, and the zip archive that holds them; knows nothing of orders.

Source: ECMA-376 part 1 (SpreadsheetML). Neither the present time nor the machine shows in the bytes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import IO
from xml.sax.saxutils import quoteattr

# More would need fields of zip64 in front of the sheet, before its size is known; not every program reads those.
MAX_SHEET_BYTES = 2_000_000_000
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that an archive can say
_COMPRESSION_LEVEL = 3
_BUFFER_BYTES = 128 * 1024

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FIRST_FREE_FORMAT = 164  # those below are built in
_FONT = '<sz val="11"/><name val="Calibri"/><family val="2"/>'


class Package:
    """Writes one .xlsx onto a stream that can seek: sheets one after the other, then what names them."""

    def __init__(self, file: IO[bytes], number_formats: Sequence[str], max_sheet_bytes: int = MAX_SHEET_BYTES) -> None:
        self._archive = _Archive(file, "w", zipfile.ZIP_DEFLATED)
        self._max_sheet_bytes = max_sheet_bytes
        self._number_formats = number_formats
        self._names: list[str] = []

    def open_sheet(self, name: str, widths: Sequence[float]) -> Sheet:
        """Begin a sheet whose first row stays in sight; the one before must be closed."""
        self._names.append(name)
        part = self._archive.open(_entry(f"xl/worksheets/sheet{len(self._names)}.xml"), "w")
        sheet = Sheet(part, self._max_sheet_bytes)
        sheet.write(_sheet_start(widths, is_first=len(self._names) == 1))
        return sheet

    def close(self) -> None:
        """Complete the archive; the stream stays open."""
        parts = {
            "xl/workbook.xml": _workbook(self._names),
            "xl/_rels/workbook.xml.rels": _workbook_relations(len(self._names)),
            "xl/styles.xml": _styles(self._number_formats),
            "_rels/.rels": _root_relations(),
            "[Content_Types].xml": _content_types(len(self._names)),
        }
        for name, text in parts.items():
            self._archive.writestr(_entry(name), _DECLARATION + text)
        self._archive.close()


class Sheet:
    """A sheet that rows are written to."""

    def __init__(self, part: IO[bytes], max_bytes: int) -> None:
        self._part = part
        self._max_bytes = max_bytes
        self._waiting: list[str] = []
        self._waiting_size = 0
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Tell whether the sheet should take no more rows, however few it has."""
        return self._bytes + self._waiting_size > self._max_bytes

    def write(self, xml: str) -> None:
        """Add text of the sheet's XML."""
        self._waiting.append(xml)
        self._waiting_size += len(xml)
        if self._waiting_size >= _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Complete the sheet."""
        self.write("</sheetData></worksheet>")
        self._flush()
        self._part.close()

    def _flush(self) -> None:
        self._bytes += self._part.write("".join(self._waiting).encode())
        self._waiting.clear()
        self._waiting_size = 0


class _Archive(zipfile.ZipFile):
    """An archive that, given up halfway, is left as it is: its file is going to be removed anyway."""

    def __del__(self) -> None:
        """Don't complete it, as the library would."""


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry._compresslevel = _COMPRESSION_LEVEL  # type: ignore[attr-defined]
    entry.create_system = 0
    return entry


def _sheet_start(widths: Sequence[float], *, is_first: bool) -> str:
    columns = "".join(
        f'<col min="{place}" max="{place}" width="{width}" customWidth="1"/>' for place, width in enumerate(widths, 1)
    )
    selected = ' tabSelected="1"' if is_first else ""
    return (
        f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView{selected} workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft"/>'
        f"</sheetView></sheetViews><cols>{columns}</cols><sheetData>"
    )


def _workbook(names: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{place}" r:id="rId{place}"/>' for place, name in enumerate(names, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>{sheets}</sheets></workbook>'


def _workbook_relations(sheets: int) -> str:
    targets = [("worksheet", f"worksheets/sheet{place}.xml") for place in range(1, sheets + 1)]
    return _relations([*targets, ("styles", "styles.xml")])


def _root_relations() -> str:
    return _relations([("officeDocument", "xl/workbook.xml")])


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{place}" Type="{_RELATION}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _content_types(sheets: int) -> str:
    parts = [(f"/xl/worksheets/sheet{place}.xml", "worksheet") for place in range(1, sheets + 1)]
    parts += [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    each = "".join(f'<Override PartName="{name}" ContentType="{_CONTENT}.{kind}+xml"/>' for name, kind in parts)
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{each}</Types>'
    )


def _styles(number_formats: Sequence[str]) -> str:
    """Return the styles: the plain one, each number format, and the same in bold."""
    numbered = list(enumerate(number_formats, _FIRST_FREE_FORMAT))
    formats = "".join(f'<numFmt numFmtId="{id}" formatCode={quoteattr(code)}/>' for id, code in numbered)
    ids = [0, *(id for id, _code in numbered)]
    styles = "".join(
        f'<xf numFmtId="{id}" fontId="{font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
        for font in (0, 1)
        for id in ids
    )
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="{len(numbered)}">{formats}</numFmts>'
        f'<fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{2 * len(ids)}">{styles}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
