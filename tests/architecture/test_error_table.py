"""Error codes are stable numbers: each in the table of docs/task-api.md, each with a sentence in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.errors import PlatformError, error_table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "task-api.md"


def _documented() -> dict[int, int]:
    rows = re.findall(r"^\| ([\d, ]+) \| (\d{3}) \|", DOCUMENT.read_text(), re.MULTILINE)
    return {int(code): int(status) for codes, status in rows for code in codes.split(",")}


def test_every_code_is_documented_with_its_status() -> None:
    assert _documented() == {code: kind.status for code, kind in error_table().items()}


@pytest.mark.parametrize("kind", error_table().values(), ids=lambda kind: kind.__name__)
def test_sentences_have_the_same_gaps_in_both_languages(kind: type[PlatformError]) -> None:
    gaps = [set(re.findall(r"{(\w+)}", text.replace("_zh}", "}"))) for text in (kind.en, kind.zh)]

    assert gaps[0] == gaps[1]
    assert re.search("[\u4e00-\u9fff]", kind.zh) or "{" in kind.zh
