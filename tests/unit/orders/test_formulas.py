"""What a spreadsheet may take for a formula, and what of it is refused."""

from __future__ import annotations

import pytest

from gm_service.orders.formulas import begins_like_formula, is_formula

FORMULAS = [
    "=1",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\u200b=1",
    "\ufeff=1",
    "\u2060\u00a0=1",
    " \n=1",
    "＝1",
    "＠SUM(A1)",
    "﹦1",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "+SUM(1)",
    "－SUM (1)",
    "＋A1",
    "-A1:B2",
    "- $A$1",
    "+[book.xlsx]Sheet!A1",
    "+=1",
]
HARMLESS_SIGNS = [
    "-1",
    "+1",
    "+86 138 0000 0000",
    "+86 (138) 0000-0000",
    "- leave at door",
    "-",
    "－ 请放门口",
    "+1.5%",
]
PLAIN = ["", " ", "a=1", "1-1", "a@b", "'=1", "\u200b", "订单"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formula_is_recognised_behind_whatever_hides_it(text: str) -> None:
    assert is_formula(text)
    assert begins_like_formula(text)


@pytest.mark.parametrize("text", HARMLESS_SIGNS)
def test_sign_before_a_number_or_words_is_no_formula_but_is_made_safe(text: str) -> None:
    assert not is_formula(text)
    assert begins_like_formula(text)


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_left_alone(text: str) -> None:
    assert not is_formula(text)
    assert not begins_like_formula(text)


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx"])
def test_field_that_begins_with_a_separator_is_made_safe(text: str) -> None:
    assert begins_like_formula(text)
