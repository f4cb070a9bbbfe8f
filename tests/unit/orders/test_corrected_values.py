"""Values that are corrected after a check."""

from __future__ import annotations

import pytest

from gm_service.orders.imports.commands import CorrectedValue
from gm_service.orders.imports.corrected_values import correct_values
from gm_service.orders.imports.rows import SubmittedRow
from shared.errors import InvalidField, InvalidPath


def _value(index: int, column: str, value: str = "new") -> CorrectedValue:
    return CorrectedValue(index=index, column=column, value=value)


def test_values_take_their_places_and_nothing_else_changes() -> None:
    rows = [
        SubmittedRow({"sku": "", "quantity": 2}, 2, [["", 2]]),
        SubmittedRow({"lines": [{"sku": "a"}, {"sku": "b"}]}),
        SubmittedRow({"sku": "kept"}, 4, [["kept"]]),
    ]

    corrected = correct_values(rows, [_value(0, "sku"), _value(0, "area", "UK"), _value(1, "lines[1].sku")])

    assert corrected == (
        SubmittedRow({"sku": "new", "quantity": 2, "area": "UK"}, 2, None),
        SubmittedRow({"lines": [{"sku": "a"}, {"sku": "new"}]}),
        rows[2],
    )
    assert rows[0].order == {"sku": "", "quantity": 2}


def test_correction_of_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidField, match="there are 1 rows, no 1"):
        correct_values([SubmittedRow({})], [_value(1, "sku")])


@pytest.mark.parametrize(("order", "column"), [({}, "lines[0].sku"), ("text", "sku"), ([], "sku"), ({}, "a..b")])
def test_correction_without_a_place_is_refused(order: object, column: str) -> None:
    with pytest.raises(InvalidPath):
        correct_values([SubmittedRow(order)], [_value(0, column)])
