"""The three brokers behind one interface, so that one suite can break each in the same way."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Protocol

import kombu


class Broker(Protocol):
    """A broker of the tests' own that runs."""

    @property
    def url(self) -> str:
        """Its address, as GM_BROKER_URL has it."""
        ...

    def kill(self) -> None:
        """Take it away as a crash would: whoever calls is refused."""
        ...

    def start(self) -> None:
        """Bring it back, with what it has kept."""
        ...

    def freeze(self) -> None:
        """Make it a black hole: calls are taken and never answered."""
        ...

    def thaw(self) -> None:
        """Let it go on."""
        ...

    def stop(self) -> None:
        """End it."""
        ...

    def put_garbage(self, queue: str) -> int:
        """Put what is no message where messages are; return how many pieces."""
        ...


class EmbeddedBroker:
    """The doorbell file. It has no process: locked it serves nobody, and its crash forgets every message."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "doorbell.db"
        self.url = f"doorbell:///{self._path}"
        self._lock: sqlite3.Connection | None = None

    def kill(self) -> None:
        self.freeze()
        assert self._lock is not None
        self._lock.execute("DELETE FROM message")

    def start(self) -> None:
        self.thaw()

    def freeze(self) -> None:
        self._lock = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        self._lock.execute("BEGIN EXCLUSIVE")

    def thaw(self) -> None:
        if self._lock is not None:
            self._lock.execute("COMMIT")
            self._lock.close()
        self._lock = None

    def stop(self) -> None:
        self.thaw()

    def put_garbage(self, queue: str) -> int:
        pieces = garbage()
        with sqlite3.connect(self._path) as database:
            database.executemany("INSERT INTO message (queue, body) VALUES (?, ?)", [(queue, each) for each in pieces])
        database.close()
        return len(pieces)


def garbage() -> list[bytes]:
    """Return what somebody may write where kombu expects its own JSON."""
    delivery = b'"delivery_info": {"exchange": "gm_task", "routing_key": "gm_task"}'
    return [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b"\x80\x04\x95.",
        b"[" * 100_000,
        b'{"body": "x"}',
        b'{"body": "x", "properties": {}}',
        b'{"body": 5, "properties": {"delivery_tag": "a", ' + delivery + b"}}",
        b'{"body": "x", "properties": {"delivery_tag": ["a"], ' + delivery + b"}}",
        b'{"body": "x", "properties": {"delivery_tag": null, ' + delivery + b"}}",
        b'{"body": "x", "properties": {"delivery_tag": "a", "delivery_info": 7}}',
        b'{"body": "x", "properties": {"delivery_tag": "a", "body_encoding": "rot13", ' + delivery + b"}}",
        b'{"body": "%%%", "properties": {"delivery_tag": "a", "body_encoding": "base64", ' + delivery + b"}}",
        b'{"body": "x", "headers": 5, "properties": {"delivery_tag": "a", ' + delivery + b"}}",
    ]


def hostile_messages(named: str, task_id: int) -> list[dict[str, Any]]:
    """Return keyword arguments of `Producer.publish` for messages that must run nothing; `task_id` must stay alone."""
    body = [[task_id], {}, {}]
    headers = [
        ({"task": "os.system", "id": "1"}, [["touch /tmp/owned"], {}, {}]),
        ({"task": "celery.backend_cleanup", "id": "2"}, [[], {}, {}]),
        ({"task": "tests.support.task_functions.raise_error", "id": "3"}, body),
        ({"task": f"{named}.__globals__", "id": "4"}, body),
        ({"task": named, "id": "5"}, [["1; drop"], {}, {}]),
        ({"task": named, "id": "6"}, [[True], {}, {}]),
        ({"task": named, "id": "7"}, "not a list"),
        ({"task": named, "id": "8"}, [[10**30], {}, {}]),
        ({"task": named, "id": "9", "timelimit": [1, 1]}, body),
        ({"task": named, "id": "10"}, [[task_id], {}, {"chain": [{"task": "x"}]}]),
        ({"task": named, "id": "11", "eta": "2999-01-01T00:00:00"}, body),
        ({"task": named, "id": "12", "run_count": 99}, body),
        ({"task": named, "id": "x" * 5000}, body),
        ({"task": [], "id": "13"}, body),
        ({"task": named, "id": {"a": 1}}, body),
        ({}, {"task": named, "args": [task_id]}),
        ({}, "text"),
    ]
    json_messages = [{"body": given, "headers": header, "serializer": "json"} for header, given in headers]
    wanted = {"headers": {"task": named, "id": "14"}}
    raw = [
        {"body": b"\x80\x04.", "content_type": "application/x-python-serialize", "content_encoding": "binary"},
        {"body": b"!!python/object/apply:os.system ['x']", "content_type": "application/x-yaml"},
        {"body": b"\x93\x91\x01\x80\x80", "content_type": "application/x-msgpack", "content_encoding": "binary"},
        {"body": b"{", "content_type": "application/json", "content_encoding": "utf-8"},
        {"body": b"\xff\xff", "content_type": "application/json", "content_encoding": "utf-8"},
        {"body": b"[[1], {}, {}]", "content_type": "application/json", "content_encoding": "no-such-code"},
        {"body": b"[" * 100_000, "content_type": "application/json", "content_encoding": "utf-8"},
        {"body": b"[[1], {}, {}]", "content_type": "text/plain", "content_encoding": "utf-8"},
        {"body": b"", "content_type": "", "content_encoding": ""},
    ]
    return json_messages + [wanted | each for each in raw]


def publish(url: str, queue: str, messages: list[dict[str, Any]]) -> None:
    """Send messages as anybody with access to the broker could."""
    with kombu.Connection(url) as connection:
        producer = connection.Producer()
        for message in messages:
            producer.publish(exchange=queue, routing_key=queue, **message)
