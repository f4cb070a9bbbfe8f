"""What an uploaded file may be and take, and what a cell can hold; light, because the reading child imports it."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
BLANK_ROWS = 1_000
"""so many empty rows may stand above and between those that are taken"""
EXACT_BELOW = 10**15
"""a spreadsheet keeps 15 digits of a number; a longer one has been rounded before it came here"""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits of one upload and of the process that reads it."""

    max_bytes: int = 8 * MIB
    """of the file as it was uploaded"""
    max_rows: int = 20_000
    """with something in them, the titles not counted"""
    max_columns: int = 100
    max_cell_characters: int = 32_767
    """what a cell of .xlsx can hold"""
    read_seconds: float = 10.0
    """from starting the child that reads to its end"""
    read_memory_mib: int = 256
    """address space of that child: it can never take more than this"""
