"""What a station sells and to whom: the codes that a row may name. A station that keeps no list takes every code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.engine import Connection, Engine

from gm_service.orders.imports.models import catalogue
from shared.database import in_read, in_write

_CODES_A_QUERY = 500


class Kind(StrEnum):
    """What a code stands for."""

    SKU = "sku"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Entry:
    """A code that may be named."""

    code: str
    name: str
    unit: str = ""
    """of goods; empty for buyers"""


def find_entries(connection: Connection, station_id: str, kind: Kind, codes: Iterable[str]) -> dict[str, Entry] | None:
    """Return those of the codes that the station's list has, None where it keeps no such list."""
    wanted = sorted(set(codes))
    found: dict[str, Entry] = {}
    for start in range(0, len(wanted), _CODES_A_QUERY):
        statement = select(catalogue.c.code, catalogue.c.name, catalogue.c.unit).where(
            *_of(station_id, kind), catalogue.c.code.in_(wanted[start : start + _CODES_A_QUERY])
        )
        found |= {row.code: Entry(*row) for row in connection.execute(statement)}
    return found if found or _keeps(connection, station_id, kind) else None


def put_entries(connection: Connection, station_id: str, kind: Kind, entries: Sequence[Entry]) -> None:
    """Add these codes to the station's list, in the place of what stood there under them."""
    latest = {entry.code: entry for entry in entries}
    if not latest:
        return
    codes = list(latest)
    for start in range(0, len(codes), _CODES_A_QUERY):
        some = catalogue.c.code.in_(codes[start : start + _CODES_A_QUERY])
        connection.execute(delete(catalogue).where(*_of(station_id, kind), some))
    rows = [
        {"station_id": station_id, "kind": kind.value, "code": each.code, "name": each.name, "unit": each.unit}
        for each in latest.values()
    ]
    connection.execute(insert(catalogue), rows)


def count_entries(connection: Connection, station_id: str) -> dict[Kind, int]:
    """Return how many codes each of the station's lists has."""
    statement = (
        select(catalogue.c.kind, func.count()).where(catalogue.c.station_id == station_id).group_by(catalogue.c.kind)
    )
    counts = {row[0]: row[1] for row in connection.execute(statement)}
    return {kind: counts.get(kind.value, 0) for kind in Kind}


@dataclass(frozen=True, slots=True)
class CatalogueService:
    """What the routes of a station's lists call.

    Raises (all): Unavailable when the database is away.
    """

    engine: Engine

    def put(self, station_id: str, entries: Mapping[Kind, Sequence[Entry]]) -> dict[Kind, int]:
        """Add codes to the station's lists, or replace what stands under them; return how many each list has."""

        def put(connection: Connection) -> dict[Kind, int]:
            for kind, some in entries.items():
                put_entries(connection, station_id, kind, some)
            return count_entries(connection, station_id)

        return in_write(self.engine, put)

    def count(self, station_id: str) -> dict[Kind, int]:
        """Return how many codes each of the station's lists has."""
        return in_read(self.engine, lambda connection: count_entries(connection, station_id))


def _keeps(connection: Connection, station_id: str, kind: Kind) -> bool:
    return connection.execute(select(catalogue.c.code).where(*_of(station_id, kind)).limit(1)).first() is not None


def _of(station_id: str, kind: Kind) -> tuple[ColumnElement[bool], ...]:
    return (catalogue.c.station_id == station_id, catalogue.c.kind == kind.value)
