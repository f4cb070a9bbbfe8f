"""Adds up the columns that a profile wants a total of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter

from gm_service.orders.exports.columns import ExportColumn
from gm_service.orders.exports.rows import Row
from shared.errors import Language

_NOTHING = Decimal("0.00")
_LABELS: dict[Language, str] = {"en": "Total", "zh": "合计"}


class Totals:
    """The last line of a file; false where the profile wants none, or there is nothing to add up."""

    def __init__(self, columns: Sequence[ExportColumn], language: Language) -> None:
        self._label = _LABELS[language]
        self._width = len(columns)
        places = [place for place, column in enumerate(columns) if column.has_total]
        self._readers: list[tuple[int, Callable[[Row], Decimal]]] = [
            (place, attrgetter(columns[place].source)) for place in places
        ]
        self._sums: dict[int, Decimal] = {}

    def __bool__(self) -> bool:
        return bool(self._sums)

    def add(self, rows: Sequence[Row]) -> None:
        """Count these rows in."""
        if rows:
            for place, read in self._readers:
                self._sums[place] = sum(map(read, rows), self._sums.get(place, _NOTHING))

    def cells(self) -> list[str | Decimal | None]:
        """Return the line: the word for it first, sums where they belong, None elsewhere."""
        return [self._label if place == 0 else self._sums.get(place) for place in range(self._width)]
