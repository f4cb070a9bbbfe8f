"""The maintenance loop, a process of its own: `python -m gm_async_task.keeper`. Any number of them may run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Any, Protocol

import structlog

from gm_async_task.config import AsyncTaskSettings
from gm_async_task.db import ANSWER_SECONDS
from gm_async_task.health import KeeperPulse
from gm_async_task.hearing import Hearing, asks
from gm_async_task.tasks.meter import TaskMeter
from gm_async_task.tasks.sweep import Sweeper
from gm_async_task.workers.keeping import WorkerKeeper
from gm_async_task.workflow.room import make_workflow_room
from shared.broker.queue import make_task_queue
from shared.database import DatabaseClock, make_engine
from shared.errors import Unavailable
from shared.health import HealthFile
from shared.logs import configure_logs
from shared.metrics import table
from shared.metrics.calls import CountingQueue
from shared.metrics.exposition import Exposition, Reading
from shared.metrics.meters import Meters
from shared.metrics.server import Endpoint
from shared.metrics.table import KEEPER
from shared.starting import starting

log = structlog.get_logger(__name__)


class Sweeps(Protocol):
    """Something that is due again and again."""

    def sweep(self) -> Any:
        """Do what is due now; return a dataclass of how much there was."""
        ...


def main() -> None:
    """Sweep until told to stop."""
    with starting("keeper"):
        settings = AsyncTaskSettings()
        configure_logs("keeper", settings.log_level, settings.secrets())
        engine = make_engine(settings.async_task_database_url.get_secret_value(), answer_seconds=ANSWER_SECONDS)
        queue = make_task_queue(settings.broker_url.get_secret_value())
    meters, pulse, clock = Meters(KEEPER), KeeperPulse(settings.sweep_seconds), DatabaseClock()
    counting_queue = CountingQueue(queue, meters)
    room = make_workflow_room(engine, settings, clock, counting_queue)
    hearing = Hearing(asks(settings.async_task_url), settings.lease_seconds) if settings.async_task_url else None
    sweeper = Sweeper(
        engine, settings, clock, counting_queue, TaskMeter(meters), follower=room.job_engine, hearing=hearing
    )
    stopping = threading.Event()
    _stop_on_signal(stopping)
    with shown(settings, pulse, meters):
        log.info("keeper_started")
        sweepers: list[Sweeps] = [WorkerKeeper(engine, settings, clock), sweeper, room.sweeper]
        keep(sweepers, settings.sweep_seconds, stopping, pulse, meters)
        log.info("keeper_stopped")


def keep(
    sweepers: Sequence[Sweeps], pause_seconds: float, stopping: threading.Event, pulse: KeeperPulse, meters: Meters
) -> None:
    """Sweep, pause, sweep again until `stopping`; a failed sweep is logged and the next one tries again."""
    while not stopping.is_set():
        outcomes = [_sweep(sweeper, meters) for sweeper in sweepers]
        pulse.swept(succeeded=set(outcomes) == {"done"})
        stopping.wait(pause_seconds)


def _sweep(sweeper: Sweeps, meters: Meters) -> str:
    """Sweep once, and return what came of it."""
    outcome = "failed"
    try:
        swept = asdict(sweeper.sweep())
        outcome = "done"
        for action, number in swept.items():
            meters.count(table.SWEEPER, number, action=action)
        if any(swept.values()):
            log.info("swept", **swept)
    except Unavailable as error:
        outcome = "postponed"
        log.warning("sweep_postponed", problem=str(error))
    except Exception:
        # The keeper outlives whatever one sweep runs into; the next one meets the same state afresh.
        log.exception("sweep_failed")
    meters.count(table.SWEEPS, outcome=outcome)
    return outcome


@contextmanager
def shown(settings: AsyncTaskSettings, pulse: KeeperPulse, meters: Meters) -> Iterator[None]:
    """Show the keeper's health and metrics, as the settings want it, for as long as the block lasts."""
    exposition = Exposition(
        meters, settings.present_release, lambda: [Reading(table.SWEEP_AGE_SECONDS, pulse.success_age())]
    )
    with ExitStack() as ends:
        endpoint = Endpoint(settings.keeper_bind, settings, pulse.judge, exposition)
        endpoint.start()
        ends.callback(endpoint.stop)
        if settings.keeper_health_file:
            file = HealthFile(settings.keeper_health_file, pulse.judge)
            file.start()
            ends.callback(file.stop)
        yield


def _stop_on_signal(stopping: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    main()
