"""Reads marshal, in which profiles are written, without making anything but numbers, texts and what holds them.

The interpreter's own reader is not for files from elsewhere: it builds code objects of whatever bytes it is given, and
knows those of its own version alone. `python -m profile` has one of the script in its file. Here such an object becomes
a text, whichever Python wrote it, from 2.7 on.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

_DEEPEST = 60
_CODE_INTEGERS = (4, 5, 6)
"""how many numbers a code object begins with: Python 2, then 3.0 to 3.7 and from 3.11 on, then 3.8 to 3.10"""
_DIGIT_BITS = 15
_MOST_DIGITS = 64
_SEEN_AGAIN = 0x80
_INTEGER, _LONG_INTEGER, _FLOAT, _COMPLEX = struct.Struct("<i"), struct.Struct("<q"), struct.Struct("<d"), 16
_END = object()
_CONSTANTS = {"0": _END, "N": None, "T": True, "F": False, "S": None, ".": None}


def read_marshalled(data: bytes) -> Any:
    """Return the first value that `data` holds: dicts, tuples, lists, texts, bytes, numbers; sets become tuples.

    Raises:
        ValueError: it holds none, or ends within it.
        TypeError: a dict has a key that can't be one.
    """
    try:
        return _Reader(data).value()
    except (struct.error, IndexError) as error:
        raise ValueError("it ends too early") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._depth = 0
        self._seen: list[Any] = []
        self._names: list[str] = []
        """Python 2 counts the texts that come again apart from the rest"""

    def value(self) -> Any:
        """Return the next value."""
        kind = self._data[self._at]
        self._at += 1
        read = _READ.get(chr(kind & ~_SEEN_AGAIN))
        if read is None:
            raise ValueError("it has a kind of value that profiles don't have")
        if not kind & _SEEN_AGAIN:
            return self._within(read)
        place = len(self._seen)
        self._seen.append(None)
        value = self._seen[place] = self._within(read)
        return value

    def integer(self) -> int:
        return int(self.number(_INTEGER))

    def number(self, form: struct.Struct) -> Any:
        [value] = form.unpack_from(self._data, self._at)
        self._at += form.size
        return value

    def raw(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self._at:
            raise ValueError("it ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def long(self) -> int:
        size = self.integer()
        if abs(size) > _MOST_DIGITS:
            raise ValueError("it has a number that counts nothing")
        digits = self.raw(2 * abs(size))
        value = sum(
            int.from_bytes(digits[2 * place : 2 * place + 2], "little") << (_DIGIT_BITS * place)
            for place in range(abs(size))
        )
        return -value if size < 0 else value

    def bytes_of(self, short: bool = False) -> bytes:
        return self.raw(self._size(short))

    def text(self, short: bool = False, encoding: str = "utf-8") -> str:
        return self.bytes_of(short).decode(encoding, "replace")

    def name(self) -> str:
        self._names.append(self.text())
        return self._names[-1]

    def items(self, short: bool = False) -> list[Any]:
        size = self._size(short)
        if size > len(self._data) - self._at:
            raise ValueError("it is shorter than it says")
        return [self.value() for _ in range(size)]

    def mapping(self) -> dict[Any, Any]:
        found = {}
        while (key := self.value()) is not _END:
            found[key] = self.value()
        return found

    def code(self) -> str:
        """Return what a code object is of; its layout is told by where its bytes begin."""
        for _ in range(next(many for many in (*_CODE_INTEGERS, 0) if self._are_bytes_after(many))):
            self.integer()
        parts = [self.value() for _ in range(8)]
        is_new = isinstance(parts[5], str)  # Python 3.11 and newer: file, name, qualified name
        file, name = (parts[5], parts[6]) if is_new else (parts[6], parts[7])
        line = self.integer()
        for _ in range(2 if is_new else 1):
            self.value()
        return f'<code object {_as_text(name)}, file "{_as_text(file)}", line {line}>'

    def again(self) -> Any:
        return self._seen[self._place()]

    def name_again(self) -> str:
        return self._names[self._place()]

    def _within(self, read: Callable[[_Reader], Any]) -> Any:
        if self._depth == _DEEPEST:
            raise ValueError("it is nested too deeply")
        self._depth += 1
        value = read(self)
        self._depth -= 1
        return value

    def _are_bytes_after(self, integers: int) -> bool:
        if integers == 0:
            raise ValueError("it has a code object of an unknown layout")
        at = self._at + integers * _INTEGER.size
        if self._data[at] & ~_SEEN_AGAIN != ord("s"):
            return False
        return bool(0 <= _INTEGER.unpack_from(self._data, at + 1)[0] <= len(self._data) - at)

    def _place(self) -> int:
        place = self.integer()
        if place < 0:
            raise ValueError("it refers to nothing")
        return place

    def _size(self, short: bool) -> int:
        if short:
            return self.raw(1)[0]
        return self.integer()


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _constant(_reader: _Reader, value: Any) -> Any:
    return value


_READ: dict[str, Callable[[_Reader], Any]] = {
    **{kind: partial(_constant, value=value) for kind, value in _CONSTANTS.items()},
    "i": lambda reader: reader.integer(),
    "I": lambda reader: reader.number(_LONG_INTEGER),
    "l": lambda reader: reader.long(),
    "g": lambda reader: reader.number(_FLOAT),
    "f": lambda reader: float(reader.bytes_of(short=True)),
    "y": lambda reader: reader.raw(_COMPLEX),
    "x": lambda reader: (reader.bytes_of(short=True), reader.bytes_of(short=True)),
    "s": lambda reader: reader.bytes_of(),
    "t": lambda reader: reader.name(),
    "u": lambda reader: reader.text(),
    "a": lambda reader: reader.text(encoding="latin-1"),
    "A": lambda reader: reader.text(encoding="latin-1"),
    "z": lambda reader: reader.text(short=True, encoding="latin-1"),
    "Z": lambda reader: reader.text(short=True, encoding="latin-1"),
    "(": lambda reader: tuple(reader.items()),
    ")": lambda reader: tuple(reader.items(short=True)),
    "[": lambda reader: reader.items(),
    "<": lambda reader: tuple(reader.items()),
    ">": lambda reader: tuple(reader.items()),
    ":": lambda reader: tuple(reader.value() for _ in range(3)),
    "{": lambda reader: reader.mapping(),
    "c": lambda reader: reader.code(),
    "r": lambda reader: reader.again(),
    "R": lambda reader: reader.name_again(),
}
