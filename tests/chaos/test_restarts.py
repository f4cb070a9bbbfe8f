"""R11: a host's workers restarted and drained by supervisorctl, again and again, under load with exports."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from shared.task_api.models import TaskStatus
from tests.support.supervised import SupervisedHost
from tests.support.waiting import wait_for

SEED = int(os.environ.get("GM_CHAOS_SEED", "20261121"))
ROUNDS = 10
MOST_WAITING = 12
SOFT_SECONDS, GRACE_SECONDS = 35, 15
"""GM_STOP_GRACE_SECONDS and GM_RETURN_GRACE_SECONDS; what the plan adds"""
SURVIVING_SECONDS = 2
SLOTS = ("a", "b")

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisedHost]:
    with SupervisedHost(tmp_path_factory.mktemp("host"), workers=2) as running:
        running.write("slot-b")
        yield running


class Load:
    """Exports, which may run again, and tasks whose effect must not be done twice, for as long as it is used.

    As many as workers can do and a few more wait, so that what is measured is restarts and not a backlog.
    """

    def __init__(self, host: SupervisedHost, chance: random.Random) -> None:
        self._host, self._chance = host, chance
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._submit)
        self.exports: list[int] = []
        self.once: list[int] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _submit(self) -> None:
        while not self._stopping.wait(0.3):
            if len(self.exports) + len(self.once) - len(set(self._host.effects_done())) >= MOST_WAITING:
                continue
            self.exports.append(self._host.submit_export(self._chance.uniform(0.5, 3)))
            given = {"seconds": self._chance.uniform(0.05, 1), "effects": str(self._host.effects)}
            self.once.append(self._host.submit("note_effect", given))


def _restart(host: SupervisedHost) -> None:
    host.control("restart", "workers-a:*")


def _drain(host: SupervisedHost) -> None:
    """Lead the work over to the idle slot, and back the next time."""
    active, idle = SLOTS if host.status("workers-a:worker-a-gm_task_00").pid else SLOTS[::-1]
    host.control("start", f"workers-{idle}:*")
    host.control("stop", f"workers-{active}:*")


def test_ten_restarts_and_drains_under_load_lose_nothing_and_leave_nothing(host: SupervisedHost) -> None:
    print(f"seed {SEED}")  # noqa: T201 to run it again
    chance = random.Random(SEED)
    stops: list[float] = []
    survivors: list[int] = []
    hit = 0
    with Load(host, chance) as load:
        for number in range(ROUNDS):
            wait_for(host.living_exports, 60, "an export")
            before = set(host.living_exports())
            began = time.monotonic()
            (_drain if number % 2 else _restart)(host)
            stops.append(time.monotonic() - began)
            hit += len(before)
            wait_for(lambda before=before: not before & set(host.living_exports()), SURVIVING_SECONDS, "their end")
            survivors += before & set(host.living_exports())
            if number % 2:
                _drain(host)  # back to slot a
    began = time.monotonic()
    ended = {task_id: host.ended(task_id, 180) for task_id in [*load.exports, *load.once]}
    settled = time.monotonic() - began
    effects = Counter(host.effects_done())

    again = sum(ended[task_id].run_count > 1 for task_id in load.exports)
    print(  # noqa: T201
        f"R11: {len(load.exports)} exports ({again} run again), {len(load.once)} that must not run twice; "
        f"{hit} exports hit by {ROUNDS} restarts and drains; longest {max(stops):.1f} s; settled {settled:.1f} s after"
    )
    assert {task.status for task in ended.values()} == {TaskStatus.FINISHED}, "none lost"
    assert {ended[task_id].run_count for task_id in load.once} == {1}
    assert {task_id: effects[task_id] for task_id in load.once} == dict.fromkeys(load.once, 1), "none twice"
    # An export that is given back as it ends is made again; a real one then takes the other's place by its name.
    assert all(effects[task_id] >= 1 for task_id in load.exports)
    assert survivors == []
    assert max(stops) <= SOFT_SECONDS + GRACE_SECONDS
    assert hit >= ROUNDS
