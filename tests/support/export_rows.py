"""Builders of what exports are made of, and the sample that the golden files were made from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from gm_service.orders.exports.profiles import PROFILES
from gm_service.orders.exports.rows import OrderDetail
from gm_service.orders.exports.writers import open_writer
from gm_service.orders.models import OrderStatus
from gm_service.yongyou import DEFAULTS, Accounts, CodeMaps, YongyouSettings
from shared.errors import Language

GOLDEN_DIR = Path(__file__).resolve().parents[1] / "golden" / "exports"

_DETAIL = OrderDetail(
    order_no="A-1",
    order_time=datetime(2010, 12, 1, 8, 26, 30),
    receive_date=date(2010, 12, 2),
    cycle_name="全天",
    status=OrderStatus.CONFIRMED,
    buyer_code="017850",
    buyer_name="王府井店",
    area="EIRE",
    line_no=1,
    sku_code="85123A",
    sku_name="WHITE LANTERN",
    quantity=Decimal("6.000"),
    unit="pcs",
    unit_price=Decimal("2.5500"),
    amount=Decimal("15.30"),
    remark="",
)


def make_detail(**changes: Any) -> OrderDetail:
    """Return a line of an order; numbers may be given as texts."""
    numbers = {"quantity", "unit_price", "amount"} & set(changes)
    return replace(_DETAIL, **{**changes, **{name: Decimal(changes[name]) for name in numbers}})


def write_file(
    format_name: str,
    orders: Sequence[Sequence[OrderDetail]],
    *,
    language: Language = "zh",
    yongyou: YongyouSettings = DEFAULTS,
) -> bytes:
    """Return the file of that format with these orders."""
    file = io.BytesIO()
    writer = open_writer(PROFILES[format_name], file, language, yongyou)
    for rows in orders:
        writer.write_order(rows)
    writer.close()
    return file.getvalue()


SAMPLE_SETTINGS = YongyouSettings(
    department="203",
    person="P07",
    maker="张三",
    sender="222",
    accounts=Accounts(receivable="112201"),
    code_maps=CodeMaps(customers={"017850": "C-0001"}, units={"pcs": "个", "kg": "千克"}),
)
_LONG_NUMBER = {"order_no": "001234567890123456", "order_time": datetime(2010, 12, 1, 23, 59, 59)}
_RETURN = {"order_no": "C536379", "status": OrderStatus.CANCELLED, "receive_date": date(2011, 1, 3)}
_HOSTILE = {"order_no": "X-1", "buyer_code": "00042", "buyer_name": '李,"四"\n店𠮷🍎', "remark": "=1+1 <b>&amp;\x0b\r"}
SAMPLE_ORDERS = (
    # Taxes rounded one by one, 0.12 each, would come to 0.36; the tax on 3.00 is 0.35.
    tuple(
        make_detail(line_no=place, quantity="1", unit_price="1", amount="1.00", **_LONG_NUMBER) for place in (1, 2, 3)
    ),
    (
        make_detail(line_no=1),
        make_detail(line_no=2, sku_name="白菜", unit="kg", quantity="0.335", unit_price="3.9999", amount="1.34"),
    ),
    (make_detail(quantity="-1", unit_price="27.5", amount="-27.50", **_RETURN),),
    (make_detail(order_no="A-2", status=OrderStatus.CANCELLED),),
    (make_detail(sku_name="+SUM(A1) — café", unit="盒", **_HOSTILE),),
)
"""Plain lines, taxes that must be evened out, a return, a cancelled order, and texts that could break files."""


def golden_file(format_name: str) -> Path:
    """Return where the format's golden file stands."""
    return GOLDEN_DIR / f"{format_name}.{PROFILES[format_name].kind}"
