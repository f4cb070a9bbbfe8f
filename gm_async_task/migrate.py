"""Brings the task database to the newest schema: `python -m gm_async_task.migrate`."""

from __future__ import annotations

from pathlib import Path

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.db import metadata
from gm_async_task.tasks import models as task_models  # noqa: F401 fills the metadata
from gm_async_task.workers import models as worker_models  # noqa: F401 fills it further
from gm_async_task.workflow import models as workflow_models  # noqa: F401 and further
from shared.database import make_engine
from shared.logs import configure_logs
from shared.migrate import STATEMENT_SECONDS, upgrade
from shared.starting import starting

SCRIPTS = Path(__file__).parent / "migrations"


def main() -> None:
    """Upgrade the configured database."""
    with starting("gm_async_task.migrate"):
        settings = AsyncTaskSettings()
        configure_logs("gm_async_task.migrate", settings.log_level, settings.secrets())
        url = settings.async_task_database_url.get_secret_value()
        upgrade(make_engine(url, answer_seconds=STATEMENT_SECONDS), SCRIPTS, metadata, "alembic_async_task")


if __name__ == "__main__":
    main()
