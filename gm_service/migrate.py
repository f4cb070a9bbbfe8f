"""Brings the order database to the newest schema: `python -m gm_service.migrate`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.engine import Engine

import gm_service
from gm_service.config import ServiceSettings
from gm_service.db import metadata
from shared.database import make_engine
from shared.logs import configure_logs
from shared.migrate import upgrade

SCRIPTS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_service"


def migrate(engine: Engine) -> None:
    """Upgrade to the newest schema; does nothing where it is there."""
    upgrade(engine, SCRIPTS, full_metadata(), VERSION_TABLE)


def full_metadata() -> MetaData:
    """Return the metadata with the tables of every feature in it."""
    for room in pkgutil.iter_modules(gm_service.__path__):
        if room.ispkg and (Path(gm_service.__path__[0]) / room.name / "models.py").exists():
            import_module(f"gm_service.{room.name}.models")
    return metadata


def main() -> None:
    """Upgrade the configured database."""
    settings = ServiceSettings()
    configure_logs("gm_service.migrate", settings.log_level, settings.secrets())
    migrate(make_engine(settings.service_database_url.get_secret_value()))


if __name__ == "__main__":
    main()
