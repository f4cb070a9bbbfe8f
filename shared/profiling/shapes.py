"""A statement's shape: the statement without its values, by which its executions are told to be the same."""

from __future__ import annotations

import re
from functools import lru_cache

SQLITE = "sqlite"
_NUMBER = r"(?:0[xX][0-9a-fA-F]+|(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w$])"
_WORD = r"[\w$@]+"
_SPACE_AND_REST = r"(?P<space>\s+)|(?P<other>.)"
# What is a string for the one is a name for the other, and a backslash is a sign like others in SQLite.
_SQLITE = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<value>[xX]?'(?:[^']|'')*(?:'|\Z)|\?\d*|[:$@]\w+|" + _NUMBER + r")"
    r"|(?P<name>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|" + _WORD + r")|" + _SPACE_AND_REST,
    re.DOTALL,
)
_MYSQL = re.compile(
    r"(?P<comment>--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<value>(?:_\w+\s*|[nNxXbB])?(?:'(?:[^'\\]|\\.|'')*(?:'|\Z)|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\Z))"
    r"|%\(\w+\)s|%s(?!\w)|0b[01]+(?![\w$])|\?|" + _NUMBER + r")"
    r"|(?P<name>`(?:[^`]|``)*`|" + _WORD + r")|" + _SPACE_AND_REST,
    re.DOTALL,
)
_VALUE = "?"
_SHORT = 10_000
"""characters of a statement of which many may be kept in memory"""
_ROWS_FOLLOW = ("VALUES", "VALUE")
_ROWS_SEEN = 4
"""VALUES, a row, a comma, another row"""
_BEFORE_A_SIGN = frozenset(
    (
        *"(,=<>+-*/%|",
        "SELECT",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "LIKE",
        "LIMIT",
        "OFFSET",
        "THEN",
        "ELSE",
        "CASE",
    )
)


def fold(statement: str, database: str = SQLITE) -> str:
    """Return a statement's shape: literals, parameters and lists of them become one `?`, comments nothing.

    `database` is `sqlite`, `mysql` or `mariadb`, by which "bob" is a name or a string.
    """
    return (_fold_short if len(statement) < _SHORT else _fold_long)(statement, database)


def _fold(statement: str, database: str) -> str:
    return "".join(_without_lists(_without_values(statement, database))).strip()


_fold_short = lru_cache(maxsize=2048)(_fold)
_fold_long = lru_cache(maxsize=32)(_fold)


def _without_values(statement: str, database: str) -> list[str]:
    """Return the statement's parts, each value a `?`, all white space between two parts one space."""
    parts: list[str] = []
    for found in (_SQLITE if database == SQLITE else _MYSQL).finditer(statement):
        kind = found.lastgroup
        if kind in ("space", "comment"):
            if parts and parts[-1] != " ":
                parts.append(" ")
        elif kind == "value":
            if _is_sign(parts):
                parts.pop()
            parts.append(_VALUE)
        else:
            parts.append(found[0])
    return parts


def _is_sign(parts: list[str]) -> bool:
    """Tell whether the last part is the sign of the number that follows, not an operator."""
    if not parts or parts[-1] not in ("-", "+"):
        return False
    before = next((part for part in reversed(parts[:-1]) if part != " "), "(")
    return before.upper() in _BEFORE_A_SIGN


def _without_lists(parts: list[str]) -> list[str]:
    """Make what stands in parentheses one part, lists of the same there one element, and rows after VALUES one row."""
    folded: list[str] = []
    opened: list[int] = []
    for part in parts:
        folded.append(part)
        if part == "(":
            opened.append(len(folded) - 1)
        elif part == ")" and opened:
            begin = opened.pop()
            folded[begin:] = [_fold_group(folded[begin + 1 : -1])]
            _drop_further_row(folded)
    return folded


def _fold_group(inside: list[str]) -> str:
    """Return `(?)` for `(?, ?)`, `((?))` for `((?), (?))`; NULL is a value among others."""
    elements = [element.strip() for element in _split(inside)]
    different = {element for element in elements if element.upper() != "NULL"}
    if len(different) == 1 and _VALUE in (element := different.pop()):
        return f"({element})"
    return f"({''.join(inside).strip()})"


def _split(parts: list[str]) -> list[str]:
    elements = [""]
    for part in parts:
        if part == ",":
            elements.append("")
        else:
            elements[-1] += part
    return elements


def _drop_further_row(folded: list[str]) -> None:
    """Take the last part away if it is a second row of VALUES."""
    before = [place for place, part in enumerate(folded) if part != " "][-4:]
    if len(before) == _ROWS_SEEN and folded[before[0]].upper() in _ROWS_FOLLOW and folded[before[2]] == ",":
        is_row = folded[before[1]].startswith("(")
        del folded[before[1] + 1 if is_row else len(folded) :]
