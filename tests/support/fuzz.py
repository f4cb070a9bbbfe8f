"""S-a: throws what schemathesis makes of a service's own OpenAPI document at every route of it."""

from __future__ import annotations

import gc
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

SLOWEST_SECONDS = 1.0
NEEDED = {
    "/task/update": ("task_id", "field"),
    "/task/amend": ("task_id", "changes"),
    "/task/release": ("task_id", "run_count"),
    "/task/heartbeat": ("task_id", "run_count"),
    **{f"/task/{verb}": ("task_id",) for verb in ("start", "close", "finish", "get")},
    **{f"/async_task/{verb}": ("task_id",) for verb in ("get", "detail", "close")},
    "/no_login/station/order/batch/create": ("import_id", "task_id", "run_count", "station_id", "limit"),
    "/no_login/station/order/batch/outcome": ("import_id", "task_id", "run_count", "station_id"),
    "/station/order/batch/rows": ("task_id",),
    "/station/order/batch/amend": ("task_id", "rows"),
    **{f"/station/order/batch/{verb}": ("order_data", "time_config_id") for verb in ("check", "submit")},
    "/task/hide": ("task_ids",),
    "/task/clear_show": ("task_ids",),
    "/worker/report": ("name", "host", "pid", "version", "queues", "functions", "concurrency", "started_seconds"),
    "/release/share": ("version", "percent"),
    "/release/end": ("version", "state"),
    "/xingqiao/create_job": ("job_namespace", "job_type"),
    **{f"/xingqiao/{verb}": ("job_id",) for verb in ("delete_job", "retry_job", "get_job_detail", "get_graph")},
    **{f"/xingqiao/{verb}": ("job_id",) for verb in ("list_tasks", "get_tasklist_by_jobid")},
    "/xingqiao/get_task": ("task_id",),
    "/xingqiao/statistics_success_rate": ("job_type",),
    "/xingqiao/statistics_jobtag_ratio": ("job_type", "jobtag_name", "jobtag_values"),
    "/xingqiao/statistics_retstat_ratio": ("job_type",),
}
"""what the contract asks for and a schema can't say: one of two names, the token of a run"""
Known = Mapping[str, Sequence[Any]]
"""values that exist, by parameter: random ids would meet nothing but 404"""


def fuzz(
    app: Flask, headers: dict[str, str], examples: int, make_known: Callable[[], Known], skip: tuple[str, ...] = ()
) -> dict[str, set[object]]:
    """Call every operation with `examples` inputs, right and wrong; return what each one answered: the statuses, and of
    answers that have one the `stat` instead.

    `make_known` is called before each operation, so that what one used up is there for the next.

    No answer may be a 5xx, slower than a second, or other than its schema says.
    """
    document = app.test_client().get("/openapi.json", headers=headers).get_json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [result.ok() for result in schema.get_all_operations()]
    answered: dict[str, set[object]] = defaultdict(set)
    with _little_garbage_to_collect():
        for operation in operations:
            if operation.path not in skip:
                _fuzz_operation(app, operation, headers, examples, make_known(), answered[operation.label])
    return answered


@contextmanager
def _little_garbage_to_collect() -> Iterator[None]:
    """Keep what the tests before have left out of collections, which would stop an answer for seconds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _fuzz_operation(  # noqa: PLR0917 one call
    app: Flask, operation: Any, headers: dict[str, str], examples: int, known: Known, answered: set[object]
) -> None:
    needed = NEEDED.get(operation.path, ())
    right = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    @given(case=right | wrong)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        # Where both are given the body counts.
        _steer(case.body if isinstance(case.body, dict) else case.query, known, needed)
        began = time.monotonic()
        response = case.call(app=app, headers=headers)
        seconds = time.monotonic() - began
        answered.add(_outcome_of(response))
        assert response.status_code < 500, (operation.label, case.body, case.query, response.content)
        assert seconds < SLOWEST_SECONDS, (operation.label, seconds)
        case.validate_response(response, checks=[response_schema_conformance])

    call()


def _outcome_of(response: Any) -> object:
    """Return how a call was answered: by its `stat` where there is one, by its status elsewhere."""
    is_json = response.headers.get("Content-Type", [""])[0].startswith("application/json")
    body = response.json() if is_json else None
    return body.get("stat", response.status_code) if isinstance(body, dict) else response.status_code


def _steer(parameters: Any, known: Known, needed: Sequence[str]) -> None:
    """Point two thirds of the inputs at what exists, chosen by what was generated; `needed` are then given too."""
    if not isinstance(parameters, dict):
        return
    chance = zlib.crc32(repr(sorted(parameters.items(), key=repr)).encode("utf-8", "backslashreplace"))
    if chance % 3 == 0:
        return
    for other_name in {
        "position",
        "file",
        *(["job_name"] if "job_id" in needed else []),
        "platform_task_id",
        *(["user_task_id"] if "task_id" in needed else []),
    }:
        parameters.pop(other_name, None)  # two names of one thing would have to agree
    for number, (name, values) in enumerate(known.items()):
        value = values[(chance >> number) % len(values)]
        if name in needed or isinstance(parameters.get(name), type(value)):
            parameters[name] = value
