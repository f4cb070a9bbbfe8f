"""Plugins are files: new and edited ones count at once, broken ones hurt nobody, existing ones run unchanged."""

from __future__ import annotations

from pathlib import Path

from tests.support.jobs import JobDesk, write_plugin

PING = 'def workflow(self):\n    self.add_task("{label}", "/demo_api/ping")'
EXISTING = '''#!/usr/bin/python
# coding=utf8
"""
A file as it was written for another runtime, unchanged.
"""
import logging
import xlib.util.jsonschema
from xlib.taskflow.taskflow import WorkflowRunner
from xlib.util import jsonschema


class Old(WorkflowRunner):

    schema = {"type": "object", "required": ["n"]}

    def params_check(self):
        assert xlib.util.jsonschema is jsonschema
        jsonschema.validate(self.job_extra, self.schema)

    def workflow(self):
        self.add_task("task1", "/demo_api/ping")
        self.add_task("task2", "/demo_api/ping", dependencies=["task1"])


class Other(Old):
    pass


def setup(app):
    app.register_formatter('old', Old)
    app.register_formatter('other', Other)
'''


def test_five_plugins_are_shipped(quick_desk: JobDesk) -> None:
    shipped = {"ping", "hello", "hello_params", "ping_notifier", "hello_lock"}

    assert shipped <= set(quick_desk.room.plugins.names())


def test_plugins_are_offered_with_what_their_jobs_take(quick_desk: JobDesk, plugin_dir: Path) -> None:
    (plugin_dir / "old.py").write_text(EXISTING.replace('"n"]}', '"n"], "odd": {1, 2}}', 1))

    offered = {each["job_type"]: each for each in quick_desk.call("list_plugins")["data"]["list"]}

    assert offered["hello"]["schema"]["required"] == ["str_info"]
    assert offered["ping"]["description"] == "task2 runs when task1 has finished."
    assert (offered["old"]["schema"], offered["old"]["description"]) == (None, "")


def test_no_odd_plugin_keeps_the_others_from_being_offered(quick_desk: JobDesk, plugin_dir: Path) -> None:
    deep = "schema = {}\nfor _ in range(5000):\n    schema = {'a': schema}\n__doc__ = 5"
    write_plugin(plugin_dir, "odd", deep)

    offered = {each["job_type"]: each for each in quick_desk.call("list_plugins")["data"]["list"]}

    assert offered["odd"] == {"job_type": "odd", "description": "", "schema": None}
    assert "ping" in offered


def test_an_existing_file_runs_unchanged_and_may_register_several(quick_desk: JobDesk, plugin_dir: Path) -> None:
    (plugin_dir / "old.py").write_text(EXISTING)

    refused = quick_desk.call("create_job", job_namespace="S001", job_type="old")
    job_id = quick_desk.create("other", job_extra={"n": 1})

    assert (refused["stat"], "'n' is a required property" in refused["msg"]) == ("ERR_JOB_CREATE_FAILED", True)
    assert quick_desk.states(job_id) == {"task1": "pending", "task2": "waiting"}


def test_new_and_edited_files_count_without_a_restart(quick_desk: JobDesk, plugin_dir: Path) -> None:
    before = quick_desk.call("create_job", job_namespace="S001", job_type="mine")["stat"]

    path = write_plugin(plugin_dir, "mine", PING.format(label="one"))
    first = quick_desk.states(quick_desk.create("mine"))
    write_plugin(plugin_dir, "mine", PING.format(label="two"))
    second = quick_desk.states(quick_desk.create("mine"))
    path.unlink()
    after = quick_desk.call("create_job", job_namespace="S001", job_type="mine")["stat"]

    assert (before, list(first), list(second), after) == (
        "ERR_JOB_TYPE_NOT_EXISTS",
        ["one"],
        ["two"],
        "ERR_JOB_TYPE_NOT_EXISTS",
    )


def test_broken_files_are_named_by_the_health_answer_and_hide_no_other(quick_desk: JobDesk, plugin_dir: Path) -> None:
    (plugin_dir / "a_syntax.py").write_text("def setup(app:\n")
    (plugin_dir / "b_raises.py").write_text("raise RuntimeError('no')\n")
    (plugin_dir / "c_leaves.py").write_text("import sys\nsys.exit(1)\n")
    (plugin_dir / "d_no_setup.py").write_text("x = 1\n")
    (plugin_dir / "e_bytes.py").write_bytes(b"\xff\xfe\x00")
    (plugin_dir / "f_class.py").write_text("def setup(app):\n    app.register_formatter('f', object)\n")
    write_plugin(plugin_dir, "whole", PING.format(label="a"))

    health = quick_desk.app.test_client().get("/readyz").json["data"]

    assert health["broken_plugins"] == [
        *("a_syntax.py", "b_raises.py", "c_leaves.py", "d_no_setup.py", "e_bytes.py", "f_class.py"),
    ]
    assert {"whole", "ping"} <= set(health["plugins"])
    assert quick_desk.create("whole") > 0


def test_the_operators_plugin_stands_before_a_shipped_one_of_its_name(quick_desk: JobDesk, plugin_dir: Path) -> None:
    write_plugin(plugin_dir, "ping", PING.format(label="ours"))

    assert list(quick_desk.states(quick_desk.create("ping"))) == ["ours"]
