"""kombu's transport for Redis as it is mended here, on a Redis that dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest
from redis.exceptions import RedisError

from shared.broker.queue import make_task_queue
from tests.conftest import REDIS
from tests.support.brokers import garbage
from tests.support.redis import RedisServer
from tests.support.waiting import wait_for


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    REDIS.need()
    server = RedisServer(tmp_path / "redis")
    yield server
    server.stop()


@pytest.mark.parametrize("done", ["ack", "reject", "requeue"])
def test_a_consumer_takes_more_after_an_acknowledgement_that_redis_did_not_hear(
    redis_server: RedisServer, done: str
) -> None:
    make_task_queue(redis_server.url).send_task("shop.work", [1], queue="bells")
    with kombu.Connection(redis_server.url) as connection:
        channel = connection.default_channel
        channel.basic_qos(prefetch_count=1)
        message = wait_for(lambda: channel.basic_get("bells"))
        channel.qos.append(message, message.delivery_tag)
        assert not channel.qos.can_consume()
        redis_server.kill()

        with pytest.raises(RedisError):
            getattr(message, done)()

        assert channel.qos.can_consume()


def test_what_is_no_message_is_taken_out_and_dropped(redis_server: RedisServer) -> None:
    pieces = redis_server.put_garbage("bells")
    make_task_queue(redis_server.url).send_task("shop.work", [7], queue="bells")
    heard: list[list[int]] = []

    with kombu.Connection(redis_server.url) as connection:
        queue = kombu.Queue("bells", kombu.Exchange("bells"), routing_key="bells")
        with connection.Consumer([queue], callbacks=[lambda body, message: heard.append(body[0])], accept=["json"]):
            wait_for(lambda: connection.drain_events(timeout=1) or heard, 30, "the message", not_yet=OSError)

    assert heard == [[7]]
    assert pieces == len(garbage())
