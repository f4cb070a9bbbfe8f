"""What `gm ops release` refuses before it touches anything, and how it tidies up after a command that was cut short."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.ops.cli import main
from shared.ops.env_file import write_env
from shared.ops.platform import Platform
from shared.ops.release import command
from shared.ops.release.slots import list_slots
from shared.task_api.workers import Release, ReleaseState, ReleaseView, Worker, WorkerLane, WorkerState

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Known:
    """What the task service and supervisor know; what they are asked to do is kept."""

    newest: Release | None = None
    did: list[str] = field(default_factory=list)

    def find(self, _version: str | None = None) -> ReleaseView:
        return ReleaseView(release=self.newest, lanes={})

    def workers(self) -> list[Worker]:
        return [
            Worker(
                name="w", host="h", pid=7, version="1", queues=["gm_task"], serve=["gm_task"], functions=[],
                concurrency=2, runs=[], started_at=NOW, seen_at=NOW, seen_seconds=1,
                state=WorkerState.LIVE, lane=WorkerLane.BASE,
            )
        ]  # fmt: skip

    def begin(self, version: str, share: object) -> None:
        self.did.append(f"begin {version} {share}")

    def update(self) -> list[str]:
        self.did.append("update")
        return []

    def stop_group(self, group: str) -> None:
        self.did.append(f"stop {group}")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    known = Known()
    monkeypatch.setattr(command, "TaskServiceReleases", lambda _client, **_how: known)
    monkeypatch.setattr(Platform, "supervisor", lambda _platform: known)
    return known


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """Slot a holds version 1; the code of version 2 stands ready beside it."""
    write_env(tmp_path / "gm.env", {"GM_ASYNC_TASK_URL": "http://127.0.0.1:1", "GM_AUTH_KEY": "k" * 32})
    write_env(tmp_path / "slot-a.env", {"GM_RELEASE": "1"})
    code = tmp_path / "2" / "gm_task"
    code.mkdir(parents=True)
    (code / "worker.py").touch()
    return tmp_path


def release(etc: Path, *options: str) -> Result:
    given = ["ops", "release", *options, "--home", str(etc / "2"), "--python", "/bin/sh", "--etc", str(etc)]
    return CliRunner().invoke(main, given)


def test_queue_that_no_worker_serves_is_refused_before_anything_is_done(etc: Path, known: Known) -> None:
    answer = release(etc, "2", "--queues", "gm_tsak")

    assert "No worker serves the queue gm_tsak; those served are: gm_task." in answer.output
    assert (answer.exit_code, known.did) == (1, [])


@pytest.mark.parametrize(
    "option",
    [
        ("--watch", "-1"),
        ("--watch", "0"),
        ("--max-failed", "20"),
        ("--max-delay", "-1"),
        ("--min-ended", "0"),
        ("--start-within", "0"),
        ("--drain", "-1"),
        ("--set", "A B=1"),
    ],
)
def test_number_that_would_watch_nothing_is_refused(option: tuple[str, str], etc: Path, known: Known) -> None:
    answer = release(etc, "2", *option)

    assert (answer.exit_code, known.did) == (2, [])


def test_asking_how_it_stands_does_not_wait_for_a_task_service_that_is_away(etc: Path) -> None:
    began = time.monotonic()

    answer = CliRunner().invoke(main, ["ops", "release", "--status", "--etc", str(etc)])

    assert (answer.exit_code, "does not answer" in answer.output) == (1, True)
    assert time.monotonic() - began < 10


def make_release(version: str, state: ReleaseState) -> Release:
    return Release(
        id=1, version=version, state=state, percent=10, stations=[], queues=[], drained=[], reason=None, begun_at=NOW,
        ended_at=NOW,
    )  # fmt: skip


def test_rolling_back_that_was_cut_short_is_ended_by_back(etc: Path, known: Known) -> None:
    known.newest = make_release("2", ReleaseState.ROLLED_BACK)
    write_env(etc / "slot-b.env", {"GM_RELEASE": "2"})

    answer = release(etc, "--back")

    assert (answer.exit_code, known.did) == (0, ["stop workers-b"])
    assert [slot.is_free() for slot in list_slots(etc)] == [False, True]


@pytest.mark.parametrize("state", [ReleaseState.ROLLED_BACK, ReleaseState.LIVE])
def test_back_leaves_alone_what_alone_runs_here_or_is_live(state: ReleaseState, etc: Path, known: Known) -> None:
    known.newest = make_release("1" if state is ReleaseState.ROLLED_BACK else "2", state)
    if state is ReleaseState.LIVE:
        write_env(etc / "slot-b.env", {"GM_RELEASE": "2"})

    answer = release(etc, "--back")

    assert "No release is under way." in answer.output
    assert (answer.exit_code, known.did) == (1, [])
