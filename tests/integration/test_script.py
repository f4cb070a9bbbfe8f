"""Scripts as real subprocesses, attended by the script runner."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from gm_task.script import LAUNCHER, ScriptLimits, ScriptRunner, clean_environment
from shared.task_api.client import TaskClient
from shared.task_api.fake import FakeTaskApi
from shared.task_api.held_run import HeldRun, RunPolicy
from shared.task_api.run import RunContext, RunFailed, RunStopped
from tests.support.waiting import wait_for

LIMITS = ScriptLimits(timeout_seconds=20, memory_mib=512, stop_seconds=0.5)
ENVIRONMENT = {"PATH": os.environ["PATH"], "GM_AUTH_KEY": "planted-secret", "AWS_SECRET": "not yours"}


class Stage:
    """A claimed task and a script to be run for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api = FakeTaskApi()
        self.client = TaskClient(self.api)
        self.stops = threading.Event()
        task_id = self.client.create("s1", "shop.export", {"export": "all", "big": "x" * 200_000}, repeat=True).task_id
        policy = RunPolicy(progress_seconds=0, word_seconds=0.1)
        self.context = RunContext(HeldRun(self.client, self.client.start(task_id), policy, self.stops.is_set))

    def run(self, source: str, limits: ScriptLimits = LIMITS, language: Any = "en") -> Any:
        script = self.folder / "script.py"
        script.write_text("import json, os, subprocess, sys, time\n" + source)
        runner = ScriptRunner(limits, language, ENVIRONMENT)
        return runner.run(self.context, [sys.executable, str(script)], self.folder / "out")

    def close_when(self, condition: Callable[[], bool]) -> threading.Thread:
        def close() -> None:
            wait_for(condition)
            self.client.close(self.context.task_id)

        thread = threading.Thread(target=close)
        thread.start()
        return thread


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_script_gets_the_input_and_gives_its_result(stage: Stage) -> None:
    result = stage.run(
        "given = json.load(sys.stdin)\n"
        "print('a stray line')\n"
        "print(json.dumps({'result': [given['export'], len(given['big']), sys.argv[1:]]}))"
    )

    arguments = ["--task-id", "1", "--run-count", "1", "--output-dir", str(stage.folder / "out")]
    assert result == ["all", 200_000, arguments]
    assert (stage.folder / "out").is_dir()


def test_progress_is_passed_on(stage: Stage) -> None:
    stage.run('print(\'{"progress": {"done": 500, "total": 2000}}\'); print(\'{"result": null}\')')

    assert stage.client.get(stage.context.task_id).progress == 25


def test_a_script_that_ignores_its_input_and_floods_stderr_does_not_block(stage: Stage) -> None:
    result = stage.run("sys.stderr.write('x' * 1_000_000); print('{\"result\": 1}')")

    assert result == 1


def test_the_end_of_stderr_stands_in_the_reason(stage: Stage) -> None:
    with pytest.raises(RunFailed) as failed:
        stage.run("sys.stderr.write('noise\\n' * 5000); sys.exit('the key planted-secret is bad')")

    assert failed.value.reason.startswith("The script ended with code 1 and no result: ")
    assert failed.value.reason.endswith("the key *** is bad")
    assert len(failed.value.reason) < 1000
    assert failed.value.reason_code == "script_failed"


@pytest.mark.parametrize(("language", "reason"), [("en", "The disk is full."), ("zh", "磁盘已满。")])
def test_a_scripts_own_error_is_the_reason(stage: Stage, language: str, reason: str) -> None:
    with pytest.raises(RunFailed) as failed:
        stage.run(
            "print(json.dumps({'error': {'code': 'disk_full', 'en': 'The disk is full.', 'zh': '磁盘已满。'}}))",
            language=language,
        )

    assert (failed.value.reason, failed.value.reason_code) == (reason, "disk_full")


def test_a_script_without_a_result_failed(stage: Stage) -> None:
    with pytest.raises(RunFailed, match="ended with code 0 and no result"):
        stage.run("pass")


def test_a_script_that_takes_too_long_is_ended(stage: Stage) -> None:
    with pytest.raises(RunFailed) as failed:
        stage.run("time.sleep(60)", ScriptLimits(0.5, 512, 0.2))

    assert failed.value.reason_code == "script_timeout"


def test_a_script_that_needs_too_much_memory_fails(stage: Stage) -> None:
    with pytest.raises(RunFailed) as failed:
        stage.run("x = bytearray(1024 * 1024 * 1024); print('{\"result\": 1}')")

    assert failed.value.reason_code == "script_out_of_memory"


def test_a_line_without_end_is_refused(stage: Stage) -> None:
    with pytest.raises(RunFailed) as failed:
        stage.run("while True: sys.stdout.write('x' * 65536)")

    assert failed.value.reason_code == "script_flooded"


