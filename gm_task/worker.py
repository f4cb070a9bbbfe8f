"""The worker's entry: `python -m gm_task.worker`. SIGTERM stops it gracefully, in bounded time."""

from __future__ import annotations

import logging
import sys

from gm_task.app import make_worker
from gm_task.config import TaskSettings
from gm_task.queues import UnknownQueue
from gm_task.registry import RegistryError
from shared.broker.settings import BrokerRefused
from shared.logs import configure_logs
from shared.metrics.folder import open_folder
from shared.metrics.table import WORKER
from shared.starting import starting

# They say a second time, without ids, what run_started and run_finished say.
_REPEATING_LOGGERS = ("celery.app.trace", "celery.worker.strategy")


def main() -> int:
    """Run a worker until it is told to stop; return the process's exit code."""
    with starting("gm_task"):
        settings = TaskSettings()
    configure_logs("gm_task", settings.log_level, settings.secrets(), keeps_runs=True)
    for name in _REPEATING_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    open_folder(WORKER)
    try:
        worker, showing = make_worker(settings)
    except (BrokerRefused, RegistryError, UnknownQueue) as error:
        sys.stderr.write(f"gm_task does not start: {error}\n")
        return 2
    showing.start()
    try:
        worker.start()
    finally:
        showing.stop()
    return worker.exitcode or 0


if __name__ == "__main__":
    sys.exit(main())
