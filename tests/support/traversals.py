"""Sixty ways to write "the folder above" (S-e), as a client that keeps to no rule sends them."""

from __future__ import annotations

from itertools import product

_UP = (
    b"..",
    b"%2e%2e",
    b".%2E",
    b"%252e%252e",
    b"..;",
    b"....",
    b"%c0%ae%c0%ae",
    b"..%00",
    b"\xef\xbc\x8e\xef\xbc\x8e",
    b"%u002e%u002e",
)
_SLASH = (b"/", b"%2f", b"\\", b"%5c", b"//", b"%252f")


def list_traversals(file_name: bytes) -> list[bytes]:
    """Return sixty strings that may lead to `file_name` one, two or three folders above."""
    pairs = enumerate(product(_UP, _SLASH))
    return [(up + slash) * (1 + number % 3) + file_name for number, (up, slash) in pairs]
