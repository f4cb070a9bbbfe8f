"""Why a submitted row became no order: a code for machines, and sentences in en and zh that name column and value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypedDict

from gm_service.orders.imports.files.columns import TITLES

DISAGREEMENT = "lines_disagree"
"""key of an order made of a file's rows, under which stands what they contradict one another in"""
MAX_SHOWN_CHARACTERS = 80
# Controls and what neither every database nor XML 1.0 can hold; marks that turn the direction of reading, so that a
# text shows as another than it is; and U+FFFD, the trace of a character that was lost before it came here.
REFUSED_CHARACTER = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff\u202a-\u202e\u2066-\u2069]"
)

_IN_LINE = re.compile(r"lines\[(?P<place>[0-9]+)\](\.(?P<field>.*))?", re.DOTALL)
_FURTHER_TITLES = {
    "": ("What stands in place", "内容"),
    "row": ("The row", "该行"),
    "lines": ("Lines", "明细"),
    "amount": ("Amount", "金额"),
}

# code -> sentence in en and zh; every one names the column, and the value where there is one.
_SENTENCES: dict[str, tuple[str, str]] = {
    "not_an_object": (
        "{column} must have named columns, such as order_no and sku, not {value}",
        "{column}应包含带名称的列（如 order_no、sku），现为 {value}",
    ),
    "unknown_column": (
        "There is no column {column} (its value is {value}); remove or rename it",
        "没有名为{column}的列（值为 {value}），请删除或改名",
    ),
    "missing": ("{column} is missing", "缺少{column}"),
    "not_text": ("{column} must be text, not {value}", "{column}应为文本，现为 {value}"),
    "too_long": ("{column} has more than {limit} characters: {value}", "{column}超过 {limit} 个字符：{value}"),
    "formula": (
        "{column} is a formula to a spreadsheet, which is refused; put a word in front of it: {value}",
        "{column}会被电子表格当作公式，不予接受，请在前面加上文字：{value}",
    ),
    "bad_character": (
        "{column} has a character that can't be read or stored (shown as � here, or a line break): {value}",
        "{column}含有无法识别或保存的字符（此处显示为 �，或为换行符）：{value}",
    ),
    "not_a_number": ("{column} must be a number, not {value}", "{column}应为数字，现为 {value}"),
    "not_positive": ("{column} must be above zero, not {value}", "{column}必须大于零，现为 {value}"),
    "too_precise": (
        "{column} has more than {limit} decimals: {value}",
        "{column}的小数超过 {limit} 位：{value}",
    ),
    "too_large": ("{column} must be below {limit}, not {value}", "{column}必须小于 {limit}，现为 {value}"),
    "bad_date": (
        "{column} must be a date that exists, such as {limit}, not {value}",
        "{column}应为真实存在的日期（如 {limit}），现为 {value}",
    ),
    "date_out_of_range": ("{column} must be within {limit}, not {value}", "{column}应在 {limit} 之间，现为 {value}"),
    "outside_cycle": (
        "{column} must fall into the operating cycle {limit}, not {value}",
        "{column}应在运营周期 {limit} 内，现为 {value}",
    ),
    "before_order": (
        "{column} must not be before the order's date {limit}, not {value}",
        "{column}不能早于订单日期 {limit}，现为 {value}",
    ),
    "worth_nothing": (
        "{column} rounds to 0.00: {value}",
        "{column}四舍五入后为 0.00：{value}",
    ),
    "digits_lost": (
        "{column} {value} is a number that the spreadsheet has rounded; format the column as text and enter it again",
        "{column}{value} 是已被表格四舍五入的数字，请把该列设为文本格式后重新填写",
    ),
    "error_value": (
        "{column} shows the spreadsheet error {value} instead of a value",
        "{column}显示的是表格错误 {value}，不是有效的值",
    ),
    DISAGREEMENT: (
        "{column} is {value}, but another row of the same order has {limit}; rows of one order must agree and be"
        " numbered differently",
        "{column}为 {value}，而同一订单的另一行为 {limit}；同一订单各行的订单信息应一致，行号不能重复",
    ),
    "lines_twice": (
        "The row has both lines and a line's column {column} with {value}; give one of the two",
        "该行既有 lines 又有明细列{column}（值为 {value}），只能给其中之一",
    ),
    "bad_lines": (
        "{column} must be a list of 1 to {limit} lines, not {value}",
        "{column}应为 1 到 {limit} 条明细的列表，现为 {value}",
    ),
    "unknown_sku": (
        "{column} {value} is not in the station's list of goods",
        "{column}{value} 不在本站点的商品清单中",
    ),
    "unknown_buyer": (
        "{column} {value} is not in the station's list of buyers",
        "{column}{value} 不在本站点的客户清单中",
    ),
    "duplicate_order_no": (
        "{column} {value} is taken by another order of this station",
        "{column}{value} 已被本站点的另一订单使用",
    ),
    "duplicate_in_batch": (
        "{column} {value} stands in this import already, as its order {limit}",
        "{column}{value} 在本次导入中已出现（第 {limit} 个订单）",
    ),
}


