"""kombu's transport for Redis, mended where it ended a worker or left it deaf (both seen with kombu 5.7).

Whoever can reach Redis can push anything there: what kombu can't read ended the whole worker; here it is logged and
dropped, as on the other brokers. And an acknowledgement that Redis did not hear counted as work in hand for ever, so
that the worker waited for its end and took nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from redis.exceptions import RedisError

from shared.broker.raw_message import check_raw_message

log = structlog.get_logger(__name__)


class QoS(kombu_redis.QoS):
    """Forgets a message that it is done with, also where Redis does not hear of it.

    Redis brings such a doorbell back after the visibility timeout, and its start is refused.
    """

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message.

        Raises:
            redis.exceptions.RedisError: Redis did not hear of it.
        """
        with self._forgetting(delivery_tag):
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back or away; errors are those of `ack`."""
        with self._forgetting(delivery_tag):
            super().reject(delivery_tag, requeue)

    @contextmanager
    def _forgetting(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        except RedisError:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(kombu_redis.Channel):
    """Drops what is no message."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (Empty, *self.connection_errors, *self.connection.channel_errors):
            raise
        except Exception as error:  # whatever kombu makes of it; what a consumer raises never comes here
            log.error("message_unreadable", problem=f"{type(error).__name__}: {str(error)[:200]}")
            return None


class Transport(kombu_redis.Transport):
    """Delivers messages, and nothing else."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        super()._deliver(check_raw_message(message), queue)
