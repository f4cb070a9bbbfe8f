"""Why a task ended, told to readers of both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gm_service.reasons import REASONS, reason_text
from shared.task_api.reasons import ReasonCode

ROOT = Path(__file__).resolve().parents[2]
_CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", sorted(REASONS))
def test_known_reason_is_told_in_the_readers_language(code: str) -> None:
    stored_en, stored_zh = "Out of paper.", "没有纸了。"

    english = reason_text(code, stored_zh, {}, "en")
    chinese = reason_text(code, stored_en, {}, "zh")

    assert english is not None and not _CHINESE.search(english.replace(stored_zh, ""))
    assert chinese is not None and _CHINESE.search(chinese)


def test_every_code_of_the_platform_is_told_in_both_languages() -> None:
    rooms = ("gm_async_task", "gm_task", "shared/task_api")
    sources = [path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py")]
    assigned = r'(?:reason_code"?[=:] ?|RunFailed\([^"]*"[^"]*"[^"]*(?:"[^"]*"[^"]*)?, |code = )"([a-z]+_[a-z_]+)"'

    codes = {code for source in sources for code in re.findall(assigned, source)} | set(ReasonCode)

    assert {"worker_lost", "never_started", "service_unavailable", "run_timeout"} <= codes
    assert codes - set(REASONS) == set()


def test_sentence_that_is_in_the_readers_language_keeps_its_details() -> None:
    assert reason_text("closed", "Wrong file, says Li.", None, "en") == "Wrong file, says Li."
    assert reason_text("closed", "李先生说文件有误。", None, "zh") == "李先生说文件有误。"


def test_detail_in_another_language_is_kept_inside_the_sentence() -> None:
    assert reason_text("function_failed", "KeyError: sku", None, "zh") == "执行失败：KeyError: sku"


def test_failed_rows_are_counted_from_the_result() -> None:
    assert reason_text("rows_failed", "3 of 9 rows failed.", {"failed": 3, "total": 9}, "zh") == "共 9 行，3 行失败。"


def test_unknown_reason_is_shown_as_it_stands() -> None:
    assert reason_text("from_a_script", "No stock left.", None, "zh") == "No stock left."
    assert reason_text(None, None, None, "zh") is None


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_of_a_run_is_known(code: ReasonCode) -> None:
    assert code.value in REASONS
