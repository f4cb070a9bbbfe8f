"""R6: random sequences of calls, time passing and rings do the same on the service as on the model.

The model is the fake: about as small as a model of the contract can be, and kept honest by the contract suite.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.engine import Engine

from gm_async_task.tasks.models import tasks
from gm_async_task.tasks.sweep import Sweeper
from shared.database import DatabaseClock, in_write
from shared.errors import PlatformError
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import TaskStatus
from tests.support.async_task import AppTransport, make_database, make_service, make_settings
from tests.support.queues import SilentQueue

SEQUENCES = 200
STEPS = 40
LEASE_SECONDS = 60.0
Call = Callable[[TaskClient, int], Any]


def _calls(chance: random.Random) -> tuple[str, Call]:
    """Choose the next call: its name for the report, and what to do to a client and a task."""
    token = chance.choice([None, 1, 1, 2, 3])
    status = chance.choice([3, 4, 5])
    claim = chance.choice([None, "a", "b"])
    expected = chance.choice([None, None, 0, 1, 2])
    lost = chance.choice([True, False])
    value = chance.choice([0, 10, 50, 90])
    path = chance.choice(["$.a", "$.b[0]", "$.b", "$[0]"])
    content = chance.choice([1, [], {}])
    outcome = chance.choice(
        [{}, {"result": {"s": status}}, {"reason": "why"}, {"reason": "w", "reason_code": "closed"}]
    )
    calls: dict[str, Call] = {
        f"start({claim}, {expected})": lambda c, t: c.start(t, claim_id=claim, expect_run_count=expected).run_count,
        f"heartbeat({token})": lambda c, t: c.heartbeat(t, token or 1).stop_requested,
        f"progress({value}, {token})": lambda c, t: c.update(t, field="progress", value=value, run_count=token),
        f"status({status}, {token})": lambda c, t: c.update(t, field="status", value=status, run_count=token),
        f"put({path}, {token})": lambda c, t: c.update(t, field="result", postion=path, value=content, run_count=token),
        f"finish({status}, {token}, {outcome})": lambda c, t: c.finish(t, status=status, run_count=token, **outcome),
        f"reason({token})": lambda c, t: c.update(t, field="reason", value="so", run_count=token),
        f"release({token}, {lost})": lambda c, t: c.release(t, run_count=token or 1, lost=lost),
        "close": lambda c, t: c.close(t, reason="asked"),
        "hide": lambda c, t: c.clear_show([t]),
    }
    weights = [4, 2, 2, 1, 2, 2, 1, 1, 1, 1]
    return chance.choices(list(calls.items()), weights)[0]


def _outcome(call: Call, client: TaskClient, task_id: int) -> Any:
    try:
        return call(client, task_id)
    except PlatformError as error:
        return type(error).__name__


def _seen(client: TaskClient, task_id: int) -> tuple[Any, ...]:
    task = client.get(task_id)
    shown = (task.status, task.run_count, task.result, task.progress, task.reason_code, task.message_show)
    runs = [(run.run_count, run.status, run.reason_code, run.end_time is None) for run in client.runs(task_id)]
    reason = task.reason if task.reason in (None, "so", "why", "w", "asked") else "the platform's own"
    return (*shown, reason, task.end_time is None, runs)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_random_sequences_do_the_same_as_the_model(kind: str, make_database_url: Callable[[str], str]) -> None:
    engine = make_database(make_database_url(kind))

    for seed in range(SEQUENCES):
        _compare(engine, random.Random(seed), seed)

    engine.dispose()


def _compare(engine: Engine, chance: random.Random, seed: int) -> None:
    in_write(engine, lambda connection: connection.execute(delete(tasks)))
    clock, fake = DatabaseClock(), FakeTaskApi(lease_seconds=LEASE_SECONDS)
    sweeper = Sweeper(engine, make_settings(stop_seconds=10**6, run_seconds=10**6), clock, SilentQueue())
    real, model = TaskClient(AppTransport(make_service(engine, clock))), TaskClient(fake)
    task = {"task_name": "demo.work", "input": "{}", "queue": chance.choice([None, "q"])}
    task |= {"repeat": chance.choice([True, False]), "type": chance.choice([0, 1])}
    real_id, model_id = real.create("S001", **task).task_id, model.create("S001", **task).task_id

    history: list[str] = []
    closed = False
    for _ in range(chance.randint(1, STEPS)):
        if chance.random() < 0.15:
            history.append("lease ends")
            clock.offset_seconds += LEASE_SECONDS + 1
            sweeper.sweep()
            fake.now_seconds += LEASE_SECONDS + 1
            fake.expire_leases()
        else:
            name, call = _calls(chance)
            history.append(name)
            expected, actual = _outcome(call, model, model_id), _outcome(call, real, real_id)
            if not name.startswith("hide"):  # names ids, which differ
                assert actual == expected, (seed, history)
        seen = _seen(real, real_id)
        assert seen == _seen(model, model_id), (seed, history)
        closed = closed or history[-1] == "close"
        _check_closed(closed, history, seen, seed)
        closed = closed and seen[0] in (TaskStatus.SUBMITTED, TaskStatus.RUNNING)


def _check_closed(closed: bool, history: list[str], seen: tuple[Any, ...], seed: int) -> None:
    """What the model does not supply: a task that was closed before its end is never handed to anybody again."""
    if closed:
        assert seen[0] != TaskStatus.SUBMITTED, (seed, history)
