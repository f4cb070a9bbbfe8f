"""Brings the order database to the newest schema: `python -m gm_service.migrate`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import Engine

from gm_service.config import ServiceSettings
from gm_service.db import metadata
from gm_service.orders import models as order_models  # noqa: F401 fills the metadata
from gm_service.orders.exports import models as export_models  # noqa: F401
from gm_service.orders.imports import models as import_models  # noqa: F401
from gm_service.stations import models as station_models  # noqa: F401 fills the metadata
from shared.database import make_engine
from shared.logs import configure_logs
from shared.migrate import STATEMENT_SECONDS, upgrade
from shared.starting import starting

SCRIPTS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_service"


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema; does nothing where it is there."""
    upgrade(engine, SCRIPTS, metadata, VERSION_TABLE)


def main() -> None:
    """Upgrade the configured database."""
    with starting("gm_service.migrate"):
        settings = ServiceSettings()
        configure_logs("gm_service.migrate", settings.log_level, settings.secrets())
        migrate(make_engine(settings.service_database_url.get_secret_value(), answer_seconds=STATEMENT_SECONDS))


if __name__ == "__main__":
    main()
