"""Graphs of jobs as DOT, png and svg, and statistics with numbers that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from gm_async_task.workflow.drawing import COLOURS, Node, draw_dot, draw_picture
from gm_async_task.workflow.states import TaskStatus
from tests.support.job_client import FILES, task
from tests.support.jobs import JobDesk, make_desk


@pytest.fixture(autouse=True)
def graphs(plugin_dir: Path) -> None:
    """Let jobs be any graph (tests/support/job_files/plugins)."""
    (plugin_dir / "graphs.py").write_text((FILES / "plugins" / "graphs.py").read_text())


def failed_in_the_middle(desk: JobDesk) -> int:
    """Return a job with a finished, a failed and a waiting task."""
    graph = {"tasks": [task("one"), task("two", "/x/two", "one"), task("three", "/x/three", "two")]}
    job_id = desk.create("graph", job_extra=graph, job_name='a "quoted" name')
    desk.work(lambda given: ("ERR_OWN" if given["handler"] == "/x/two" else "OK", {}))
    return job_id


def test_the_graph_as_text_has_each_task_with_its_state(quick_desk: JobDesk) -> None:
    answer = quick_desk.get("get_graph", f"job_id={failed_in_the_middle(quick_desk)}&format=dot")

    text = answer.get_data(as_text=True)
    assert answer.headers["Content-Type"].startswith("text/vnd.graphviz")
    assert '"one" -> "two";' in text and '"two" -> "three";' in text
    assert f'"one" [label="one\\n/demo_api/ping\\nfinished", fillcolor="{COLOURS[TaskStatus.FINISHED]}"]' in text
    assert f'"two" [label="two\\n/x/two\\nfailed\\nERR_OWN", fillcolor="{COLOURS[TaskStatus.FAILED]}"]' in text
    assert COLOURS[TaskStatus.WAITING] in text
    assert r"graph a \"quoted\" name (failed)" in text


@pytest.mark.usefixtures("graphviz")
def test_pictures_are_drawn_with_the_colours_of_states(quick_desk: JobDesk) -> None:
    job_id = failed_in_the_middle(quick_desk)

    png = quick_desk.get("get_graph", f"job_id={job_id}")
    svg = quick_desk.get("get_graph", f"job_id={job_id}&format=svg")

    assert (png.headers["Content-Type"], png.data[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert svg.headers["Content-Type"].startswith("image/svg+xml")
    assert ElementTree.fromstring(svg.data).tag.endswith("svg")
    for status in (TaskStatus.FINISHED, TaskStatus.FAILED, TaskStatus.WAITING):
        assert COLOURS[status] in svg.get_data(as_text=True)


@pytest.mark.usefixtures("graphviz")
def test_no_text_escapes_from_its_string() -> None:
    hostile = 'x"]; y [image="/etc/passwd"]; "\\N \\" <b> & \n z'

    picture = draw_picture("dot", draw_dot(hostile, [Node("a", hostile, "failed", (), hostile)]), "svg")

    assert b"<image" not in picture
    assert len(ElementTree.fromstring(picture).findall(".//{*}g[@class='node']")) == 1


def test_where_nothing_draws_it_is_said_so_and_text_works(tmp_path: Path) -> None:
    desk = make_desk(f"sqlite:///{tmp_path}/x.db", graphviz_program="no-such-program-here")
    job_id = desk.create()

    answer = desk.get("get_graph", f"job_id={job_id}")

    assert (answer.status_code, answer.json["stat"]) == (200, "ERR_GRAPHVIZ_MISSING")
    assert "graphviz" in answer.json["msg"].lower()
    assert desk.get("get_graph", f"job_id={job_id}&format=dot").data.startswith(b"digraph")


@pytest.mark.parametrize(
    ("query", "stat"),
    [
        ("job_id=../../x", "ERR_BAD_PARAMS"),
        ("", "ERR_BAD_PARAMS"),
        ("job_id=1&format=pdf", "ERR_BAD_PARAMS"),
        ("job_id=99", "ERR_JOB_NOT_EXIST"),
        ("job_id=99&format=dot", "ERR_JOB_NOT_EXIST"),
    ],
)
def test_graphs_of_what_is_none_are_refused(quick_desk: JobDesk, query: str, stat: str) -> None:
    answer = quick_desk.get("get_graph", query)

    assert (answer.status_code, answer.json["stat"]) == (200, stat)


ENDS = [
    # e_time (UTC), ret_stat, tags
    ("2026-01-04 10:00:00.000000", "OK", "region=bj,flag=redis"),
    ("2026-01-05 10:00:00.000000", "OK", "region=bj2"),
    ("2026-01-05 11:00:00.000000", "ERR_OWN", "region=bj"),
    ("2026-01-05 12:00:00.000000", "ERR_OTHER", "region=gz,flag=redis"),
    ("2026-01-05 12:30:00.000000", "OK", "region=gz"),
    ("2026-01-31 20:00:00.000000", "ERR_OWN", ""),
]


def with_history(desk: JobDesk) -> JobDesk:
    """Give the desk jobs that ended at known times, and one that has not."""
    for number, (moment, stat, tags) in enumerate(ENDS):
        graph = {"tasks": [task("a")], "job_tags": tags}
        job_id = desk.create("graph", job_extra=graph, job_namespace="S002" if number == 4 else "S001")
        desk.work(lambda _, stat=stat: (stat, {}))
        with desk.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE workflow_job SET e_time = '{moment}' WHERE job_id = {job_id}")
    desk.create("graph", job_extra={"tasks": [task("a")], "job_tags": "region=bj"})
    return desk


def chart(desk: JobDesk, name: str, **given: Any) -> dict[str, Any]:
    """Return an ECharts option."""
    answer = desk.call(name, job_type="graph", **given)
    assert answer["stat"] == "OK", answer
    return answer["data"]


def test_the_success_rate_is_counted_by_iso_week(desk: JobDesk) -> None:
    option = chart(with_history(desk), "statistics_success_rate")

    assert option["title"] == {"text": "success rate"}
    assert (option["yAxis"], option["tooltip"], option["legend"]) == ({}, {}, {})
    assert option["xAxis"]["data"] == ["2026-W01", "2026-W02", "2026-W05"]
    assert option["series"] == [{"type": "line", "name": "rate", "smooth": True, "data": [100.0, 50.0, 0.0]}]


def test_rates_by_day_and_month_leave_out_a_stat_in_a_second_line(desk: JobDesk) -> None:
    with_history(desk)

    days = chart(desk, "statistics_success_rate", group_by="day", exclude_retstat="ERR_OWN")
    months = chart(desk, "statistics_success_rate", group_by="month")

    assert days["xAxis"]["data"] == ["2026-01-04", "2026-01-05", "2026-01-31"]
    assert {line["name"]: line["data"] for line in days["series"]} == {
        "rate": [100.0, 50.0, 0.0],
        "rate_exclude_ERR_OWN": [100.0, 75.0, 100.0],
    }
    assert (months["xAxis"]["data"], months["series"][0]["data"]) == (["2026-01"], [50.0])


def test_rates_are_narrowed_by_time_and_tag_and_told_in_the_configured_zone(tmp_path: Path, plugin_dir: Path) -> None:
    desk = with_history(make_desk(f"sqlite:///{tmp_path}/x.db", plugin_dirs=[plugin_dir], timezone="Asia/Shanghai"))

    one_day = chart(desk, "statistics_success_rate", group_by="day", start="2026-01-05", end="2026-01-05")
    last = chart(desk, "statistics_success_rate", group_by="month", start="2026-01-31 00:00:00")
    tagged = chart(desk, "statistics_success_rate", job_tag="region=bj", group_by="month")

    assert (one_day["xAxis"]["data"], one_day["series"][0]["data"]) == (["2026-01-05"], [50.0])
    assert last["xAxis"]["data"] == ["2026-02"], "20:00 UTC is the next morning in Shanghai"
    assert tagged["series"][0]["data"] == [50.0]


def test_tag_values_are_counted_whole_in_the_asked_order_with_zeros(desk: JobDesk) -> None:
    option = chart(with_history(desk), "statistics_jobtag_ratio", jobtag_name="region", jobtag_values="gz,nowhere,bj")

    assert option["title"] == {"text": "region ratio"}
    assert option["tooltip"] == {"trigger": "item", "formatter": "{a} {b}:{c} ({d}%)"}
    assert option["series"][0]["type"] == "pie"
    assert option["series"][0]["data"] == [
        {"name": "gz", "value": 2},
        {"name": "nowhere", "value": 0},
        {"name": "bj", "value": 2},
    ]


def test_stats_are_counted_by_name(desk: JobDesk) -> None:
    with_history(desk)

    everything = chart(desk, "statistics_retstat_ratio")
    tagged = chart(desk, "statistics_retstat_ratio", job_tag=" flag=redis, ")
    bound = desk.send("statistics_retstat_ratio", '{"job_type":"graph"}', "x_namespace=S002").json["data"]

    assert (everything["title"], everything["series"][0]["name"]) == ({"text": "retstat ratio"}, "retstat")
    assert everything["series"][0]["data"] == [
        {"name": "ERR_OTHER", "value": 1},
        {"name": "ERR_OWN", "value": 2},
        {"name": "OK", "value": 3},
    ]
    assert tagged["series"][0]["data"] == [{"name": "ERR_OTHER", "value": 1}, {"name": "OK", "value": 1}]
    assert bound["series"][0]["data"] == [{"name": "OK", "value": 1}]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("statistics_success_rate", {}),
        ("statistics_success_rate", {"job_type": "graph", "group_by": "hour"}),
        ("statistics_success_rate", {"job_type": "graph", "start": "yesterday"}),
        ("statistics_success_rate", {"job_type": "graph", "end": "2026-13-01"}),
        ("statistics_success_rate", {"job_type": "graph", "start": "0001-01-01 00:00:00"}),
        ("statistics_success_rate", {"job_type": "graph", "end": "9999-12-31"}),
        ("statistics_success_rate", {"job_type": "graph", "job_tag": "a," * 3000}),
        ("statistics_jobtag_ratio", {"job_type": "graph", "jobtag_name": "region"}),
        ("statistics_jobtag_ratio", {"job_type": "graph", "jobtag_name": "region", "jobtag_values": "1," * 3000}),
        ("statistics_retstat_ratio", {"job_type": ["graph"]}),
    ],
)
def test_statistics_refuse_what_they_can_not_count(quick_desk: JobDesk, name: str, given: dict[str, Any]) -> None:
    assert quick_desk.call(name, **given)["stat"] == "ERR_BAD_PARAMS"


def test_statistics_of_no_jobs_are_empty(quick_desk: JobDesk) -> None:
    assert chart(quick_desk, "statistics_success_rate")["series"][0]["data"] == []
    assert chart(quick_desk, "statistics_retstat_ratio")["series"][0]["data"] == []
