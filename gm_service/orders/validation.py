"""Says of one submitted row whether it is an order; the rules are tables, so that a new column is one line.

Pure: duplicates and operating cycles, which need the database, are for `importing`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from gm_service.orders.models import AMOUNT_SCALE, PRICE_SCALE, QUANTITY_SCALE
from gm_service.orders.policy import derive_receive_date
from shared.database import to_utc

MAX_LINES = 1000
MAX_SHOWN_CHARACTERS = 80
EARLIEST = date(2000, 1, 1)
LATEST = date(2099, 12, 31)
MAX_NUMBER = Decimal(10**8)
"""quantities and prices stay below, so that their product fits its column"""
MAX_AMOUNT = Decimal(10**13)
"""an order's amount stays below: with cents these are the 15 digits that a spreadsheet keeps"""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of text: what it may hold."""

    name: str
    max_characters: int
    required: bool = False


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of numbers above zero."""

    name: str
    max_decimals: int


ORDER_TEXTS = (
    TextColumn("order_no", 64, required=True),
    TextColumn("buyer_code", 64),
    TextColumn("buyer_name", 128),
    TextColumn("area", 64),
    TextColumn("remark", 500),
)
LINE_TEXTS = (
    TextColumn("sku", 64, required=True),
    TextColumn("sku_name", 255),
    TextColumn("unit", 16),
)
LINE_NUMBERS = (NumberColumn("quantity", QUANTITY_SCALE), NumberColumn("unit_price", PRICE_SCALE))
ORDER_COLUMNS = frozenset(column.name for column in ORDER_TEXTS) | {"order_time", "receive_date"}
LINE_COLUMNS = frozenset(column.name for column in (*LINE_TEXTS, *LINE_NUMBERS))

# code -> sentence in en and zh; every one names the column and the value.
_SENTENCES: dict[str, tuple[str, str]] = {
    "not_an_object": ("the row is no object of columns: {value}", "该行不是由列组成的对象：{value}"),
    "unknown_column": (
        "there is no column {column} (its value is {value}); remove or rename it",
        "没有名为 {column} 的列（值为 {value}），请删除或改名",
    ),
    "missing": ("{column} is missing: {value}", "缺少 {column}：{value}"),
    "not_text": ("{column} must be text, not {value}", "{column} 应为文本，现为 {value}"),
    "too_long": ("{column} has more than {limit} characters: {value}", "{column} 超过 {limit} 个字符：{value}"),
    "formula": (
        "{column} begins like a formula, which is refused: {value}",
        "{column} 的开头像公式，不予接受：{value}",
    ),
    "bad_character": (
        "{column} has a character that can't be stored: {value}",
        "{column} 含有无法保存的字符：{value}",
    ),
    "not_a_number": ("{column} must be a number, not {value}", "{column} 应为数字，现为 {value}"),
    "not_positive": ("{column} must be above zero, not {value}", "{column} 必须大于零，现为 {value}"),
    "too_precise": (
        "{column} has more than {limit} decimals: {value}",
        "{column} 的小数超过 {limit} 位：{value}",
    ),
    "too_large": ("{column} must be below {limit}, not {value}", "{column} 必须小于 {limit}，现为 {value}"),
    "bad_date": (
        "{column} must be a date that exists, such as {limit}, not {value}",
        "{column} 应为真实存在的日期（如 {limit}），现为 {value}",
    ),
    "date_out_of_range": ("{column} must be within {limit}, not {value}", "{column} 应在 {limit} 之间，现为 {value}"),
    "lines_twice": (
        "the row has both lines and a line's column {column} with {value}; give one of the two",
        "该行既有 lines 又有明细列 {column}（值为 {value}），只能给其中之一",
    ),
    "bad_lines": (
        "{column} must be a list of 1 to {limit} lines, not {value}",
        "{column} 应为 1 到 {limit} 条明细的列表，现为 {value}",
    ),
    "duplicate_order_no": (
        "{column} {value} is taken by another order of this station",
        "{column} {value} 已被本站点的另一订单使用",
    ),
}
# First characters that a spreadsheet takes for the start of a formula (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# What neither every database nor XML 1.0 can hold; line breaks and tabs inside a text are fine.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")
_DAY = r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})"
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.[0-9]{1,9})?)?"
_DATE = re.compile(_DAY)
_MOMENT = re.compile(rf"{_DAY}([T ]+{_CLOCK}(?P<offset>Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?")


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row became no order."""

    column: str
    value: str
    """as submitted, cut to 80 characters"""
    code: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that keeps every rule."""

    sku_code: str
    sku_name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times price, rounded half up to the cent."""
        return round_amount(self.quantity * self.unit_price)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that keeps every rule which needs no database."""

    order_no: str
    order_time: datetime
    """UTC without offset"""
    receive_date: date
    buyer_code: str
    buyer_name: str
    area: str
    remark: str
    lines: tuple[NewLine, ...]

    @property
    def amount(self) -> Decimal:
        """The sum of the lines' amounts."""
        return sum((line.amount for line in self.lines), Decimal(0))