def test_cancelling_kills_the_grandchildren_too(stage: Stage) -> None:
    pids = stage.folder / "pids"
    closing = stage.close_when(pids.exists)

    with pytest.raises(RunStopped):
        stage.run(
            "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
            " signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)'])\n"
            f"new = open({f'{pids}.new'!r}, 'w')\n"
            "new.write(f'{os.getpid()} {child.pid}')\n"
            "new.close()\n"
            f"os.replace(new.name, {str(pids)!r})\n"
            "time.sleep(60)"
        )

    closing.join()
    script, grandchild = map(int, pids.read_text().split())
    wait_for(lambda: is_gone(script) and is_gone(grandchild), 5)


def test_a_cancelled_script_may_clear_up(stage: Stage) -> None:
    started, scratch = stage.folder / "started", stage.folder / "scratch"
    closing = stage.close_when(started.exists)

    with pytest.raises(RunStopped):
        stage.run(
            "import shutil, signal\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
            f"os.mkdir({str(scratch)!r})\n"
            f"os.mkdir({str(started)!r})\n"
            "try: time.sleep(60)\n"
            f"finally: shutil.rmtree({str(scratch)!r})",
            ScriptLimits(timeout_seconds=20, memory_mib=512, stop_seconds=10),
        )

    closing.join()
    assert not scratch.exists()


def test_a_grandchild_that_outlives_its_script_is_killed(stage: Stage) -> None:
    pid = stage.run(
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(json.dumps({'result': child.pid}))"
    )

    wait_for(lambda: is_gone(pid), 5)


def test_a_stopping_worker_ends_the_script(stage: Stage) -> None:
    stage.stops.set()

    with pytest.raises(RunStopped):
        stage.run("time.sleep(60)")


@pytest.mark.parametrize(("patience_seconds", "counts"), [(20.0, True), (0.0, False)])
def test_a_result_that_was_said_before_the_worker_stops_counts_if_the_script_ends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, patience_seconds: float, counts: bool
) -> None:
    monkeypatch.setattr("gm_task.script._LINGER_SECONDS", patience_seconds)
    said, told = stage.folder / "said", stage.folder / "told"

    def stop() -> None:
        wait_for(said.exists)
        stage.stops.set()
        told.touch()

    stopping = threading.Thread(target=stop)
    stopping.start()
    source = (
        "print(json.dumps({'result': 'whole'}), flush=True)\n"
        f"open({str(said)!r}, 'w').close()\n"
        f"while not os.path.exists({str(told)!r}): time.sleep(0.01)\n"
        "time.sleep(0.3)"  # long enough to be asked about meanwhile
    )

    with nullcontext() if counts else pytest.raises(RunStopped):
        assert stage.run(source) == "whole"

    stopping.join()


def test_a_script_that_is_not_there_fails_with_its_name(stage: Stage) -> None:
    runner = ScriptRunner(LIMITS, "en", ENVIRONMENT)

    with pytest.raises(RunFailed, match="no-such-program: No such file or directory"):
        runner.run(stage.context, ["/no-such-program"], stage.folder)


def test_a_script_sees_only_what_it_needs_of_the_environment() -> None:
    environment = {"PATH": "/bin", "TZ": "UTC", "GM_AUTH_KEY": "k", "AWS_SECRET": "s", "LD_PRELOAD": "x"}

    seen = clean_environment(environment)

    assert seen == {"PATH": "/bin", "TZ": "UTC", "GM_AUTH_KEY": "k", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def test_a_script_dies_with_its_worker(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    source = (
        "import os, sys, subprocess, time\n"
        f"subprocess.Popen([sys.executable, '-I', '-S', {str(LAUNCHER)!r}, str(os.getpid()), '512', '--',"
        f" sys.executable, '-c', \"import os, time; open({str(tmp_path / 'new')!r}, 'w').write(str(os.getpid()));"
        f' os.replace({str(tmp_path / "new")!r}, {str(pid_file)!r}); time.sleep(60)"], start_new_session=True)\n'
        f"while not os.path.exists({str(pid_file)!r}): time.sleep(0.01)\n"
        "os._exit(0)"
    )

    subprocess.run([sys.executable, "-c", source], check=True, timeout=30)

    wait_for(lambda: is_gone(int(pid_file.read_text())), 5)


def test_killed_script_is_told_without_a_programmers_words(stage: Stage) -> None:
    with pytest.raises(RunFailed) as failed:
        stage.run("import signal; os.kill(os.getpid(), signal.SIGKILL)")

    assert (failed.value.reason_code, "killed" in failed.value.reason) == ("script_killed", True)
