"""kombu's transport for Redis behind a check of what lies in the list.

Whoever can reach Redis can push anything there. What kombu can't read ended the whole worker (seen with kombu 5.7);
here it is logged and dropped, as on the other brokers.
"""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis as kombu_redis

from shared.broker.raw_message import check_raw_message

log = structlog.get_logger(__name__)


class Channel(kombu_redis.Channel):
    """Drops what is no message."""

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
