"""Tells by its title what each column of an uploaded file is: titles in en and zh, field names, and what people write.

Pure. `TITLES` are the titles of the house export, so that an exported file can be uploaded again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.errors import Language, RuleRefused

LINE = "line"
"""the number of a line in its order: where a file has it, consecutive rows of one order number are one order"""
TITLES: dict[str, tuple[str, str]] = {
    "order_no": ("Order number", "订单号"),
    "order_time": ("Order time", "下单时间"),
    "receive_date": ("Receive date", "收货日期"),
    "buyer_code": ("Buyer code", "客户编码"),
    "buyer_name": ("Buyer name", "客户名称"),
    "area": ("Area", "区域"),
    LINE: ("Line", "行号"),
    "sku": ("SKU", "商品编码"),
    "sku_name": ("SKU name", "商品名称"),
    "quantity": ("Quantity", "数量"),
    "unit": ("Unit", "单位"),
    "unit_price": ("Unit price", "单价"),
    "remark": ("Remark", "备注"),
}
"""title in en and zh of each field, in the order of the template"""
REQUIRED = ("order_no", "order_time", "sku", "quantity", "unit_price")
MARKS_TITLES = ("Import row (keep)", "导入行（勿改）")
REASON_TITLES = ("Reason", "失败原因")
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "order_no": ("Order no.", "Order ID", "订单编号", "订单号码", "单号"),
    "order_time": ("Order date", "订单时间", "订单日期", "下单日期", "日期"),
    "receive_date": ("Delivery date", "到货日期", "送货日期", "配送日期"),
    "buyer_code": ("Customer code", "Customer ID", "客户编号", "客户代码"),
    "buyer_name": ("Buyer", "Customer", "Customer name", "客户"),
    "area": ("Region", "地区", "片区"),
    LINE: ("Line no.", "Line number", "line_no", "明细行号"),
    "sku": ("sku_code", "SKU no.", "Item code", "Product code", "商品编号", "商品代码", "货号", "SKU编码"),
    "sku_name": ("Item name", "Product name", "Description", "品名", "商品"),
    "quantity": ("Qty", "订购数量", "下单数量"),
    "unit": ("计量单位",),
    "unit_price": ("Price", "价格", "含税单价"),
    "remark": ("Remarks", "Note", "Notes", "Memo", "说明"),
}


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """What the columns of a file are."""

    fields: tuple[str | None, ...]
    """the field of each column, None for one that is ignored"""
    ignored: tuple[str, ...]
    """titles of the columns that are not read, in their order; columns without a title are not among them"""


def match_columns(titles: Sequence[str]) -> ColumnMatch:
    """Return what each column is; case, blanks, `*`, `_` and full-width forms in a title make no difference.

    Raises:
        RuleRefused: a required column is missing, or two columns are one field.
    """
    fields = tuple(_FIELD_BY_TITLE.get(plain_title(title)) for title in titles)
    _refuse_twice(titles, fields)
    _refuse_missing(fields)
    ignored = tuple(title for title, field in zip(titles, fields, strict=True) if field is None and title)
    return ColumnMatch(fields, ignored)


def plain_title(title: str) -> str:
    """Return what of a title is compared."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", title).casefold())


def is_title_of(title: str, titles: Sequence[str]) -> bool:
    """Tell whether `title` is one of `titles`, compared as `match_columns` does."""
    return plain_title(title) in {plain_title(known) for known in titles}


def field_title(field: str, language: Language) -> str:
    """Return the title of a field in the reader's language."""
    return TITLES[field][language == "zh"]


def _spellings() -> Iterator[tuple[str, str]]:
    for field, titles in TITLES.items():
        for title in (field, *titles, *_SYNONYMS[field]):
            yield plain_title(title), field


_FIELD_BY_TITLE = dict(_spellings())


def _refuse_twice(titles: Sequence[str], fields: Sequence[str | None]) -> None:
    for field, (en, zh) in TITLES.items():
        same = [title for title, found in zip(titles, fields, strict=True) if found == field]
        if len(same) > 1:
            raise RuleRefused(
                problem=f"Two columns are both {en}: {', '.join(same)}; remove or rename one.",
                problem_zh=f"有多列都是“{zh}”：{'、'.join(same)}，请删除或改名其中之一。",
            )


def _refuse_missing(fields: Sequence[str | None]) -> None:
    missing = [TITLES[field] for field in REQUIRED if field not in fields]
    if missing:
        raise RuleRefused(
            problem=f"The title line lacks: {', '.join(en for en, _ in missing)}; the template has all columns.",
            problem_zh=f"标题行缺少：{'、'.join(zh for _, zh in missing)}，可参照模板。",
        )
