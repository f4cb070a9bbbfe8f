"""Mixed calls of the task API from one caller who comes again after a fault, and the history of what was answered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.task_server import KEY

STATION = "S001"
CALL_SECONDS = 60.0
"""longer than any answer may take, so that a late one is seen as late"""


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its answer."""

    op: str
    sent: dict[str, Any]
    status: int | None
    """None: no answer came"""
    data: Any
    retry_after: str | None
    began: float
    ended: float
    caller: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the service said yes."""
        return self.status == 200

    @property
    def unsure(self) -> bool:
        """Whether it may or may not have happened, so that a caller asks again."""
        return self.status in (None, 503)


@dataclass
class Shared:
    """What the callers know of one another's tasks."""

    task_ids: list[int] = field(default_factory=list)
    history: list[Call] = field(default_factory=list)


class Caller:
    """Adds, starts, renews, changes, ends, reads, hides and closes tasks, its own and others', at random."""

    def __init__(self, number: int, address: str, shared: Shared, seed: int) -> None:
        self._number, self._address, self._shared = number, address, shared
        self._chance = random.Random(f"{seed}-{number}")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["X-Auth-Key"] = KEY
        self._made = 0
        self._runs: list[tuple[int, int]] = []
        self._progress: dict[tuple[int, int], int] = {}
        self._again: list[tuple[str, dict[str, Any]]] = []

    def step(self) -> None:
        """Make one call: mostly a new one, else one that had no sure answer."""
        if self._again and self._chance.random() < 0.5:
            self._call(*self._again.pop(0))
            return
        ops: list[Callable[[], None]] = [self._add, self._get, self._list]
        if self._shared.task_ids:
            ops += [self._start] * 3 + [self._hide, self._hide]
            ops += [self._close] if self._chance.random() < 0.2 else []
        if self._runs:
            ops += [self._heartbeat] * 2 + [self._update] * 3 + [self._finish] * 2
        self._chance.choice(ops)()

    def _add(self) -> None:
        repeat = self._chance.random() < 0.5
        self._call(
            "add",
            {
                "station_id": STATION,
                "task_name": "demo.work",
                "input": {"n": 1},
                "user_task_id": self._unique(),
                "repeat": repeat,
            },
        )

    def _start(self) -> None:
        self._call("start", {"task_id": self._some_task(), "claim_id": self._unique()})

    def _heartbeat(self) -> None:
        self._call("heartbeat", self._held())

    def _update(self) -> None:
        held = self._held()
        run = (held["task_id"], held["run_count"])
        self._progress[run] = min(self._progress.get(run, 0) + 1, 100)
        self._call("update", {**held, "field": "progress", "value": self._progress[run]})

    def _finish(self) -> None:
        held = self._held()
        self._runs.remove((held["task_id"], held["run_count"]))
        self._call("finish", {**held, "result": {"by": self._unique()}})

    def _get(self) -> None:
        self._call("get", {"task_id": self._some_task()})

    def _list(self) -> None:
        self._call("list", {"station_id": STATION, "limit": 20})

    def _hide(self) -> None:
        ids = self._chance.sample(self._shared.task_ids, min(3, len(self._shared.task_ids)))
        self._call("hide", {"task_ids": ids})

    def _close(self) -> None:
        self._call("close", {"task_id": self._some_task()})

    def _held(self) -> dict[str, int]:
        task_id, run_count = self._chance.choice(self._runs)
        return {"task_id": task_id, "run_count": run_count}

    def _some_task(self) -> int:
        recent = self._shared.task_ids[-40:]
        return self._chance.choice(recent) if recent else 1

    def _unique(self) -> str:
        self._made += 1
        return f"{self._number}-{self._made}"

    def _call(self, op: str, sent: dict[str, Any]) -> None:
        call = self._send(op, sent)
        self._shared.history.append(call)
        if call.unsure and op in ("add", "start", "finish", "heartbeat", "close"):
            self._again.append((op, sent))
        if call.status is None:
            time.sleep(0.05)  # nobody is there; as a patient caller does
        elif call.accepted and op == "add":
            self._shared.task_ids.append(call.data["task_id"])
        elif call.accepted and op == "start":
            self._runs.append((call.data["task_id"], call.data["run_count"]))

    def _send(self, op: str, sent: dict[str, Any]) -> Call:
        began = time.monotonic()
        reading = {"params": sent} if op in ("get", "list") else {"json": sent}
        try:
            answer = self._session.request(
                "GET" if "params" in reading else "POST",
                f"{self._address}/task/{op}",
                timeout=(2, CALL_SECONDS),
                **reading,  # type: ignore[arg-type]
            )
            status, retry_after = answer.status_code, answer.headers.get("Retry-After")
            data = answer.json()["data"]
        except requests.RequestException:
            status, retry_after, data = None, None, None
        return Call(op, sent, status, data, retry_after, began, time.monotonic(), self._number)
