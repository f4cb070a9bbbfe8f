"""The caller's end of an internal call: each attempt goes out once, signed anew, and nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shared.errors import PlatformError, Unavailable
from shared.retry import Patience, call_patiently
from shared.signing.signature import SCHEME
from shared.task_api.transport import HttpTransport

KEY = "k" * 32
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{"code":0,"msg":"","data":"d"}'


@contextmanager
def _server(answer: Callable[[int], bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Yield an address, and what was sent to it; the answer to the n-th request is `answer(n)`, then it hangs up."""
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if request := connection.recv(65536):
                    requests.append(request)
                    connection.sendall(answer(len(requests)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _key_headers(requests: list[bytes]) -> list[str]:
    return [
        line.partition(": ")[2]
        for request in requests
        for line in request.decode().split("\r\n")
        if line.lower().startswith("x-auth-key:")
    ]


@pytest.mark.parametrize("signed", [False, True])
def test_a_call_without_an_answer_is_sent_once(signed: bool) -> None:
    with _server(lambda number: b"") as (address, requests), pytest.raises(Unavailable):
        HttpTransport(address, KEY, signed=signed).call("POST", "/task/add", {})

    assert len(requests) == 1


def test_each_attempt_of_a_patient_call_has_a_signature_of_its_own() -> None:
    with _server(lambda number: OK if number == 3 else b"") as (address, requests):
        transport = HttpTransport(address, KEY, signed=True)
        patience = Patience(seconds=20, first_delay_seconds=0.01)

        got = call_patiently(lambda: transport.call("GET", "/task/get", {"task_id": 1}), patience, event="get")

    assert (got, len(requests), len(set(_key_headers(requests)))) == ("d", 3, 3)


@pytest.mark.parametrize(("signed", "sent"), [(False, KEY), (True, SCHEME)])
def test_what_is_sent_is_the_key_or_a_signature(signed: bool, sent: str) -> None:
    with _server(lambda number: OK) as (address, requests):
        HttpTransport(address, KEY, signed=signed).call("POST", "/task/add", {})

    (header,) = _key_headers(requests)
    assert header.split(" ")[0] == sent
    assert (KEY in requests[0].decode()) is not signed


@pytest.mark.parametrize("signed", [False, True])
def test_a_redirection_takes_the_key_nowhere(signed: bool) -> None:
    with _server(lambda number: OK) as (elsewhere, strangers):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}/task/add\r\nContent-Length: 0\r\n\r\n".encode()
        with _server(lambda number: moved) as (address, requests), pytest.raises(PlatformError):
            HttpTransport(address, KEY, signed=signed).call("POST", "/task/add", {})

    assert (len(requests), strangers) == (1, [])
