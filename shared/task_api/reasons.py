"""Why a run ended without its function's word: a code for machines and one sentence for people, in en and zh."""

from __future__ import annotations

import re
from enum import StrEnum

from shared.errors import Language
from shared.task_api.lifecycle import MAX_REASON_CHARACTERS

REASON_CODE = re.compile(r"[a-z_]{1,64}")
"""what /task/finish takes as a code"""
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class ReasonCode(StrEnum):
    """The codes that the platform itself gives; functions and scripts may give others."""

    CLOSED = "closed"
    """a person asked for it"""
    FUNCTION_FAILED = "function_failed"
    """the function raised"""
    RUN_TIMEOUT = "run_timeout"
    """it took longer than a run may, from start to close"""
    WORKER_STOPPED = "worker_stopped"
    """the worker was told to stop, and the task may not be run again"""
    RESULT_REFUSED = "result_refused"
    """the function ended, but its result can't be stored"""
    UNKNOWN_FUNCTION = "unknown_function"
    """no live worker has the function that the task names"""


_SENTENCES: dict[ReasonCode, tuple[str, str]] = {
    ReasonCode.CLOSED: ("Closed while it was running.", "运行中被关闭。"),
    ReasonCode.FUNCTION_FAILED: ("The function failed: {problem}", "任务函数执行失败：{problem}"),
    ReasonCode.RUN_TIMEOUT: (
        "It took longer than the {seconds} seconds that one run may take.",
        "运行时间超过单次上限 {seconds} 秒。",
    ),
    ReasonCode.WORKER_STOPPED: (
        "The worker was stopped before the task was done, and the task may not be run twice.",
        "任务完成前执行进程被停止，且该任务不允许重复执行。",
    ),
    ReasonCode.UNKNOWN_FUNCTION: ("No worker has the function {name}.", "没有执行进程提供函数 {name}。"),
    ReasonCode.RESULT_REFUSED: ("The result can't be stored: {problem}", "任务结果无法保存：{problem}"),
}


def sentence(code: ReasonCode, language: Language, **facts: object) -> str:
    """Return the reason's sentence, cut to what the contract takes and free of characters it refuses."""
    en, zh = _SENTENCES[code]
    return fit((zh if language == "zh" else en).format(**facts))


def fit(text: str) -> str:
    """Make any text one that /task/finish takes as a reason."""
    clean = _UNSTORABLE.sub("�", text)
    return clean if len(clean) <= MAX_REASON_CHARACTERS else clean[: MAX_REASON_CHARACTERS - 1] + "…"
