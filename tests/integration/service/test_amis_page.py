"""The example page for amis names addresses and columns that are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gm_async_task.workflow.models import CONTRACT_JOB_COLUMNS
from gm_service.routes.xingqiao import LOOKS
from gm_service.task_view import TaskItem
from tests.support.service import Service

_PAGE = json.loads(Path("docs/amis/tasks.json").read_text("utf-8"))


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every component that asks an API."""
    if isinstance(node, dict):
        if "api" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _parts(child)


def test_its_addresses_are_answered(service: Service) -> None:
    addresses = [part["api"]["url"].replace("${page}", "1").replace("${perPage}", "20") for part in _parts(_PAGE)]
    person = service.person()

    assert len(addresses) == 4
    assert {person.client.get(address).status_code for address in addresses} == {200}
    assert {address.split("?")[0].rpartition("/")[2] for address in addresses} <= {"list", *LOOKS}


def test_its_columns_are_fields_of_the_lists() -> None:
    tasks, jobs = [[column["name"] for column in part["columns"]] for part in _parts(_PAGE) if "columns" in part]

    assert set(tasks) <= set(TaskItem.model_fields)
    assert set(jobs) <= set(CONTRACT_JOB_COLUMNS)
