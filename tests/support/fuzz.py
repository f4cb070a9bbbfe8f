"""S-a: throws what schemathesis makes of a service's own OpenAPI document at every route of it."""

from __future__ import annotations

import time
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import response_schema_conformance

SLOWEST_SECONDS = 1.0


def fuzz(app: Flask, headers: dict[str, str], examples: int, skip: tuple[str, ...] = ()) -> int:
    """Call every operation with `examples` inputs, right and wrong; return how many operations there were.

    No answer may be a 5xx, slower than a second, or other than its schema says.
    """
    document = app.test_client().get("/openapi.json", headers=headers).get_json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [result.ok() for result in schema.get_all_operations()]
    wanted = [operation for operation in operations if operation.path not in skip]
    for operation in wanted:
        _fuzz_operation(app, operation, headers, examples)
    return len(wanted)


def _fuzz_operation(app: Flask, operation: Any, headers: dict[str, str], examples: int) -> None:
    modes = list(schemathesis.GenerationMode)

    @given(case=operation.as_strategy(generation_mode=modes[0]) | operation.as_strategy(generation_mode=modes[1]))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        began = time.monotonic()
        response = case.call(app=app, headers=headers)
        seconds = time.monotonic() - began
        assert response.status_code < 500, (operation.label, case.body, case.query, response.content)
        assert seconds < SLOWEST_SECONDS, (operation.label, seconds)
        case.validate_response(response, checks=[response_schema_conformance])

    call()
