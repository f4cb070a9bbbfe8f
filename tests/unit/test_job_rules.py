"""The rules of jobs, pure: graphs, what is ready, parameters and their precedence, how ends are read."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gm_async_task.workflow.graph import GraphRefused, PlannedTask, check_graph
from gm_async_task.workflow.outcomes import read_end
from gm_async_task.workflow.params import MAX_PARAMS_DEPTH, RequiresFailed, resolve, saved_part
from gm_async_task.workflow.states import JobStatus, TaskState, TaskStatus, find_ready, judge, may_try_again


@st.composite
def graphs(draw: st.DrawFn) -> list[PlannedTask]:
    """Return the tasks of a graph in an order in which they can be added."""
    count = draw(st.integers(1, 30))
    return [
        PlannedTask(
            f"t{number}",
            "/demo_api/ping",
            dependencies=tuple(f"t{each}" for each in draw(st.sets(st.integers(0, max(0, number - 1)), max_size=4)))
            if number
            else (),
        )
        for number in range(count)
    ]


def _run_states(tasks: list[PlannedTask]) -> dict[str, TaskState]:
    return {
        task.label: TaskState(number, task.label, TaskStatus.WAITING, task.dependencies)
        for number, task in enumerate(tasks, 1)
    }


def _moved(state: TaskState, status: TaskStatus, stat: str = "OK") -> TaskState:
    return TaskState(state.task_id, state.label, status, state.dependencies, stat)


@given(graphs())
def test_graphs_added_in_order_pass_and_in_another_order_do_not(tasks: list[PlannedTask]) -> None:
    check_graph(tasks)
    later = [task for task in tasks if task.dependencies]

    if later:
        moved = [later[-1], *(task for task in tasks if task is not later[-1])]
        with pytest.raises(GraphRefused):
            check_graph(moved)


@given(graphs(), st.randoms())
def test_every_task_becomes_ready_once_and_after_its_dependencies(
    tasks: list[PlannedTask], chance: random.Random
) -> None:
    states = _run_states(tasks)
    ended: list[str] = []
    running: list[str] = []

    while judge(list(states.values())) is None:
        for task in find_ready(list(states.values())):
            assert set(task.dependencies) <= set(ended)
            states[task.label] = _moved(task, TaskStatus.PENDING)
            running.append(task.label)
        assert running, "a job that goes on has something to wait for"
        label = running.pop(chance.randrange(len(running)))
        states[label] = _moved(states[label], TaskStatus.FINISHED)
        ended.append(label)

    assert sorted(ended) == sorted(states)
    assert judge(list(states.values())).status is JobStatus.FINISHED  # type: ignore[union-attr]


@given(graphs(), st.randoms())
def test_a_failed_task_fails_the_job_with_its_stat(tasks: list[PlannedTask], chance: random.Random) -> None:
    states = _run_states(tasks)
    label = chance.choice(list(states))

    states[label] = _moved(states[label], TaskStatus.FAILED, "ERR_OWN")
    verdict = judge(list(states.values()))

    assert verdict is not None
    assert (verdict.status, verdict.ret_stat) == (JobStatus.FAILED, "ERR_OWN")


def test_a_failed_job_without_a_stat_has_the_general_one() -> None:
    verdict = judge([TaskState(1, "a", TaskStatus.FAILED)])

    assert verdict is not None and verdict.ret_stat == "ERR_JOB_EXE_FAILED"


@pytest.mark.parametrize(
    ("stat", "count", "most", "again"),
    [
        ("ERR_OWN", 0, 1, True),
        ("ERR_OWN", 1, 1, False),
        ("ERR_TASK_TIMEOUT", 0, 3, True),
        ("ERR_SERVER_EXCEPTION", 2, 3, True),
        ("ERR_TASK_PROVIDES", 0, 1, True),
        ("ERR_TASK_REQUIRES", 0, 1, True),
        ("ERR_BAD_PARAMS", 0, 3, False),
        ("ERR_HANDLER_NOT_EXISTS", 0, 3, False),
    ],
)
def test_tries_are_for_what_may_go_better_another_time(stat: str, count: int, most: int, again: bool) -> None:
    assert may_try_again(stat, count, most) is again


JOB, TASK = {"k": "job", "only_job": 1}, {"k": "task", "only_task": 2}
FIRST, SECOND = {"stat": "OK", "k": "first", "only_first": 3}, {"stat": "OK", "k": "second"}


@pytest.mark.parametrize(
    ("params", "requires", "results", "expected"),
    [
        ({}, ["k"], [FIRST], {}),
        ({"a": 1}, ["k"], [FIRST], {"a": 1}),
        (None, [], [FIRST], {}),
        (None, ["k"], [FIRST], {"k": "first"}),
        (None, ["k"], [FIRST, SECOND], {"k": "second"}),
        (None, ["k"], [], {"k": "task"}),
        (None, ["only_first", "only_task", "only_job"], [FIRST], {"only_first": 3, "only_task": 2, "only_job": 1}),
        (None, ["all_taskdata"], [FIRST, SECOND], {"all_taskdata": [FIRST, SECOND]}),
        (None, ["all_taskdata", "only_job"], [SECOND], {"all_taskdata": [SECOND], "only_job": 1}),
    ],
)
def test_parameters_come_from_where_the_contract_says(
    params: dict[str, Any] | None, requires: list[str], results: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    assert resolve(params, requires, results, TASK, JOB) == expected


def test_what_nobody_has_can_not_be_required() -> None:
    with pytest.raises(RequiresFailed, match="only_dream"):
        resolve(None, ["only_dream"], [FIRST], TASK, JOB)


def test_merged_data_nested_deeper_than_the_worker_reads_is_refused_by_its_name() -> None:
    given: dict[str, Any] = {}
    for _ in range(MAX_PARAMS_DEPTH - 2):
        given = {"inner": given}

    assert resolve(None, ["deep"], [{"deep": given}], {}, {}) == {"deep": given}
    with pytest.raises(RequiresFailed, match="nested deeper"):
        resolve(None, ["deep"], [{"deep": {"inner": given}}], {}, {})
    with pytest.raises(RequiresFailed, match="nested deeper"):
        resolve(None, ["all_taskdata"], [{"deep": given}], {}, {})


def test_merged_data_has_a_limit() -> None:
    with pytest.raises(RequiresFailed, match="bytes"):
        resolve(None, ["all_taskdata"], [{"stat": "OK", "x": "y" * 600_000}] * 2, {}, {})


@given(st.dictionaries(st.text(), st.integers()), st.dictionaries(st.text(), st.integers()), st.data())
def test_given_parameters_stand_alone_and_required_keys_are_all_there(
    first: dict[str, int], job: dict[str, int], data: st.DataObject
) -> None:
    known = sorted((set(first) | set(job)) - {"all_taskdata"})
    requires = data.draw(st.lists(st.sampled_from(known), unique=True)) if known else []

    assert resolve(first, requires, [job], {}, {}) == first
    assert resolve(None, requires, [first], {}, job) == {key: first.get(key, job.get(key)) for key in requires}


@pytest.mark.parametrize(
    ("result", "saved"),
    [
        ({"stat": "OK", "data": [1]}, [1]),
        ({"stat": "OK", "data": None}, None),
        ({"stat": "OK", "a": 1}, {"a": 1}),
        ({"stat": "OK"}, {}),
    ],
)
def test_a_job_saves_the_data_or_all_but_the_stat(result: dict[str, Any], saved: Any) -> None:
    assert saved_part(result) == saved


@pytest.mark.parametrize(
    ("row", "provides", "stat"),
    [
        ({"status": 3, "result": {"stat": "OK", "a": 1}}, (), "OK"),
        ({"status": 3, "result": {"stat": "OK"}}, ("a",), "ERR_TASK_PROVIDES"),
        ({"status": 3, "result": {"a": 1}}, ("a",), "OK"),
        ({"status": 3, "result": None}, (), "OK"),
        ({"status": 3, "result": [1]}, (), "OK"),
        ({"status": 4, "result": {"failed": 2}, "reason": "2 rows failed"}, (), "OK"),
        ({"status": 5, "result": {"stat": "ERR_OWN"}}, ("a",), "ERR_OWN"),
        ({"status": 5, "result": None, "reason_code": "run_timeout"}, (), "ERR_TASK_TIMEOUT"),
        ({"status": 5, "result": None, "reason_code": "function_failed"}, (), "ERR_SERVER_EXCEPTION"),
        ({"status": 5, "result": None, "reason_code": "worker_lost"}, (), "ERR_SERVER_EXCEPTION"),
        ({"status": 5, "result": None, "reason_code": "closed", "run_count": 0}, (), "ERR_HANDLER_NOT_EXISTS"),
        ({"status": 5, "result": None, "reason_code": "closed", "run_count": 1}, (), "ERR_CLOSED"),
        ({"status": 5, "result": None, "reason_code": "service_refused"}, (), "ERR_SERVICE_REFUSED"),
        ({"status": 5, "result": {"stat": "X" * 99}}, (), "X" * 64),
        ({"status": 5, "result": None}, (), "ERR_SERVER_EXCEPTION"),
    ],
)
def test_the_end_of_a_row_is_read_as_the_end_of_a_task(
    row: dict[str, Any], provides: tuple[str, ...], stat: str
) -> None:
    end = read_end(
        row["status"],
        row["result"],
        reason=row.get("reason"),
        reason_code=row.get("reason_code"),
        run_count=row.get("run_count", 1),
        provides=provides,
    )

    assert (end.stat, end.data["stat"]) == (stat, stat)
