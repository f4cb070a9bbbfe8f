"""Which brokers are taken, and how Celery is set up for them."""

from __future__ import annotations

import socket
import time

import pytest

from shared.broker.queue import make_task_queue
from shared.broker.settings import BrokerRefused, check_broker_url, make_celery
from shared.errors import Unavailable


@pytest.mark.parametrize(
    "url",
    [
        "filesystem:///tmp/x",
        "sqla+sqlite:///x.sqlite",
        "sqlalchemy+sqlite:///x.sqlite",
        "memory://",
        "",
        "/tmp/broker.sqlite",
        "sqs://",
        "doorbell:///relative.sqlite",
        "doorbell://host//x.sqlite",
        "sentinel://h:26379/0",
        "amqp://a//;amqp://b//",
        "redis+socket:///tmp/redis.sock",
    ],
)
def test_a_broker_that_can_not_be_relied_on_is_refused(url: str) -> None:
    with pytest.raises(BrokerRefused, match="doorbell:////"):
        make_celery("x", url)


def test_a_refusal_never_shows_the_password() -> None:
    with pytest.raises(BrokerRefused) as refused:
        check_broker_url("sqla+mysql://root:hunter22@db/x")

    assert "hunter22" not in str(refused.value)


@pytest.mark.parametrize("url", ["doorbell:////tmp/x.sqlite", "amqp://u:p@h//", "redis://h/0", "rediss://h/0"])
def test_the_offered_brokers_are_taken(url: str) -> None:
    assert check_broker_url(url) == url


def test_memory_is_taken_in_tests() -> None:
    assert check_broker_url("memory://", testing=True) == "memory://"


def test_a_worker_reads_json_only_and_listens_to_no_commands() -> None:
    conf = make_celery("x", "amqp://h//", queues=["gm_task"]).conf

    assert conf.accept_content == ["json"]
    assert conf.worker_enable_remote_control is False
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_create_missing_queues is False


def test_a_sender_waits_for_the_brokers_confirmation() -> None:
    conf = make_celery("x", "amqp://h//").conf

    assert conf.broker_transport_options["confirm_publish"] is True


def test_queues_of_rabbitmq_survive_a_lost_node() -> None:
    (queue,) = make_celery("x", "amqp://h//", queues=["reports"]).conf.task_queues

    assert (queue.durable, queue.queue_arguments) == (True, {"x-queue-type": "quorum"})


def test_name_exchange_and_routing_key_of_a_queue_agree() -> None:
    (queue,) = make_celery("x", "amqp://h//", queues=["reports"]).conf.task_queues

    assert (queue.name, queue.exchange.name, queue.exchange.type, queue.routing_key) == (
        "reports",
        "reports",
        "direct",
        "reports",
    )


def test_an_absent_broker_is_unavailable() -> None:
    queue = make_task_queue("amqp://guest:guest@127.0.0.1:1//")

    with pytest.raises(Unavailable) as unavailable:
        queue.send_task("shop.work", [1], queue="gm_task")

    assert unavailable.value.details["what"] == "broker"


def test_a_send_to_a_broker_that_never_answers_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        queue = make_task_queue(f"amqp://guest:guest@127.0.0.1:{black_hole.getsockname()[1]}//")
        began = time.monotonic()

        with pytest.raises(Unavailable):
            queue.send_task("shop.work", [1], queue="gm_task")

        assert time.monotonic() - began < 3
