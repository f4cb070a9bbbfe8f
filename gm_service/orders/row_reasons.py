"""Why a submitted row became no order: a code for machines, and sentences in en and zh that name column and value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_SHOWN_CHARACTERS = 80
# What neither every database nor XML 1.0 can hold; line breaks and tabs inside a text are fine.
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

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


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row became no order."""

    column: str
    value: str
    """as submitted, cut to 80 characters"""
    code: str
    en: str
    zh: str


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
    text = UNSTORABLE.sub("�", text)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"


class RowRefused(Exception):
    """Carries the verdict up from the rule that found it."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error.en)
        self.error = error


def refuse(code: str, column: str, value: Any, limit: Any = "") -> RowRefused:
    """Return the exception to raise for the error `code` about `value`."""
    return RowRefused(row_error(code, column, value, limit))
