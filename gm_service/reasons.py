"""Why a task ended as it did, in the reader's language; the task itself keeps one sentence in one language."""

from __future__ import annotations

import re
from typing import Any

from shared.errors import Language

_CHINESE = re.compile("[\u4e00-\u9fff]")

# reason_code -> en, zh. {reason} is the stored sentence, other names are fields of the result.
REASONS: dict[str, tuple[str, str]] = {
    "closed": ("Stopped on request.", "已按请求停止。"),
    "worker_lost": (
        "The program that did the work was lost in the middle. Check what was done, then submit again.",
        "执行任务的程序中途丢失。请核对已完成的部分后重新提交。",
    ),
    "worker_stopped": (
        "The program that did the work was stopped before it was done. Submit again.",
        "执行任务的程序在完成前被停止，请重新提交。",
    ),
    "run_timeout": (
        "It took longer than one run may take. Submit it in smaller parts.",
        "运行时间超过上限，请分成较小的部分重新提交。",
    ),
    "never_started": (
        "No worker started it in time. Tell the operators, then submit again.",
        "在规定时间内没有程序执行它。请联系运维人员后重新提交。",
    ),
    "unknown_function": (
        "No worker knows this kind of task. Tell the operators.",
        "没有程序能执行这类任务，请联系运维人员。",
    ),
    "function_failed": ("The work failed: {reason}", "执行失败：{reason}"),
    "job_ended": ("The workflow job that it was a part of has ended.", "所属的工作流任务已结束。"),
    "handler_failed": ("A step of the workflow job failed: {reason}", "工作流任务的一个步骤失败：{reason}"),
    "result_refused": ("The result could not be stored: {reason}", "结果无法保存：{reason}"),
    "rows_failed": ("{failed} of {total} rows failed.", "共 {total} 行，{failed} 行失败。"),
    "rows_open": (
        "{failed} of {total} rows failed, {not_attempted} were not attempted.",
        "共 {total} 行，{failed} 行失败，{not_attempted} 行未执行。",
    ),
    "bad_input": ("What was submitted can't be processed: {reason}", "提交的内容无法处理：{reason}"),
    "service_unavailable": (
        "A service it needs was away for too long: {reason}",
        "所需的服务长时间不可用：{reason}",
    ),
    "service_refused": (
        "A service it needs refused the work: {reason}",
        "所需的服务拒绝执行：{reason}",
    ),
    "unknown_export": ("There is no such export: {reason}", "没有这种导出：{reason}"),
    "script_failed": ("The export failed: {reason}", "导出失败：{reason}"),
    "script_timeout": (
        "The export took too long and was ended. Choose a shorter range.",
        "导出耗时过长，已被终止。请缩小范围。",
    ),
    "script_out_of_memory": (
        "The export needed too much memory. Choose a shorter range.",
        "导出所需内存过多，请缩小范围。",
    ),
    "script_killed": (
        "The export was killed in the middle and left no file. Try again; tell the operators when it happens again.",
        "导出在执行中被终止，没有生成文件。请重试；若再次发生，请联系运维人员。",
    ),
    "script_flooded": ("The export failed: {reason}", "导出失败：{reason}"),
    "file_store_away": (
        "The file was made, but the store that keeps files did not answer. Try again later.",
        "文件已生成，但文件存储没有响应，请稍后重试。",
    ),
    "file_store_refused": (
        "The file was made, but the store that keeps files refused it. Tell the operators.",
        "文件已生成，但文件存储拒绝接收，请联系运维人员。",
    ),
    "storage_full": (
        "The disk is full. Tell the operators and try again later.",
        "磁盘空间不足，请联系运维人员后重试。",
    ),
}


class _Blanks(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def reason_text(code: str | None, stored: str | None, result: Any, language: Language) -> str | None:
    """Return the reason for a reader of `language`; the stored sentence where it is in that language already."""
    is_chinese = bool(_CHINESE.search(stored or ""))
    if stored and is_chinese == (language == "zh"):
        return stored
    if code not in REASONS:
        return stored
    en, zh = REASONS[code]
    facts = result if isinstance(result, dict) else {}
    return (zh if language == "zh" else en).format_map(_Blanks(facts, reason=stored or "-"))
