"""How leftovers are ended: by whoever watches over them, else by a signal."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.ops.workers.local import end_gracefully

LOOKS_LIKE_A_WORKER = [
    sys.executable,
    "-c",
    "import time; print('up', flush=True); time.sleep(60)",
    "-m",
    "gm_task.worker",
]


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(LOOKS_LIKE_A_WORKER, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()  # it has its command line by now
    yield process
    process.stdout.close()
    process.kill()
    process.wait()


def test_worker_that_nobody_watches_over_is_told_to_end(worker: subprocess.Popen[bytes]) -> None:
    living = end_gracefully([worker.pid], 10, lambda _pid: False)

    assert (living, worker.wait(10)) == ([], -signal.SIGTERM)


def test_worker_that_supervisor_would_start_anew_is_ended_by_supervisor(worker: subprocess.Popen[bytes]) -> None:
    def stops(pid: int) -> bool:
        assert pid == worker.pid
        worker.kill()
        return True

    living = end_gracefully([worker.pid], 10, stops)

    assert (living, worker.wait(10)) == ([], -signal.SIGKILL)
