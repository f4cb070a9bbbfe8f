"""Reads one value of a submitted row, or refuses it with its reason: texts, numbers above zero, moments and days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from gm_service.orders.formulas import drop_hidden, is_formula
from gm_service.orders.imports.files.limits import EXACT_BELOW
from gm_service.orders.imports.row_reasons import REFUSED_CHARACTER, refuse
from shared.database import to_utc

EARLIEST = date(2000, 1, 1)
LATEST = date(2099, 12, 31)
MAX_NUMBER = Decimal(10**8)
"""quantities and prices stay below, so that their product fits its column"""
_ERROR_VALUES = frozenset(
    ("#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
"""what a spreadsheet shows where a calculation has no value"""
_LINE_BREAK = re.compile("[\t\n\r\u2028\u2029]")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_DAY = r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})"
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.[0-9]{1,9})?)?"
_DATE = re.compile(_DAY)
_MOMENT = re.compile(rf"{_DAY}([T ]+{_CLOCK}(?P<offset>Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?")


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of text: what it may hold."""

    name: str
    max_characters: int
    required: bool = False
    has_lines: bool = False
    """line breaks and tabs are fine in it"""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of numbers above zero."""

    name: str
    max_decimals: int


def read_text(column: TextColumn, row: dict[str, Any], prefix: str) -> str:
    """Return a text without blanks at its edges; `prefix` stands before the column's name in a reason."""
    name, value = prefix + column.name, row.get(column.name)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
        value = str(value)  # an order number or code that a spreadsheet handed on as a number
    if isinstance(value, float) and abs(value) >= EXACT_BELOW:
        raise refuse("digits_lost", name, value)
    if value is not None and not isinstance(value, str):
        raise refuse("not_text", name, value)
    text = (value or "").strip()
    if column.required and not drop_hidden(text):
        raise refuse("missing", name, value)
    _refuse_calculated(name, text)
    if len(text) > column.max_characters:
        raise refuse("too_long", name, text, column.max_characters)
    if REFUSED_CHARACTER.search(text) or (not column.has_lines and _LINE_BREAK.search(text)):
        raise refuse("bad_character", name, text)
    return text


def _refuse_calculated(name: str, value: Any) -> None:
    """Refuse what a spreadsheet calculates, and what it shows where it could not."""
    if not isinstance(value, str):
        return
    if is_formula(value):
        raise refuse("formula", name, value)
    if value.strip() in _ERROR_VALUES:
        raise refuse("error_value", name, value.strip())


def read_number(column: NumberColumn, value: Any, prefix: str) -> Decimal:
    """Return a number above zero, exactly as it was written."""
    name = prefix + column.name
    if value is None or (isinstance(value, str) and not value.strip()):
        raise refuse("missing", name, value)
    number = _to_decimal(value)
    if number is None:
        _refuse_calculated(name, value)
        raise refuse("not_a_number", name, value)
    if number <= 0:
        raise refuse("not_positive", name, value)
    if number >= MAX_NUMBER:
        raise refuse("too_large", name, value, MAX_NUMBER)
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > column.max_decimals:
        raise refuse("too_precise", name, value, column.max_decimals)
    return number


def _to_decimal(value: Any) -> Decimal | None:
    """Return a finite number exactly as it was written, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() <= 64 else Decimal(2**64 if value > 0 else -1)
    if isinstance(value, float):
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None


def read_moment(name: str, value: Any, zone: ZoneInfo) -> datetime:
    """Return a moment as UTC without offset; one without offset is read in `zone`."""
    if value is None or value == "":
        raise refuse("missing", name, value)
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        _refuse_calculated(name, value)
        raise refuse("bad_date", name, value, "2026-01-31 06:00:00")
    parts = {part: int(digits or 0) for part, digits in found.groupdict().items() if part != "offset"}
    try:
        moment = datetime(**parts, tzinfo=_offset_of(found["offset"]) or zone)
    except ValueError:
        raise refuse("bad_date", name, value, "2026-01-31 06:00:00") from None
    _check_range(name, moment.date(), value)
    return to_utc(moment, zone)


def _offset_of(text: str | None) -> Any:
    return datetime.fromisoformat(f"2000-01-01T00:00{text}").tzinfo if text else None


def read_day(name: str, value: Any) -> date | None:
    """Return a day, None where none is given."""
    if value is None or value == "":
        return None
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        _refuse_calculated(name, value)
        raise refuse("bad_date", name, value, "2026-01-31")
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        raise refuse("bad_date", name, value, "2026-01-31") from None
    _check_range(name, day, value)
    return day


def _check_range(name: str, day: date, value: Any) -> None:
    if not EARLIEST <= day <= LATEST:
        raise refuse("date_out_of_range", name, value, f"{EARLIEST} - {LATEST}")