class _Refused(Exception):
    """Carries the verdict up from the rule that found it."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error.en)
        self.error = error


def check_order(row: Any, zone: ZoneInfo, cycle_start: str) -> NewOrder | RowError:
    """Return the order that a submitted row describes, or the first thing that is wrong with it.

    `row` is any JSON value; times without offset are read in `zone`; `cycle_start` (HH:MM) is when the operating
    cycle begins, from which a receive date that isn't given is derived. Never raises.
    """
    try:
        return _read_order(row, zone, cycle_start)
    except _Refused as refused:
        return refused.error


def row_error(code: str, column: str, value: Any, limit: Any = "") -> RowError:
    """Return the error `code` about `value`, with its sentences."""
    value_shown = shown(value)
    en, zh = _SENTENCES[code]
    facts = {"column": column, "value": value_shown or '""', "limit": limit}
    return RowError(column, value_shown, code, en.format(**facts), zh.format(**facts))


def shown(value: Any) -> str:
    """Return `value` as a person may read and a database may hold it, at most 80 characters."""
    if isinstance(value, str):
        text = value[: MAX_SHOWN_CHARACTERS + 1]
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (ValueError, RecursionError):  # an integer of thousands of digits, thousands of levels
            text = "…"
    text = _UNSTORABLE.sub("�", text)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


def round_amount(value: Decimal) -> Decimal:
    """Round half up to the cent, as invoices do."""
    return value.quantize(Decimal(1).scaleb(-AMOUNT_SCALE), rounding=ROUND_HALF_UP)


def _read_order(row: Any, zone: ZoneInfo, cycle_start: str) -> NewOrder:
    if not isinstance(row, dict):
        raise _refuse("not_an_object", "row", row)
    _refuse_unknown(row, ORDER_COLUMNS | LINE_COLUMNS | {"lines"}, "")
    texts = {column.name: _read_text(column, row, "") for column in ORDER_TEXTS}
    order_time = _read_moment("order_time", row.get("order_time"), zone)
    receive_date = _read_day("receive_date", row.get("receive_date"))
    lines = tuple(_read_line(line, prefix) for line, prefix in _lines_of(row))
    order = NewOrder(
        order_time=order_time,
        receive_date=receive_date or derive_receive_date(_to_local(order_time, zone), cycle_start),
        lines=lines,
        **texts,
    )
    if order.amount >= MAX_AMOUNT:
        raise _refuse("too_large", "amount", str(order.amount), MAX_AMOUNT)
    return order


def _lines_of(row: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Return each line with what stands before its columns' names in a reason."""
    if "lines" not in row:
        return [({name: value for name, value in row.items() if name in LINE_COLUMNS}, "")]
    for name in sorted(LINE_COLUMNS & row.keys()):
        raise _refuse("lines_twice", name, row[name])
    lines = row["lines"]
    if not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        raise _refuse("bad_lines", "lines", lines, MAX_LINES)
    return [(line, f"lines[{place}].") for place, line in enumerate(lines)]


def _read_line(line: Any, prefix: str) -> NewLine:
    if not isinstance(line, dict):
        raise _refuse("not_an_object", prefix.rstrip("."), line)
    _refuse_unknown(line, LINE_COLUMNS, prefix)
    texts = {column.name: _read_text(column, line, prefix) for column in LINE_TEXTS}
    numbers = {column.name: _read_number(column, line.get(column.name), prefix) for column in LINE_NUMBERS}
    return NewLine(sku_code=texts["sku"], sku_name=texts["sku_name"], unit=texts["unit"], **numbers)


def _refuse_unknown(row: dict[str, Any], known: frozenset[str], prefix: str) -> None:
    for name, value in row.items():
        if name not in known:
            raise _refuse("unknown_column", prefix + shown(name)[: 64 - len(prefix)], value)


def _read_text(column: TextColumn, row: dict[str, Any], prefix: str) -> str:
    name, value = prefix + column.name, row.get(column.name)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
        value = str(value)  # an order number or code that a spreadsheet handed on as a number
    if value is not None and not isinstance(value, str):
        raise _refuse("not_text", name, value)
    text = (value or "").strip()
    if column.required and not text:
        raise _refuse("missing", name, value)
    if value and value.lstrip(" ").startswith(_FORMULA_STARTS):
        raise _refuse("formula", name, value)
    if len(text) > column.max_characters:
        raise _refuse("too_long", name, text, column.max_characters)
    if _UNSTORABLE.search(text):
        raise _refuse("bad_character", name, text)
    return text


def _read_number(column: NumberColumn, value: Any, prefix: str) -> Decimal:
    name = prefix + column.name
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _refuse("missing", name, value)
    number = _to_decimal(value)
    if number is None:
        raise _refuse("not_a_number", name, value)
    if number <= 0:
        raise _refuse("not_positive", name, value)
    if number >= MAX_NUMBER:
        raise _refuse("too_large", name, value, MAX_NUMBER)
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > column.max_decimals:
        raise _refuse("too_precise", name, value, column.max_decimals)
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


def _read_moment(name: str, value: Any, zone: ZoneInfo) -> datetime:
    if value is None or value == "":
        raise _refuse("missing", name, value)
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise _refuse("bad_date", name, value, "2026-01-31 06:00:00")
    parts = {part: int(digits or 0) for part, digits in found.groupdict().items() if part != "offset"}
    try:
        moment = datetime(**parts, tzinfo=_offset_of(found["offset"]) or zone)
    except ValueError:
        raise _refuse("bad_date", name, value, "2026-01-31 06:00:00") from None
    _check_range(name, moment.date(), value)
    return to_utc(moment, zone)


def _offset_of(text: str | None) -> Any:
    return datetime.fromisoformat(f"2000-01-01T00:00{text}").tzinfo if text else None


def _read_day(name: str, value: Any) -> date | None:
    if value is None or value == "":
        return None
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise _refuse("bad_date", name, value, "2026-01-31")
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        raise _refuse("bad_date", name, value, "2026-01-31") from None
    _check_range(name, day, value)
    return day


def _check_range(name: str, day: date, value: Any) -> None:
    if not EARLIEST <= day <= LATEST:
        raise _refuse("date_out_of_range", name, value, f"{EARLIEST} - {LATEST}")


def _to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(zone)


def _refuse(code: str, column: str, value: Any, limit: Any = "") -> _Refused:
    return _Refused(row_error(code, column, value, limit))
