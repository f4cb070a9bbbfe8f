"""`gm profile task` asks the task service what will come of a mark, and promises no more than that."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from shared.profiling import cli
from shared.profiling.store import ProfileStore
from shared.task_api.client import TaskClient
from shared.task_api.models import TaskStatus
from shared.task_api.transport import HttpTransport
from tests.support.async_task import AUTH_KEY, make_database, make_service

NAME = "shop.tasks.count"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_service(make_database(f"sqlite:///{tmp_path}/tasks.db")), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setenv("GM_ETC", str(tmp_path))
    (tmp_path / "gm.env").write_text(f"GM_ASYNC_TASK_URL={address}\nGM_AUTH_KEY={AUTH_KEY}\n")
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tasks(address: str) -> TaskClient:
    return TaskClient(HttpTransport(address, AUTH_KEY))


def add(tasks: TaskClient, **options: Any) -> int:
    named = {"type": 2, "business_id": 1, "business_name": "count", **options}
    return tasks.create("S001", NAME, json.dumps({}), **named).task_id


def end(tasks: TaskClient, task_id: int) -> None:
    started = tasks.start(task_id)
    tasks.finish(task_id, status=TaskStatus.FINISHED, run_count=started.run_count)


def mark(folder: Path, task_id: int | str) -> tuple[Result, bool]:
    """Return what the command said, and whether the task is marked."""
    done = CliRunner().invoke(cli.profile, ["--folder", str(folder), "task", str(task_id)])
    return done, ProfileStore(folder).take_mark(str(task_id)) is not None


def test_a_task_that_waits_is_marked(tmp_path: Path, tasks: TaskClient) -> None:
    done, is_marked = mark(tmp_path, add(tasks))

    assert (done.exit_code, is_marked) == (0, True)
    assert f"It waits to be run ({NAME})" in done.output


@pytest.mark.parametrize("reaches", ["running", "ended"])
def test_a_task_that_never_runs_again_is_refused_and_its_function_named(
    tmp_path: Path, tasks: TaskClient, reaches: str
) -> None:
    task_id = add(tasks)
    tasks.start(task_id) if reaches == "running" else end(tasks, task_id)

    done, is_marked = mark(tmp_path, task_id)

    assert (done.exit_code, is_marked) == (1, False)
    assert f"gm profile task {NAME}" in done.output


@pytest.mark.parametrize(("reaches", "told"), [("running", "It runs already"), ("ended", "starts it again")])
def test_a_repeatable_task_is_marked_for_its_next_run(
    tmp_path: Path, tasks: TaskClient, reaches: str, told: str
) -> None:
    task_id = add(tasks, repeat=True)
    tasks.start(task_id) if reaches == "running" else end(tasks, task_id)

    done, is_marked = mark(tmp_path, task_id)

    assert (done.exit_code, is_marked) == (0, True)
    assert told in done.output


@pytest.mark.usefixtures("address")
@pytest.mark.parametrize("task_id", [999_999, 0, 10**30])
def test_a_task_that_is_not_there_is_not_marked(tmp_path: Path, task_id: int) -> None:
    done, is_marked = mark(tmp_path, task_id)

    assert (done.exit_code, is_marked) == (1, False)
    assert f"There is no task {task_id}." in done.output


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", "aren't known here"),
        (f"GM_ASYNC_TASK_URL=http://127.0.0.1:1\nGM_AUTH_KEY={AUTH_KEY}\n", "in vain"),
    ],
)
def test_where_nobody_can_be_asked_the_mark_is_set_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, told: str
) -> None:
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setenv("GM_ETC", str(tmp_path))
    (tmp_path / "gm.env").write_text(settings)

    done, is_marked = mark(tmp_path, 12)

    assert (done.exit_code, is_marked) == (0, True)
    assert told in done.output


def test_the_folder_of_a_stack_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    monkeypatch.setenv("GM_ETC", str(tmp_path))
    monkeypatch.delenv("GM_PROFILE_DIR", raising=False)
    (tmp_path / ".stack").mkdir()
    (tmp_path / ".stack/env").write_text(f"GM_PROFILE_DIR={tmp_path}/profiles\n")

    done = CliRunner().invoke(cli.profile, ["explain", "99"])

    assert f"There is no profile of 99 in {tmp_path}/profiles" in done.output
