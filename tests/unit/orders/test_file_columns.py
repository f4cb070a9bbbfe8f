"""Which column is which is told by the titles, as people write them."""

from __future__ import annotations

import pytest

from gm_service.orders.exports.profiles import HOUSE, get_profile
from gm_service.orders.imports.files.columns import MARKS_TITLES, REASON_TITLES, REQUIRED, TITLES, match_columns
from gm_service.orders.imports.validation import LINE_COLUMNS, ORDER_COLUMNS
from shared.errors import Language, RuleRefused

NEEDED = ("order_no", "order_time", "sku", "quantity", "unit_price")


def refusal(*titles: str) -> RuleRefused:
    with pytest.raises(RuleRefused) as refused:
        match_columns(titles)
    return refused.value


def test_every_field_of_an_order_has_titles_and_no_other() -> None:
    assert set(TITLES) == ORDER_COLUMNS | LINE_COLUMNS | {"line"}


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Remark", "remark"),
        ("备注", "remark"),
        ("remark", "remark"),
        ("  REMARK * ", "remark"),
        ("＊备注：", "remark"),
        ("ｒｅｍａｒｋ", "remark"),
        ("buyer_code", "buyer_code"),
        ("Buyer  Code", "buyer_code"),
        ("客户 编码", "buyer_code"),
        ("\ufeffArea", "area"),
        ("Line No.", "line"),
        ("行号", "line"),
        ("Colour", None),
        ("", None),
        ("*", None),
    ],
)
def test_title_is_matched_however_it_is_written(title: str, field: str | None) -> None:
    assert match_columns((*NEEDED, title)).fields == (*NEEDED, field)


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("sku_code", "sku"),
        ("货号", "sku"),
        ("Qty", "quantity"),
        ("订单编号", "order_no"),
        ("Price", "unit_price"),
        ("日期", "order_time"),
    ],
)
def test_synonym_of_a_required_column_is_taken(title: str, field: str) -> None:
    titles = tuple(title if name == field else name for name in NEEDED)

    assert match_columns(titles).fields == NEEDED


def test_unknown_titles_are_kept_and_named() -> None:
    match = match_columns(("Colour", *NEEDED, "", "Amount"))

    assert match.fields == (None, *NEEDED, None, None)
    assert match.ignored == ("Colour", "Amount")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_titles_of_a_house_export_are_taken(language: Language) -> None:
    columns = get_profile(HOUSE).columns

    match = match_columns([column.title(language) for column in columns])

    assert set(match.fields) - {None} == set(TITLES)
    assert len(match.ignored) == len(columns) - len(TITLES)


def test_columns_of_a_failed_rows_file_are_ignored() -> None:
    assert match_columns((*NEEDED, MARKS_TITLES[0], REASON_TITLES[0])).fields == (*NEEDED, None, None)


def test_missing_columns_are_named_in_both_languages() -> None:
    error = refusal("Order number", "Order time", "Quantity")

    assert "lacks: SKU, Unit price;" in error.sentence("en")
    assert "缺少：商品编码、单价" in error.sentence("zh")
    assert set(NEEDED) == set(REQUIRED)


def test_two_columns_for_one_field_are_refused() -> None:
    error = refusal(*NEEDED, "SKU no.")

    assert "Two columns are both SKU: sku, SKU no.;" in error.sentence("en")
    assert "商品编码" in error.sentence("zh")
