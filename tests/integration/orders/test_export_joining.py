"""Asking for an export that is under way joins it; one that has ended is made anew."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from gm_service.orders.exports.joining import Joined, submit_once
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.models import AddedTask
from tests.support.order_rows import OTHER_STATION, STATION

DAY = date(2010, 12, 1)
QUERY = OrderQuery(QueryType.ORDER_DATE, start_date=DAY, end_date=DAY)
REQUEST = ExportRequest(STATION, QUERY, "house", "orders.xlsx", "en")


class Exports:
    """Asks for exports over the fake task API."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.tasks = TaskClient(FakeTaskApi())
        self.is_dying = False

    def ask(self, request: ExportRequest = REQUEST) -> Joined:
        def submit(key: str) -> AddedTask:
            added = self.tasks.create(
                request.station_id, "gm_task.export", request.to_json(), user_task_id=key, type=1, repeat=True
            )
            if self.is_dying:
                raise KeyboardInterrupt
            return added

        return submit_once(self.engine, self.tasks, request, submit)

    def end(self, task_id: int) -> None:
        run = self.tasks.start(task_id)
        self.tasks.finish(task_id, run_count=run.run_count)


@pytest.fixture
def exports(orders_engine: Engine) -> Exports:
    return Exports(orders_engine)


def test_same_request_joins_the_export_that_is_under_way(exports: Exports) -> None:
    first, waiting = exports.ask(), exports.ask()
    exports.tasks.start(first.task_id)
    running = exports.ask()

    assert (first.is_joined, waiting, running) == (False, Joined(first.task_id, True), Joined(first.task_id, True))


def test_other_request_is_another_export(exports: Exports) -> None:
    others = [
        replace(REQUEST, language="zh"),
        replace(REQUEST, format="house_csv"),
        replace(REQUEST, query=replace(QUERY, search_text="x")),
        replace(REQUEST, station_id=OTHER_STATION),
    ]

    tasks = {exports.ask(request).task_id for request in [REQUEST, *others]}

    assert len(tasks) == 5


def test_export_that_has_ended_is_made_anew_each_time(exports: Exports) -> None:
    made = []
    for _ in range(4):
        made.append(exports.ask().task_id)
        exports.end(made[-1])

    assert len(set(made)) == 4


def test_export_that_was_asked_to_stop_is_not_joined(exports: Exports) -> None:
    first = exports.ask()
    exports.tasks.start(first.task_id)
    exports.tasks.close(first.task_id)

    assert exports.ask().task_id != first.task_id


@pytest.mark.parametrize("has_ended", [True, False])
def test_task_that_nobody_had_time_to_note_is_found(exports: Exports, has_ended: bool) -> None:
    exports.is_dying = True
    with pytest.raises(KeyboardInterrupt):
        exports.ask()
    exports.is_dying = False
    if has_ended:
        exports.end(1)

    joined = exports.ask()

    assert (joined.task_id == 1, joined.is_joined) == (not has_ended, not has_ended)


def test_people_asking_at_the_same_moment_get_the_same_task(exports: Exports) -> None:
    answers: list[Joined] = []
    threads = [threading.Thread(target=lambda: answers.append(exports.ask())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert len(answers) == 8
    assert len({answer.task_id for answer in answers}) == 1
