"""Runs of tasks are profiled once they are marked, with the requests and scripts that they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gm_service.migrate import migrate
from gm_service.orders.query import ExportRequest, OrderQuery, QueryType
from gm_task.script import clean_environment
from shared.database import make_engine
from shared.profiling.plan import ProfilePlan
from shared.profiling.present import current_session, headers_to_pass
from shared.profiling.runs import ProfiledRuns, environment_of_run
from shared.profiling.store import ProfileStore
from tests.support.order_rows import STATION, insert, make_order

NAME = "shop.tasks.count"
KEY = "operator-" + "k" * 32


EXPORT = ExportRequest(
    STATION,
    OrderQuery(QueryType.ORDER_DATE, start_date=date(2010, 12, 1), end_date=date(2010, 12, 1)),
    "house",
    "orders.xlsx",
    "en",
).to_json()


def make_runs(folder: Path, every: dict[str, int] | None = None) -> ProfiledRuns:
    return ProfiledRuns(ProfilePlan(ProfileStore(folder), KEY, every or {}, "cprofile"))


def count_up() -> int:
    return sum(int(str(number)) for number in range(50))


def run(runs: ProfiledRuns, task_id: int = 7, run_count: int = 1) -> int:
    return runs.run(NAME, task_id, run_count, count_up)


@pytest.mark.parametrize("wanted", ["7", NAME])
def test_a_marked_task_or_function_is_profiled_once(tmp_path: Path, wanted: str) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark(wanted, "cprofile")

    assert [run(runs), run(runs, run_count=2)] == [count_up()] * 2

    [record] = runs.plan.store.list_records()
    assert (record["kind"], record["name"], record["task_id"], record["run_count"]) == ("task", NAME, 7, 1)
    assert any(place[2] == "count_up" for place in runs.plan.store.table_of(record))


def test_another_task_is_not_profiled_by_the_mark(tmp_path: Path) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("8", "cprofile")

    run(runs, task_id=7)

    assert runs.plan.store.list_records() == []


@pytest.mark.parametrize("wanted", ["../7", "", ".hidden", "a b"])
def test_a_mark_that_can_be_no_task_is_refused(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        ProfileStore(tmp_path).mark(wanted, "cprofile")


@pytest.mark.parametrize("content", ["[]", "{}", '{"id": "x", "started_at": 1}', "not json"])
def test_files_that_are_no_records_are_left_out(tmp_path: Path, content: str) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("7", "ledger")
    run(runs)
    (tmp_path / "records/other.json").write_text(content)

    assert [record["task_id"] for record in runs.plan.store.list_records()] == [7]


def test_what_a_run_raises_goes_on_and_its_profile_is_kept(tmp_path: Path) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("7", "cprofile")

    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        runs.run(NAME, 7, 1, fail)

    assert [record["failed"] for record in runs.plan.store.list_records()] == [True]


@pytest.mark.parametrize("broken", ["prepare_all", "watch_by", "CallRecorder.table", "Ledger.to_json"])
def test_a_profiler_that_fails_fails_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("7", "cprofile")

    def fail(*arguments: object) -> None:
        if broken != "watch_by" or arguments != (None,):
            raise LookupError(broken)

    monkeypatch.setattr(f"shared.profiling.session.{broken}", fail)

    assert run(runs) == count_up()
    assert sys.getprofile() is None
    assert current_session() is None


def test_calls_of_a_profiled_run_ask_for_profiles_and_others_do_not(tmp_path: Path) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("7", "ledger")

    during = runs.run(NAME, 7, 1, headers_to_pass)

    [record] = runs.plan.store.list_records()
    assert during == {"X-Profile": "ledger", "X-Profile-Key": KEY, "X-Profile-Parent": record["id"]}
    assert runs.run(NAME, 7, 1, headers_to_pass) == {}


@pytest.mark.parametrize(("way", "passed"), [("memory", "ledger"), ("sample", "sample")])
def test_requests_are_profiled_in_the_runs_way_unless_that_would_take_far_longer(
    tmp_path: Path, way: str, passed: str
) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("7", way)

    during = runs.run(NAME, 7, 1, headers_to_pass)

    assert during["X-Profile"] == passed


def test_the_processes_of_two_workers_profile_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, '.')\n"
        "from tests.integration.profiling.test_profiled_runs import make_runs, NAME, count_up\n"
        "runs = make_runs(Path(sys.argv[1]), {NAME: 1})\n"
        "for number in range(20): runs.run(NAME, int(sys.argv[2]), number + 1, count_up)\n"
    )
    root = Path(__file__).parents[3]
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(task_id)], cwd=root, stdout=subprocess.PIPE)
        for task_id in (1, 2)
    ]
    assert [process.wait(60) for process in both if process.communicate() is not None] == [0, 0]

    store = ProfileStore(tmp_path)
    tables = [store.table_of(record) for record in store.list_records()]
    assert len(tables) == 40
    assert {row[1] for table in tables for place, row in table.items() if place[2] == "count_up"} == {1}


def test_scripts_are_not_given_the_operators_key() -> None:
    given = clean_environment({"GM_PROFILE_KEY": KEY, "GM_PROFILE_DIR": "/profiles", "GM_TIMEZONE": "UTC"})

    assert given["GM_PROFILE_DIR"] == "/profiles"
    assert KEY not in given.values()


def test_an_export_script_is_profiled_with_its_run(tmp_path: Path) -> None:
    runs = make_runs(tmp_path)
    runs.plan.store.mark("7", "cprofile")
    told: dict[str, str] = {}
    runs.run(NAME, 7, 1, lambda: told.update(environment_of_run()))
    database = f"sqlite:///{tmp_path}/orders.db"
    engine = make_engine(database)
    migrate(engine)
    insert(engine, *(make_order(f"order-{number}") for number in range(3)))

    done = subprocess.run(
        [
            *(sys.executable, "-m", "gm_service.tool.celery_tasks.export_orderdetail"),
            *("--task-id", "7", "--run-count", "1", "--output-dir", str(tmp_path / "export")),
        ],
        input=json.dumps(EXPORT),
        env={**os.environ, **told, "GM_SERVICE_DATABASE_URL": database},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    script, task = runs.plan.store.list_records()
    assert (script["kind"], script["parent"], script["task_id"]) == ("script", task["id"], 7)
    assert any(entry["line"].startswith("gm_service/orders/") for entry in script["ledger"])
    assert runs.plan.store.find("7") == [task, script]
