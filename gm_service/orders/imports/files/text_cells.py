"""What every .xlsx written for imports shares: nothing in it is ever calculated, linked or reinterpreted."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

MAX_CELL_CHARACTERS = 32_767
WORKBOOK_OPTIONS: dict[str, Any] = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
CREATED = {"created": datetime(2000, 1, 1)}  # noqa: DTZ001 the format has no zone; now would make files differ
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


def storable(text: str) -> str:
    """Return `text` as a cell can hold it."""
    text = _NOT_XML.sub("�", text)[:MAX_CELL_CHARACTERS]
    # The library would take it for its own markup and write it unescaped.
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text
