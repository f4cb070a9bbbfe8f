"""A TCP proxy to a port of loopback that cuts, silences and blackens the connections through it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

_CHUNK = 65536


@dataclass(eq=False)
class _Pair:
    """One connection: its two sockets, and whether bytes still pass."""

    client: socket.socket
    server: socket.socket
    passing: threading.Event = field(default_factory=threading.Event)
    ends_at_answer: bool = False

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
        self._mark = b""
        self._marked: Iterator[bool] = iter(())

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

    def cut_at(self, mark: bytes, delivered: Iterable[bool]) -> None:
        """Cut the next connections on which a client sends `mark`, one for each of `delivered`.

        True: the server has heard and done it, and only its answer is lost. False: it never heard.
        """
        self._mark, self._marked = mark, iter(list(delivered))

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
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each small packet waits for an echo
            pair = _Pair(client, server)
            with self._lock:
                self._pairs.append(pair)
                if not self._black:
                    pair.passing.set()
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(pair, source, sink), daemon=True).start()

    def _may_pass(self, pair: _Pair, source: socket.socket, data: bytes) -> bool:
        if source is pair.server or not self._mark or self._mark not in data:
            return True
        with self._lock:
            delivered = next(self._marked, None)
        pair.ends_at_answer = delivered is True
        return delivered is not False

    def _carry(self, pair: _Pair, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                while not pair.passing.wait(0.2):
                    if self._ended:
                        return
                if pair.ends_at_answer or not self._may_pass(pair, source, data):
                    break
                sink.sendall(data)
        if pair.passing.is_set():  # a deaf connection hears of no end either
            pair.close()
