"""Looks through a sheet's XML before its cells are loaded: how far it reaches, its formulas and its error cells."""

from __future__ import annotations

import re

from gm_service.orders.imports.files.limits import BLANK_ROWS, FileLimits
from gm_service.orders.imports.files.refusals import FileRefused
from gm_service.orders.imports.files.xml_parts import make_parser, parse

Place = tuple[int, int]
"""row and column, from 1"""
_MAX_ELEMENTS = 2_000_000
"""two or three for each cell with a value, so 33 columns of 20,000 rows: more are there to keep the reader busy"""
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class SheetScan:
    """What one pass over a sheet's XML finds.

    Raises (all): FileRefused when a cell stands outside of what is taken, or the sheet is no sheet.
    """

    def __init__(self, limits: FileLimits) -> None:
        self._limits = limits
        self._elements = 0
        self._rows = 0
        self._row = 0
        self._column = 0
        self._last: Place = (0, 0)
        self._kind = ""
        self._text: list[str] = []
        self._shared: dict[str, str] = {}
        self.formulas: dict[Place, str] = {}
        """the formula of each calculated cell, without its `=`"""
        self.errors: dict[Place, str] = {}
        """such as #N/A, by place"""

    @property
    def has_data(self) -> bool:
        """Tell whether any cell has something in it."""
        return self._rows > 0

    def run(self, xml: bytes, part: str) -> None:
        """Look through the sheet."""
        self._parser = make_parser(self._begin)
        self._parser.EndElementHandler = self._end
        parse(self._parser, xml, part)

    def _end(self, name: str) -> None:
        """Look no further than the cells: after them `f` stands for other things, such as lists to choose from."""
        if name.endswith("sheetData"):
            self._parser.StartElementHandler = None
            self._parser.EndElementHandler = None

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise FileRefused("too_many_cells")
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._count_content()
            if self._kind == "e":
                self._collect(self.errors)
        elif name == "f":
            self._count_content()
            self._begin_formula(attributes)
        elif name == "is":
            self._count_content()
        elif name == "row":
            self._row = _number(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            self._row, self._column = _place_of(reference)
        self._kind = attributes.get("t", "")

    def _count_content(self) -> None:
        place = (self._row, self._column)
        last_row = self._last[0]
        if place < self._last:
            raise FileRefused("damaged", detail=cell_name(*place))
        self._last = place
        self._check_reach()
        if self._row != last_row:
            self._rows += 1
            if self._rows > self._limits.max_rows + 1:
                raise FileRefused("too_many_rows", limit=self._limits.max_rows)

    def _check_reach(self) -> None:
        most = self._limits.max_columns
        if self._column > 2 * most or self._row > self._limits.max_rows + 1 + BLANK_ROWS:
            raise FileRefused("too_far", cell=cell_name(self._row, self._column))
        if self._column > most:
            raise FileRefused("too_many_columns", row=self._row, limit=most)

    def _begin_formula(self, attributes: dict[str, str]) -> None:
        shared_by = attributes.get("si", "")
        self.formulas[self._row, self._column] = self._shared.get(shared_by, "")
        self._collect(self.formulas, shared_by)

    def _collect(self, found: dict[Place, str], shared_by: str = "") -> None:
        """Put the text of the element that begins here into `found`, at the present cell."""
        place, pieces = (self._row, self._column), self._text
        pieces.clear()

        def end(_: str) -> None:
            self._parser.CharacterDataHandler = None
            self._parser.EndElementHandler = self._end
            if pieces:
                found[place] = "".join(pieces)[: self._limits.max_cell_characters - 1]
            if pieces and shared_by:
                self._shared[shared_by] = found[place]

        self._parser.CharacterDataHandler = pieces.append
        self._parser.EndElementHandler = end


def cell_name(row: int, column: int) -> str:
    """Return a cell's name as spreadsheets show it: row 3, column 28 is AB3."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def _place_of(reference: str) -> Place:
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise FileRefused("damaged", detail=reference[:20])
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,7}", text):
        raise FileRefused("damaged", detail=text[:20])
    return int(text)
