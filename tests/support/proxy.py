"""A TCP proxy to a port of loopback that cuts, silences and blackens the connections through it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

_CHUNK = 65536


@dataclass(eq=False)
class _Pair:
    """One connection: its two sockets, and whether bytes still pass."""

    client: socket.socket
    server: socket.socket
    passing: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads; closing alone does not
            end.close()


class Proxy:
    """Stands before a server's port. Use as a context manager."""

    def __init__(self, target_port: int, host: str = "127.0.0.1") -> None:
        self._target_port = target_port
        self._listener = socket.create_server((host, 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._black = False
        self._ended = False

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Close every connection; return how many there were."""
        pairs = self._take_pairs()
        for pair in pairs:
            pair.close()
        return len(pairs)

    def half_open(self) -> int:
        """Leave every connection open and deaf for ever; new ones pass. Return how many there were."""
        with self._lock:
            for pair in self._pairs:
                pair.passing.clear()
            return len(self._pairs)

    def blacken(self) -> None:
        """Take connections, pass nothing, answer nothing."""
        self._black = True
        self.half_open()

    def clear(self) -> None:
        """End `blacken`: what waited goes on, new connections pass."""
        self._black = False
        with self._lock:
            for pair in self._pairs:
                pair.passing.set()

    def _take_pairs(self) -> list[_Pair]:
        with self._lock:
            pairs, self._pairs = self._pairs, []
            return pairs

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = _Pair(client, server)
            with self._lock:
                self._pairs.append(pair)
                if not self._black:
                    pair.passing.set()
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(pair, source, sink), daemon=True).start()

    def _carry(self, pair: _Pair, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                while not pair.passing.wait(0.2):
                    if self._ended:
                        return
                sink.sendall(data)
        if pair.passing.is_set():  # a deaf connection hears of no end either
            pair.close()
