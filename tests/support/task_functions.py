"""Task functions for tests of the worker; loaded by it as a business project's own would be."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gm_task.context import TaskContext
from gm_task.registry import task_function


@task_function(acks_late=True)
def double(context: TaskContext) -> Any:
    """Return twice the number given."""
    return {"doubled": context.input["n"] * 2, "pid": os.getpid()}


@task_function
def tell_release(_context: TaskContext) -> Any:
    """Return the release of the worker that runs it."""
    return {"release": os.environ.get("GM_RELEASE", "")}


@task_function
def kill_own_process_once(context: TaskContext) -> Any:
    """Die as by the kernel's hand in the first run, and end well in the second."""
    if context.run_count == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"run_count": context.run_count}


@task_function
def work_until_told(context: TaskContext) -> Any:
    """Say that it works, and do so until the run must end."""
    Path(context.input["began"]).write_text(str(os.getpid()))
    while not context.cancelled():
        time.sleep(0.05)
    return "as far as it came"


@task_function
def work_on_whatever_happens(context: TaskContext) -> Any:
    """Never ask whether the run must end."""
    Path(context.input["began"]).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


@task_function
def exit_interpreter(_context: TaskContext) -> Any:
    """Leave as a script would."""
    raise SystemExit(3)


@task_function
def wait_for_file(context: TaskContext) -> Any:
    """Say nothing until a file is there."""
    while not Path(context.input["path"]).exists():
        time.sleep(0.02)
    return {"went": True}


@task_function
def raise_error(context: TaskContext) -> Any:
    """Fail as buggy code does."""
    raise ValueError(f"no such thing: {context.input}")


@task_function
def exit_process(context: TaskContext) -> Any:
    """Try to end the process that runs it."""
    sys.exit(3)


@task_function
def kill_own_process(context: TaskContext) -> Any:
    """Die as by the kernel's hand in every run, and leave a mark for each."""
    with Path(context.input["marks"]).open("ab") as marks:
        marks.write(b"x")
    os.kill(os.getpid(), signal.SIGKILL)
