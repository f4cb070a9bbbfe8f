"""Operating cycles, as the use cases of exports and imports ask for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection, Engine

from gm_service.orders import store
from gm_service.orders.models import TimeConfig
from shared.database import in_read
from shared.errors import RuleRefused


def require_time_config(connection: Connection, station_id: str, time_config_id: str) -> TimeConfig:
    """Return the station's operating cycle.

    Raises:
        RuleRefused: the station has none of that id.
    """
    found = store.find_time_config(connection, station_id, time_config_id)
    if found is None:
        raise RuleRefused(
            problem=f"The station has no operating cycle {time_config_id!r}.",
            problem_zh=f"本站点没有运营周期 {time_config_id!r}。",
        )
    return found


@dataclass(frozen=True, slots=True)
class CycleReader:
    """Reads the operating cycles of stations."""

    engine: Engine

    def list_cycles(self, station_id: str) -> list[TimeConfig]:
        """Return the station's operating cycles.

        Raises:
            Unavailable: the database is away.
        """
        return in_read(self.engine, lambda connection: store.list_time_configs(connection, station_id))
