"""Finds ports of the loopback address that nobody else listens on."""

from __future__ import annotations

import socket
from collections.abc import Container

_TRIES = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` of the loopback address now."""
    with socket.socket() as probe:
        # As servers do; without it a port in TIME_WAIT would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def next_free(port: int, taken: Container[int] = ()) -> int:
    """Return `port`, or the first one after it that is free and not in `taken`.

    Raises:
        OSError: none of the next 200 is.
    """
    for candidate in range(port, port + _TRIES):
        if candidate not in taken and is_free(candidate):
            return candidate
    raise OSError(f"no free port from {port} to {port + _TRIES}")
