"""Ways to change one thing of a signed request, so that it must be refused."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable
from dataclasses import replace

from shared.signing.signature import SCHEME, WINDOW_SECONDS, identify
from tests.support.async_task import AUTH_KEY
from tests.support.signed_calls import JSON, Request

OTHER_KEY = "other-key-" + "1" * 32
_HEX = "0123456789abcdef"
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "get", "Post")

Change = Callable[[str, random.Random], str]
Mutation = Callable[[Request, random.Random], Request]


def _swap(text: str, chance: random.Random, alphabet: str = _HEX) -> str:
    """Return the text with one character replaced by another of the alphabet."""
    place = chance.randrange(len(text))
    other = chance.choice([letter for letter in alphabet if letter != text[place]])
    return text[:place] + other + text[place + 1 :]


def _field(name: str, change: Change) -> Mutation:
    """Return what changes one field of the header."""

    def mutate(request: Request, chance: random.Random) -> Request:
        before, mark, rest = request.header.partition(f"{name}=")
        value, comma, after = rest.partition(",")
        return request.with_header(before + mark + change(value, chance) + comma + after)

    return mutate


def _header(change: Change) -> Mutation:
    return lambda request, chance: request.with_header(change(request.header, chance))


def _replaced(name: str, change: Change) -> Mutation:
    """Return what changes one part of the request beside the header."""
    return lambda request, chance: replace(request, **{name: change(getattr(request, name), chance)})


def _one_of(*texts: str) -> Change:
    return lambda value, chance: chance.choice([text for text in texts if text != value])


def _otherwise(*pairs: tuple[str, str]) -> Change:
    """Return what writes one thing of a text in another way; each pair's first must stand in it."""

    def change(value: str, chance: random.Random) -> str:
        old, new = chance.choice([pair for pair in pairs if pair[0] in value])
        return value.replace(old, new)

    return change


def _more(*texts: str) -> Change:
    return lambda value, chance: value + chance.choice(texts)


def _query_added(target: str, chance: random.Random) -> str:
    return target + ("&" if "?" in target else "?") + chance.choice(["limit=1", "x", "", "station_id=S002"])


def _body_changed(request: Request, chance: random.Random) -> Request:
    changed = _swap(request.body.decode("latin-1"), chance, string.ascii_letters) if request.body else "x"
    return replace(request, body=changed.encode("latin-1"))


def _reversed_fields(value: str, _chance: random.Random) -> str:
    return f"{SCHEME} " + ", ".join(reversed(value.removeprefix(f"{SCHEME} ").split(", ")))


def _without_a_field(value: str, chance: random.Random) -> str:
    return value.replace(chance.choice(value.removeprefix(f"{SCHEME} ").split(", ")), "")


def _at_a_wrong_time(request: Request, chance: random.Random) -> Request:
    off = WINDOW_SECONDS + chance.choice([2, 10, 3600, 10**8])
    return request.signed(at=time.time() + chance.choice([-1, 1]) * off)


MUTATIONS: dict[str, Mutation] = {
    "another method": _replaced("method", _one_of(*_METHODS)),
    "another path": _replaced("target", _one_of("/task/get", "/task/finish?task_id=1", "/openapi.json", "//task/add")),
    "path otherwise": _replaced(
        "target", _otherwise(("/task/", "/Task/"), ("/task/", "/t%61sk/"), ("/task/", "/task/./"), ("/t", "/x/../t"))
    ),
    "query added": _replaced("target", _query_added),
    "query otherwise": _replaced("target", _otherwise(("/task/", "/task/?"), ("S001", "S00%31"), ("%E8", "%e8"))),
    "content type": _replaced(
        "content_type", _one_of("", "multipart/form-data; boundary=x", JSON + "; charset=utf-8", "Application/json")
    ),
    "body changed": _body_changed,
    "body longer": lambda r, c: replace(r, body=r.body + c.choice([b" ", b"\n", b"{}", b"\0"])),
    "body shorter": lambda r, c: replace(r, body=r.body[:-1] if r.body else b"{}"),
    "key id changed": _field("key", _swap),
    "key id of another key": _field("key", lambda value, c: identify(OTHER_KEY)),
    "key id in capitals": _field("key", lambda value, c: "A" + value.upper()[1:]),
    "time moved": _field("ts", lambda value, c: str(int(value) + c.choice([-300, -60, -1, 1, 60, 300]))),
    "time otherwise": _field(
        "ts", lambda value, c: c.choice(["", f"0{value}", f"+{value}", f"{value}.0", f"١{value}", f"{value}0000"])
    ),
    "nonce changed": _field("nonce", _swap),
    "nonce in capitals": _field("nonce", lambda value, c: "F" + value.upper()[1:]),
    "nonce shorter or longer": _field("nonce", lambda value, c: c.choice(["", value[:-1], value[:15], value + "0"])),
    "body hash changed": _field("body", _swap),
    "signature changed": _field("sig", _swap),
    "signature cut": _field("sig", lambda value, c: value[: c.randrange(64)]),
    "signature longer": _field("sig", _more("0", "=", "é", "，")),
    "signature in capitals": _field("sig", lambda value, c: "A" + value.upper()[1:]),
    "another scheme": _header(
        _otherwise((SCHEME, SCHEME.lower()), (SCHEME, "GM2-HMAC-SHA256"), (f"{SCHEME} ", ""), (SCHEME, "Bearer"))
    ),
    "blanks": _header(
        _otherwise((", ", ","), (", ", ",  "), (", ", ",\t"), ("=", " = "), (", ", "; "), ("256 ", "256  "))
    ),
    "fields in another order": _header(_reversed_fields),
    "a field more": _header(_more(", x=1", ", sig=" + "0" * 64, ",", ";")),
    "a field less": _header(_without_a_field),
    "quotation marks": _header(lambda value, c: value.replace("sig=", 'sig="') + '"'),
    "header twice": lambda r, c: r.with_header(r.header, c.choice([r.header, AUTH_KEY, ""])),
    "no header": lambda r, c: r.with_header(*c.choice([(), ("",)])),
    "the bare key": lambda r, c: r.with_header(AUTH_KEY),
    "the bare key beside it": lambda r, c: r.with_header(AUTH_KEY, r.header),
    "signed at a wrong time": _at_a_wrong_time,
    "signed with another key": lambda r, c: r.signed(
        c.choice([OTHER_KEY, AUTH_KEY[:-1], AUTH_KEY + "\n", "", AUTH_KEY.upper()])
    ),
    "signed with a nonce of another form": lambda r, c: r.signed(
        nonce=c.choice(["", "n" * 15, "n" * 65, "n" * 20 + "é", "n" * 20 + " ", "n" * 20 + "/", "n" * 20 + "%0A"])
    ),
    "signed for another body": lambda r, c: r.signed(body=r.body + b" "),
}
"""By what is changed; a mutation of the body alone is found out last, when the nonce is spent."""

SPEND_THE_NONCE = frozenset({"body changed", "body longer", "body shorter"})