class Disagreement(TypedDict):
    """What the rows of one order contradict one another in."""

    column: str
    """of the row that differs from the first, such as lines[1].area"""
    value: Any
    first: Any


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row became no order."""

    column: str
    value: str
    """as submitted, cut to 80 characters; empty where nothing was"""
    code: str
    en: str
    zh: str


def row_error(code: str, column: str, value: Any, limit: Any = "") -> RowError:
    """Return the error `code` about `value`, with its sentences."""
    value_shown = "" if value is None and code == "missing" else shown(value)
    en, zh = _SENTENCES[code]
    return RowError(
        column,
        value_shown,
        code,
        en.format(column=_in_english(column), limit=limit, value=value_shown or "(empty)"),
        zh.format(column=f"“{_in_chinese(column)}”", limit=limit, value=value_shown or "（空）"),
    )


def _in_english(column: str) -> str:
    """Return a column as a clerk calls it: `lines[2].quantity` is `Quantity of line 3`."""
    place, field = _parts_of(column)
    title = _titles_of(field)[0]
    return title if place is None else f"{title} of line {place + 1}"


def _in_chinese(column: str) -> str:
    place, field = _parts_of(column)
    title = _titles_of(field)[1]
    return title if place is None else f"第 {place + 1} 条明细的{title}"


def _parts_of(column: str) -> tuple[int | None, str]:
    found = _IN_LINE.fullmatch(column)
    return (int(found["place"]), found["field"] or "") if found else (None, column)


def _titles_of(field: str) -> tuple[str, str]:
    return _FURTHER_TITLES.get(field) or TITLES.get(field) or (field, field)


def shown(value: Any) -> str:
    """Return `value` as a person may read and a database may hold it, at most 80 characters."""
    if isinstance(value, str):
        text = value[: MAX_SHOWN_CHARACTERS + 1]
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (ValueError, RecursionError):  # an integer of thousands of digits, thousands of levels
            text = "…"
    text = REFUSED_CHARACTER.sub("�", text)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


class RowRefused(Exception):
    """Carries the verdict up from the rule that found it."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error.en)
        self.error = error


def refuse(code: str, column: str, value: Any, limit: Any = "") -> RowRefused:
    """Return the exception to raise for the error `code` about `value`."""
    return RowRefused(row_error(code, column, value, limit))


def refuse_disagreement(found: Any) -> RowRefused:
    """Return the exception for an order whose rows disagree; `found` is a `Disagreement`, or what a caller made up."""
    facts = found if isinstance(found, dict) else {}
    return refuse(DISAGREEMENT, shown(facts.get("column", "lines"))[:64], facts.get("value"), shown(facts.get("first")))
