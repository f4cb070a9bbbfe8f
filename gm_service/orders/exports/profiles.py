"""The export profiles: what the columns of each format are, declared as data.

A new format is one declaration here and one golden-file test; how a file kind is written is for `writers`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

from gm_service.orders.models import OrderStatus
from shared.errors import Language, UnsupportedFormat

HOUSE = "house"


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """One row of an export: an order's line with what it needs of its order. Columns name these fields."""

    order_no: str
    order_time: datetime
    """in the station's zone, without offset, as a spreadsheet shows it"""
    receive_date: date
    cycle_name: str
    status: OrderStatus
    buyer_code: str
    buyer_name: str
    area: str
    line_no: int
    sku_code: str
    sku_name: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    remark: str


class CellType(Enum):
    """How a value becomes a cell."""

    TEXT = "text"
    """text whatever it looks like: long numbers keep their digits, formulas stay letters"""
    LABEL = "label"
    """an enum member, by its word in the reader's language"""
    INTEGER = "integer"
    NUMBER = "number"
    """as many decimals as it has"""
    PRICE = "price"
    """two decimals, up to four where it has them"""
    AMOUNT = "amount"
    """two decimals"""
    DATE = "date"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of a profile."""

    title_en: str
    title_zh: str
    source: str
    """a field of OrderDetail"""
    type: CellType
    width: int
    """in characters, where the file kind has widths"""

    def title(self, language: Language) -> str:
        """Return the header's text."""
        return self.title_zh if language == "zh" else self.title_en


@dataclass(frozen=True, slots=True)
class Profile:
    """A format that exports come in."""

    name: str
    """what the parameter `format` says"""
    sheet_en: str
    sheet_zh: str
    kind: Literal["xlsx", "csv"]
    """which writer makes it; also the file's extension"""
    columns: tuple[ExportColumn, ...]

    def __post_init__(self) -> None:
        known = {field.name for field in fields(OrderDetail)}
        unknown = [column.source for column in self.columns if column.source not in known]
        if unknown:
            raise ValueError(f"profile {self.name} names fields that a row lacks: {unknown}")

    def sheet(self, language: Language) -> str:
        """Return the sheet's name."""
        return self.sheet_zh if language == "zh" else self.sheet_en


_HOUSE_COLUMNS = (
    ExportColumn("Order number", "订单号", "order_no", CellType.TEXT, 20),
    ExportColumn("Order time", "下单时间", "order_time", CellType.DATETIME, 20),
    ExportColumn("Receive date", "收货日期", "receive_date", CellType.DATE, 12),
    ExportColumn("Operating cycle", "运营周期", "cycle_name", CellType.TEXT, 18),
    ExportColumn("Status", "状态", "status", CellType.LABEL, 11),
    ExportColumn("Buyer code", "客户编码", "buyer_code", CellType.TEXT, 14),
    ExportColumn("Buyer name", "客户名称", "buyer_name", CellType.TEXT, 22),
    ExportColumn("Area", "区域", "area", CellType.TEXT, 16),
    ExportColumn("Line", "行号", "line_no", CellType.INTEGER, 6),
    ExportColumn("SKU", "商品编码", "sku_code", CellType.TEXT, 14),
    ExportColumn("SKU name", "商品名称", "sku_name", CellType.TEXT, 38),
    ExportColumn("Quantity", "数量", "quantity", CellType.NUMBER, 10),
    ExportColumn("Unit", "单位", "unit", CellType.TEXT, 8),
    ExportColumn("Unit price", "单价", "unit_price", CellType.PRICE, 11),
    ExportColumn("Amount", "金额", "amount", CellType.AMOUNT, 13),
    ExportColumn("Remark", "备注", "remark", CellType.TEXT, 30),
)

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(HOUSE, "Orders", "订单明细", "xlsx", _HOUSE_COLUMNS),
        Profile("house_csv", "Orders", "订单明细", "csv", _HOUSE_COLUMNS),
    )
}


def get_profile(name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        UnsupportedFormat: there is none.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise UnsupportedFormat(format=name, formats=", ".join(PROFILES)) from None
