"""The maintenance loop, a process of its own: `python -m gm_async_task.keeper`. Any number of them may run."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from types import FrameType

import structlog

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.db import ANSWER_SECONDS
from gm_async_task.tasks.sweep import Sweeper
from shared.broker.queue import make_task_queue
from shared.database import DatabaseClock, make_engine
from shared.errors import Unavailable
from shared.logs import configure_logs

log = structlog.get_logger(__name__)


def main() -> None:
    """Sweep until told to stop."""
    settings = AsyncTaskSettings()
    configure_logs("keeper", settings.log_level, settings.secrets())
    engine = make_engine(settings.async_task_database_url.get_secret_value(), answer_seconds=ANSWER_SECONDS)
    queue = make_task_queue(settings.broker_url.get_secret_value())
    stopping = threading.Event()
    _stop_on_signal(stopping)
    log.info("keeper_started")
    keep(Sweeper(engine, settings, DatabaseClock(), queue), settings.sweep_seconds, stopping)
    log.info("keeper_stopped")


def keep(sweeper: Sweeper, pause_seconds: float, stopping: threading.Event) -> None:
    """Sweep, pause, sweep again until `stopping`; a failed sweep is logged and the next one tries again."""
    while not stopping.is_set():
        try:
            swept = asdict(sweeper.sweep())
            if any(swept.values()):
                log.info("swept", **swept)
        except Unavailable as error:
            log.warning("sweep_postponed", problem=str(error))
        except Exception:
            # The keeper outlives whatever one sweep runs into; the next one meets the same state afresh.
            log.exception("sweep_failed")
        stopping.wait(pause_seconds)


def _stop_on_signal(stopping: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    main()
