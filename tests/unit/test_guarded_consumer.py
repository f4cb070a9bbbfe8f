"""Which of Celery's steps a worker takes."""

from __future__ import annotations

from celery.worker.consumer import Consumer

from gm_task.consumer import GuardedConsumer


def test_no_queues_for_delays_are_declared_and_nothing_else_is_left_out() -> None:
    left_out = set(Consumer.Blueprint.default_steps) - set(GuardedConsumer.Blueprint.default_steps)

    assert left_out == {"celery.worker.consumer.delayed_delivery:DelayedDelivery"}
