"""What a column of an export is, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Literal

from gm_service.orders.exports.rows import Row
from gm_service.yongyou import CodeMaps
from shared.errors import Language


class CellType(Enum):
    """How a value becomes a cell."""

    TEXT = "text"
    """text whatever it looks like: long numbers keep their digits, formulas stay letters"""
    LABEL = "label"
    """an enum member, by its word in the reader's language"""
    INTEGER = "integer"
    NUMBER = "number"
    """as many decimals as it has"""
    PRICE = "price"
    """two decimals, up to four where it has them"""
    EXACT_PRICE = "exact_price"
    """two decimals, up to ten where it has them"""
    AMOUNT = "amount"
    """two decimals"""
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of a profile; in a file without columns (xml) an element."""

    title_en: str
    """also the element's name"""
    title_zh: str
    source: str
    """a field of the profile's rows, with dots where it lies deeper; behind a `=` a text that is always the same"""
    type: CellType
    width: int = 12
    """in characters, where the file kind has widths"""
    code_map: Literal["customers", "items", "units"] | None = None
    """the configured map that turns our code into the receiver's"""
    has_total: bool = False
    """is it added up in a last line"""
    of_order: bool = False
    """does it stand once an order, where the file kind tells orders from lines"""

    def title(self, language: Language) -> str:
        """Return the header's text."""
        return self.title_zh if language == "zh" else self.title_en

    def reader(self, code_maps: CodeMaps) -> Callable[[Row], Any]:
        """Return what reads the column's value from a row."""
        if self.source.startswith("="):
            constant = self.source[1:]
            return lambda _row: constant
        read: Callable[[Row], Any] = attrgetter(self.source)
        codes: dict[str, str] = getattr(code_maps, self.code_map) if self.code_map else {}
        return (lambda row: codes.get(value := read(row), value)) if codes else read
