"""Single values that somebody corrected after a check, put into what the file or the list has; nothing else changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gm_service.orders.imports.commands import CorrectedValue
from gm_service.orders.imports.rows import SubmittedRow
from shared.errors import InvalidField
from shared.task_api import result_path


def correct_values(rows: Sequence[SubmittedRow], corrections: Sequence[CorrectedValue]) -> tuple[SubmittedRow, ...]:
    """Return the rows with these values at their columns, which are named as reasons name them: `lines[1].sku`.

    A corrected row no longer has its cells of the file, which say something else.

    Raises:
        InvalidField: there is no such row.
        InvalidPath: a row has no such place.
    """
    by_row: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for each in corrections:
        if each.index >= len(rows):
            raise InvalidField(field="corrections", problem=f"there are {len(rows)} rows, no {each.index}")
        by_row[each.index].append((f"$.{each.column}", each.value))
    return tuple(
        replace(row, order=result_path.put_all(row.order, by_row[index]), cells=None) if index in by_row else row
        for index, row in enumerate(rows)
    )
