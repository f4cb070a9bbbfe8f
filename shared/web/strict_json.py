"""Reads JSON that is safe for every database and every later reader, and refuses the rest at the edge.

Refused, because each breaks something further in (RELIABILITY.md section 2): NaN and Infinity, integers
outside 64 bits, lone surrogates and NUL (no database stores them alike), duplicate keys, nesting deeper
than `MAX_DEPTH`, and anything but UTF-8.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 32
"""of a body; MariaDB takes 31 levels in a JSON column, and a result stands one level inside its body"""
_MAX_INTEGER = 2**63 - 1
_HARMFUL_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_HARMFUL_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def loads(text: str | bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value of `text`.

    Raises:
        ValueError: with a short description of what is wrong.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    try:
        value = json.loads(
            decoded,
            parse_constant=_refuse_constant,
            parse_int=_bounded_integer,
            parse_float=_finite_float,
            object_pairs_hook=_distinct_keys,
        )
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {max_depth} levels") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg} at character {error.pos})") from error
    check_depth(value, max_depth)
    if _HARMFUL_ESCAPE.search(decoded) or "\x00" in decoded:
        _check_texts(value)
    return value


def dumps(value: Any) -> str:
    """Write a JSON value compactly, in UTF-8 text, never NaN."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def are_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON, keys in whatever order: to Python 1, 1.0 and true are equal."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def is_clean_text(text: str) -> bool:
    """Tell whether `text` has neither NUL nor a lone surrogate."""
    return not _HARMFUL_CHARACTER.search(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _bounded_integer(digits: str) -> int:
    if len(digits) > 20 or abs(value := int(digits)) > _MAX_INTEGER:
        raise ValueError("an integer is outside 64 bits")
    return value


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def check_depth(value: Any, limit: int) -> None:
    """See that objects and lists stand at most `limit` levels inside one another.

    Raises:
        ValueError: they stand deeper.
    """
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {limit} levels")


def _check_texts(value: Any) -> None:
    pending = [value]
    while pending:
        item = pending.pop()
        texts = [item] if isinstance(item, str) else list(item) if isinstance(item, dict) else []
        if not all(is_clean_text(text) for text in texts):
            raise ValueError("a text has a character that can't be stored (NUL or half of a surrogate pair)")
        pending.extend(_children(item))


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
