"""R19: 50,000 tasks wait that nobody rang for: the keeper fills no broker and stays small; its sweeps are told."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.engine import Engine

from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.sweep import Sweeper
from shared.broker.queue import make_task_queue
from shared.broker.settings import make_celery
from shared.database import DatabaseClock, in_read, in_write, make_engine
from shared.task_api.models import TaskStatus
from tests.support.async_task import make_settings
from tests.support.cluster import QUEUE, Cluster
from tests.support.platforms import KINDS

PENDING, AT_ONCE = 50_000, 5_000
WATCH_SECONDS = 60
WINDOW = 100
MOST_KEEPER_MB = 150
RINGING = {"GM_RING_AFTER_SECONDS": "5", "GM_SWEEP_SECONDS": "1", "GM_RING_WINDOW": str(WINDOW)}

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


def _add_unrung(engine: Engine, count: int) -> None:
    """Insert tasks as an add leaves them whose sender could not reach the broker, due to be rung for."""
    moment = datetime.now(UTC).replace(tzinfo=None)
    row = {
        "name": "tests.support.task_functions.double",
        "station_id": "S001",
        "input": '{"n": 1}',
        "status": int(TaskStatus.SUBMITTED),
        "repeat": False,
        "message_show": True,
        "run_count": 0,
        "business_id": 0,
        "business_name": "",
        "type": 2,
        "queue": QUEUE,
        "dispatch_count": 0,
        "run_seconds": 60.0,
        "lost_runs": 0,
        "stop_requested": False,
        **dict.fromkeys(("creat_time", "modify_time", "dispatch_at"), moment),
    }
    for first in range(0, count, AT_ONCE):
        rows = [row | {"user_task_id": f"pending-{first + number}"} for number in range(AT_ONCE)]
        in_write(engine, lambda connection, rows=rows: connection.execute(insert(tasks), rows))


@contextmanager
def _depth_of(url: str) -> Iterator[Callable[[], int]]:
    """Yield what tells how many doorbells wait in the broker."""
    app = make_celery("watcher", url)
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        yield lambda: channel.queue_declare(QUEUE, passive=True).message_count


def _count_ended(engine: Engine) -> int:
    query = select(func.count()).where(tasks.c.status == int(TaskStatus.FINISHED))
    return int(in_read(engine, lambda connection: connection.execute(query).scalar_one()))


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_backlog_fills_no_broker(make_platform: Callable[..., Cluster], kind: str) -> None:
    platform = make_platform(kind, GM_WORKER_CONCURRENCY="4", **RINGING)
    url = platform.environment["GM_BROKER_URL"]
    engine = make_engine(platform.databases.tasks_url)
    # A keeper beside the platform's own, which does the same and whose sweeps can be timed.
    settings = make_settings(ring_after_seconds=5, ring_window=WINDOW)
    keeper = Sweeper(engine, settings, DatabaseClock(), make_task_queue(url))
    _add_unrung(engine, PENDING)

    depths, seconds = list[int](), list[float]()
    with _depth_of(url) as depth:
        end = time.monotonic() + WATCH_SECONDS
        while time.monotonic() < end:
            began = time.monotonic()
            keeper.sweep()
            seconds.append(time.monotonic() - began)
            while time.monotonic() < began + 1:
                depths.append(depth())
                time.sleep(0.1)

    ended, peak = _count_ended(engine), _peak_mb(platform.processes["keeper"].pid)
    print(  # noqa: T201
        f"R19 {kind}: at most {max(depths)} doorbells in the broker, {ended} tasks in {WATCH_SECONDS} s, keeper "
        f"{peak:.0f} MB, sweep {statistics.median(seconds) * 1000:.0f} ms (median), {max(seconds) * 1000:.0f} ms (most)"
    )
    assert max(depths) <= WINDOW
    assert ended > 0
    assert peak <= MOST_KEEPER_MB
