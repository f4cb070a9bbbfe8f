"""Runs a business project's script as a subprocess in its own process group, limited, and ended with its run.

Protocol: the task's input as JSON on stdin; `--task-id`, `--run-count`, `--output-dir` as arguments; JSON lines on
stdout: `{"progress": {"done": 500, "total": 2000}}`, and last `{"result": ...}` or
`{"error": {"code": ..., "en": ..., "zh": ...}}`. stderr is for people; its end goes into the reason of a failure.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from gm_task.conversation import Conversation
from shared.errors import Language
from shared.logs import MASK
from shared.profiling.runs import environment_of_run
from shared.task_api.reasons import REASON_CODE
from shared.task_api.run import RunContext, RunFailed, RunStopped
from shared.web import strict_json

log = structlog.get_logger(__name__)
LAUNCHER = Path(__file__).with_name("launch.py")
_TURN_SECONDS = 0.1
# How long a script that has said its result may take to end, and a grandchild hold the pipes open after it is gone.
_LINGER_SECONDS = 1.0
_PASSED_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "PYTHONPATH")
# The worker keeps the file itself, so no script needs what opens the store; none has requests profiled.
_KEPT_BACK = ("GM_S3_", "GM_PROFILE_KEY")
_SECRET_VARIABLES = re.compile(r"KEY|PASSWORD|SECRET|TOKEN|URL")
_REASON_TAIL_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class ScriptLimits:
    """What a script may take."""

    timeout_seconds: float
    memory_mib: int
    """address space; beyond it allocations fail inside the script"""
    stop_seconds: float
    """between asking it to end (SIGTERM) and killing its whole process group"""


class ScriptRunner:
    """Runs one script at a time for a worker process."""

    def __init__(self, limits: ScriptLimits, language: Language, environment: Mapping[str, str]) -> None:
        """`environment` is the worker's own; scripts get PATH, LANG, LC_ALL, TZ, HOME, PYTHONPATH and GM_* of it,
        but neither GM_S3_* nor GM_PROFILE_KEY."""
        self._limits = limits
        self._language: Language = language
        self._environment = clean_environment(environment)
        self._running: subprocess.Popen[bytes] | None = None

    def run(self, context: RunContext, argv: Sequence[str], output_dir: Path) -> Any:
        """Run the script for the context's task and return its result; nothing of it is left behind.

        Raises:
            RunStopped: the run must end; the script was ended.
            RunFailed: with the script's own error, or with what went wrong and the end of its stderr.
        """
        process = self._start(context, argv, output_dir)
        said = Conversation(process, strict_json.dumps(context.input).encode(), context.progress)
        try:
            stopped_by = self._attend(process, said, context)
        finally:
            self._end_group(process)
            said.close()
            self._running = None
        if stopped_by == "cancelled":
            raise RunStopped
        return self._judge(process.returncode, said, stopped_by)

    def kill_running(self) -> None:
        """Kill the script that runs now, with its whole process group; for when this process must go."""
        if self._running is not None:
            _signal_group(self._running, signal.SIGKILL)

    def _start(self, context: RunContext, argv: Sequence[str], output_dir: Path) -> subprocess.Popen[bytes]:
        output_dir.mkdir(parents=True, exist_ok=True)
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(self._limits.memory_mib), "--"]
        run = ["--task-id", str(context.task_id), "--run-count", str(context.run_count)]
        process = subprocess.Popen(  # noqa: S603 an argument list from configuration, no shell
            [*launcher, *argv, *run, "--output-dir", str(output_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._environment, **environment_of_run()},
            start_new_session=True,
        )
        self._running = process
        log.info("script_started", argv=list(argv), pid=process.pid)
        return process

    def _attend(self, process: subprocess.Popen[bytes], said: Conversation, context: RunContext) -> str | None:
        """Listen until the script is gone; return why it was ended, None where it ended by itself."""
        deadline = time.monotonic() + self._limits.timeout_seconds
        stopped_by: str | None = None
        gone_since: float | None = None
        done_since: float | None = None
        while not (said.is_over and process.poll() is not None):
            said.turn(_TURN_SECONDS)
            now = time.monotonic()
            if said.has_result:
                done_since = done_since or now
            if stopped_by is None:
                is_ending = done_since is not None and now - done_since < _LINGER_SECONDS
                stopped_by = self._reason_to_stop(said, context, now >= deadline, is_ending)
                if stopped_by is not None:
                    _signal_group(process, signal.SIGTERM)
                    deadline = now + self._limits.stop_seconds
            elif now >= deadline:
                break
            if process.poll() is not None:
                gone_since = gone_since or now
                if now - gone_since >= _LINGER_SECONDS:
                    break
        return stopped_by

    @staticmethod
    def _reason_to_stop(said: Conversation, context: RunContext, is_late: bool, is_ending: bool) -> str | None:
        if said.flooded:
            return "flooded"
        if is_late:
            return "timeout"
        # Not asked of a script that has said its result and only has to end: its work is whole, and must count.
        return "cancelled" if not is_ending and context.cancelled() else None

    @staticmethod
    def _end_group(process: subprocess.Popen[bytes]) -> None:
        _signal_group(process, signal.SIGKILL)
        process.wait()

    def _judge(self, exit_code: int, said: Conversation, stopped_by: str | None) -> Any:
        """Return the script's result, or raise what went wrong."""
        tail = self._mask(said.error_tail())
        log.info("script_ended", exit_code=exit_code, stopped_by=stopped_by, stderr=tail)
        if stopped_by == "timeout":
            seconds = f"{self._limits.timeout_seconds:g}"
            raise self._failure("script_timeout", seconds=seconds)
        if stopped_by == "flooded":
            raise self._failure("script_flooded")
        if said.error is not None:
            raise self._own_error(said.error)
        if exit_code == 0 and said.has_result:
            return said.result
        if "MemoryError" in tail:
            raise self._failure("script_out_of_memory", limit=self._limits.memory_mib)
        if exit_code < 0:
            raise self._failure("script_killed")
        raise self._failure("script_failed", exit_code=exit_code, tail=tail[-_REASON_TAIL_CHARACTERS:] or "-")

    def _failure(self, code: str, **facts: object) -> RunFailed:
        en, zh = _SENTENCES[code]
        return RunFailed((zh if self._language == "zh" else en).format(**facts), code)

    def _own_error(self, error: dict[str, Any]) -> RunFailed:
        code = str(error.get("code", ""))
        text = error.get(self._language) or error.get("en") or error.get("zh") or code or "?"
        return RunFailed(self._mask(str(text)), code if REASON_CODE.fullmatch(code) else "script_failed")

    def _mask(self, text: str) -> str:
        """Hide the secrets that the script was given from people who read the reason."""
        for name, value in self._environment.items():
            if name.startswith("GM_") and _SECRET_VARIABLES.search(name) and len(value) >= 6:
                text = text.replace(value, MASK)
        return text


_SENTENCES = {
    "script_timeout": (
        "The script took longer than {seconds} seconds and was ended.",
        "脚本运行超过 {seconds} 秒，已被终止。",
    ),
    "script_flooded": (
        "The script wrote a line that is too long and was ended.",
        "脚本输出了过长的一行，已被终止。",
    ),
    "script_out_of_memory": (
        "The script needed more than the {limit} MiB of memory that it may take.",
        "脚本所需内存超过上限 {limit} MiB。",
    ),
    "script_killed": (
        "The script was killed in the middle and left no file. Try again; tell the operators when it happens again.",
        "脚本在执行中被终止，没有生成文件。请重试；若再次发生，请联系运维人员。",
    ),
    "script_failed": (
        "The script ended with code {exit_code} and no result: {tail}",
        "脚本以代码 {exit_code} 结束且没有结果：{tail}",
    ),
}


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a script gets to see of the worker's environment; its output is unbuffered UTF-8."""
    passed = {name: value for name, value in environment.items() if _is_passed(name)}
    return {**passed, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def _is_passed(name: str) -> bool:
    return name in _PASSED_VARIABLES or (name.startswith("GM_") and not name.startswith(_KEPT_BACK))


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The script leads its group, whose members may outlive it; an empty group is what we want.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
