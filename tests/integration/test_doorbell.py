"""The doorbell transport between real processes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty
from typing import Any

import kombu
import pytest

from shared.broker import doorbell
from shared.broker.queue import make_task_queue

ROOT = Path(__file__).parents[2]
CONSUMER = """
import socket, sys
import kombu
from shared.broker import doorbell
doorbell.register()
with kombu.Connection(sys.argv[1]) as connection:
    def take(body, message):
        print(body[0][0], flush=True)
        message.ack()
    with connection.Consumer([kombu.Queue("bells")], callbacks=[take], accept=["json"]):
        while True:
            try:
                connection.drain_events(timeout=1.5)
            except socket.timeout:
                break
"""


def url(folder: Path) -> str:
    return f"doorbell:///{folder / 'broker.sqlite'}"


def channel(folder: Path) -> Any:
    doorbell.register()
    return kombu.Connection(url(folder)).channel()


def raw_message(body: str) -> dict[str, Any]:
    """Return what kombu keeps of one message."""
    delivery = {"exchange": "bells", "routing_key": "bells"}
    return {"body": body, "properties": {"delivery_tag": "t", "delivery_info": delivery}}


def test_two_processes_take_each_message_once(tmp_path: Path) -> None:
    queue = make_task_queue(url(tmp_path))
    consumers = [
        subprocess.Popen([sys.executable, "-c", CONSUMER, url(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    def send(first: int) -> None:
        for task_id in range(first, first + 100):
            queue.send_task("shop.work", [task_id], queue="bells")

    senders = [threading.Thread(target=send, args=(first,)) for first in (0, 100, 200)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    taken = [consumer.communicate(timeout=60)[0].split() for consumer in consumers]

    assert sorted(int(line) for lines in taken for line in lines) == list(range(300))


def test_a_message_waits_for_a_queue_that_nobody_has_declared(tmp_path: Path) -> None:
    make_task_queue(url(tmp_path)).send_task("shop.work", [7], queue="new", run_count=2, request_id="r-1")

    message = channel(tmp_path)._get("new")

    assert message["headers"]["task"] == "shop.work"
    assert (message["headers"]["run_count"], message["headers"]["request_id"]) == (2, "r-1")


def test_messages_come_oldest_first_and_queues_do_not_mix(tmp_path: Path) -> None:
    broker = channel(tmp_path)
    for queue, body in (("a", "1"), ("b", "2"), ("a", "3")):
        broker._put(queue, raw_message(body))

    assert (broker._size("a"), broker._size("b")) == (2, 1)
    assert [broker._get(queue)["body"] for queue in ("a", "a", "b")] == ["1", "3", "2"]
    with pytest.raises(Empty):
        broker._get("a")


@pytest.mark.parametrize("content", [None, 5, [], {}, {"body": 1}, {"body": 1, "properties": []}, "x" * 100])
def test_what_is_no_message_is_dropped(tmp_path: Path, content: object) -> None:
    broker = channel(tmp_path)
    broker._put("a", content)

    with pytest.raises(Empty):
        broker._get("a")

    assert broker._size("a") == 0


def test_purging_empties_one_queue(tmp_path: Path) -> None:
    broker = channel(tmp_path)
    for queue in ("a", "a", "b"):
        broker._put(queue, 1)

    assert broker._purge("a") == 2
    assert (broker._size("a"), broker._size("b")) == (0, 1)


def test_nothing_is_restored_when_a_consumer_leaves_without_acknowledging(tmp_path: Path) -> None:
    make_task_queue(url(tmp_path)).send_task("shop.work", [7], queue="bells")
    with kombu.Connection(url(tmp_path)) as connection:
        assert connection.default_channel.basic_get("bells") is not None

    assert channel(tmp_path)._size("bells") == 0


def test_an_unreadable_row_is_dropped(tmp_path: Path) -> None:
    broker = channel(tmp_path)
    broker._put("a", 1)
    with sqlite3.connect(tmp_path / "broker.sqlite") as database:
        database.execute("UPDATE message SET body = '{'")
    database.close()

    with pytest.raises(Empty):
        broker._get("a")

    assert broker._size("a") == 0


def test_the_file_is_made_with_its_folder(tmp_path: Path) -> None:
    make_task_queue(url(tmp_path / "deep" / "down")).send_task("shop.work", [1], queue="bells")

    assert json.dumps(channel(tmp_path / "deep" / "down")._size("bells")) == "1"
