"""Opens the zip package of a workbook without trusting what it says: size, ratio, number of entries, kind."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable

from gm_service.orders.imports.files.limits import MIB
from gm_service.orders.imports.files.refusals import FileRefused

MAX_ENTRIES = 1_000
MAX_UNPACKED_BYTES = 50 * MIB
MAX_RATIO = 100
_SMALL_BYTES = MIB
"""a part that unpacks to less may be packed as tightly as it likes: thousands of equal empty cells are"""
_ENCRYPTED_FLAG = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class Package:
    """The parts of a workbook that a caller asks for, never unpacked beyond the size that was checked."""

    def __init__(self, content: bytes) -> None:
        """Check the directory.

        Raises:
            FileRefused: it is damaged, encrypted, too large unpacked, or of too many parts.
        """
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError, OSError) as error:
            raise FileRefused("damaged", detail="zip") from error
        self._entries = _check_directory(self._zip.infolist(), len(content))

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._entries

    def names(self) -> Iterable[str]:
        """Return the parts' names in lower case, as programs compare them."""
        return self._entries.keys()

    def read(self, name: str) -> bytes:
        """Return one part, at most as long as the directory says.

        Raises:
            FileRefused: there is none, or its bytes are not what the directory says.
        """
        entry = self._entries.get(name.lower())
        if entry is None:
            raise FileRefused("damaged", detail=name)
        try:
            return self._zip.read(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError) as error:
            raise FileRefused("damaged", detail=name) from error


def repack(parts: dict[str, bytes]) -> bytes:
    """Return a package of just these parts, so that another reader of zips sees what was checked and nothing else."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return packed.getvalue()


def _check_directory(entries: list[zipfile.ZipInfo], packed_bytes: int) -> dict[str, zipfile.ZipInfo]:
    if len(entries) > MAX_ENTRIES:
        raise FileRefused("too_many_entries", limit=MAX_ENTRIES)
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise FileRefused("encrypted")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise FileRefused("unpacks_too_large", limit=f"{MAX_UNPACKED_BYTES // MIB} MiB")
    if unpacked > max(packed_bytes * MAX_RATIO, _SMALL_BYTES):
        raise FileRefused("unpacks_too_large", limit=f"{MAX_RATIO}:1")
    by_name = {entry.filename.replace("\\", "/").lstrip("/").lower(): entry for entry in entries}
    if len(by_name) != len(entries) or not {entry.compress_type for entry in entries} <= _METHODS:
        raise FileRefused("damaged", detail="zip")
    return by_name
