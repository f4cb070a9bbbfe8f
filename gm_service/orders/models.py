"""The tables of orders and operating cycles, and what a row of them is called in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from gm_service.db import metadata
from shared.database import BigId, UtcDateTime, exact_text
from shared.errors import Language


class OrderStatus(IntEnum):
    """Where an order is."""

    SUBMITTED = 1
    """taken from the customer, not looked at yet; what an import creates"""
    CONFIRMED = 2
    """will be delivered as it stands"""
    DELIVERED = 3
    """left the station"""
    CANCELLED = 4
    """taken back by the customer; its quantities may be negative"""

    def label(self, language: Language) -> str:
        """Return the word that a clerk reads."""
        return _STATUS_LABELS[self][language]


_STATUS_LABELS: dict[OrderStatus, dict[Language, str]] = {
    OrderStatus.SUBMITTED: {"en": "Submitted", "zh": "已提交"},
    OrderStatus.CONFIRMED: {"en": "Confirmed", "zh": "已确认"},
    OrderStatus.DELIVERED: {"en": "Delivered", "zh": "已发货"},
    OrderStatus.CANCELLED: {"en": "Cancelled", "zh": "已取消"},
}


@dataclass(frozen=True, slots=True)
class TimeConfig:
    """An operating cycle: the daily window that an order time falls into."""

    id: str
    name: str
    start_time: str
    """HH:MM in the station's zone"""
    end_time: str
    """HH:MM; not after start_time means on the next day, so 06:00-06:00 is a whole day"""


@dataclass(frozen=True, slots=True)
class Order:
    """A stored order without its lines; the fields stand as `store` selects them."""

    id: int
    order_no: str
    order_time: datetime
    """UTC without offset"""
    receive_date: date
    time_config_id: str
    status: OrderStatus
    buyer_code: str
    buyer_name: str
    area: str
    remark: str
    line_count: int


class OrderLine(NamedTuple):
    """A stored line of an order; the fields stand as `store` selects them. A tuple, because there are millions."""

    order_id: int
    line_no: int
    """from 1"""
    sku_code: str
    sku_name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that no database rounds: DECIMAL on MySQL, a scaled integer on SQLite, which has only floats."""

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """See TypeDecorator."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """See TypeDecorator; a value with more digits than the column has is an error, never a rounding."""
        if value is None:
            return None
        scaled = value.scaleb(self.scale)
        if scaled != scaled.to_integral_value() or abs(scaled) >= 10**self.precision:
            raise ValueError(f"{value} does not fit {self.precision} digits, {self.scale} of them decimals")
        return int(scaled) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Decimal | None] | None:
        """See TypeDecorator; MySQL's driver gives decimals as they are, and every call saved counts by the million."""
        if dialect.name == "sqlite":
            return self._unscaled
        return super().result_processor(dialect, coltype)

    def _unscaled(self, value: int | None) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.scale)


QUANTITY_SCALE = 3
PRICE_SCALE = 4
AMOUNT_SCALE = 2

time_config = Table(
    "time_config",
    metadata,
    Column("station_id", exact_text(16), primary_key=True),
    Column("id", exact_text(32), primary_key=True),
    Column("name", exact_text(64), nullable=False),
    Column("start_time", exact_text(5), nullable=False),
    Column("end_time", exact_text(5), nullable=False),
    mysql_charset="utf8mb4",
)

orders = Table(
    "orders",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("station_id", exact_text(16), nullable=False),
    Column("order_no", exact_text(64), nullable=False),
    Column("order_time", UtcDateTime, nullable=False),
    Column("receive_date", Date, nullable=False),
    Column("time_config_id", exact_text(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("buyer_code", exact_text(64), nullable=False),
    Column("buyer_name", exact_text(128), nullable=False),
    Column("area", exact_text(64), nullable=False),
    Column("remark", exact_text(500), nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("amount", ExactDecimal(18, AMOUNT_SCALE), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Where an imported order came from; the pair keeps a repeated row from becoming a second order.
    Column("task_id", BigInteger),
    Column("row_index", Integer),
    UniqueConstraint("station_id", "order_no"),
    UniqueConstraint("task_id", "row_index"),
    Index(None, "station_id", "order_time", "id"),
    Index(None, "station_id", "receive_date", "order_time", "id"),
    Index(None, "station_id", "time_config_id", "order_time", "id"),
    mysql_charset="utf8mb4",
)

order_line = Table(
    "order_line",
    metadata,
    Column("order_id", BigId, ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    Column("sku_code", exact_text(64), nullable=False),
    Column("sku_name", exact_text(255), nullable=False),
    Column("unit", exact_text(16), nullable=False),
    Column("quantity", ExactDecimal(18, QUANTITY_SCALE), nullable=False),
    Column("unit_price", ExactDecimal(18, PRICE_SCALE), nullable=False),
    Column("amount", ExactDecimal(18, AMOUNT_SCALE), nullable=False),
    mysql_charset="utf8mb4",
)
