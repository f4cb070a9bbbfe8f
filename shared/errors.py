"""Every failure that callers may expect, each with a stable code, an HTTP status and a sentence in en and zh.

Raise deep, translate once: `shared.web` turns these into envelopes, the worker's runner turns them into a
task's reason, and `shared.task_api.client` raises the same class that the server raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from shared.problems import in_chinese

Language = Literal["en", "zh"]


class CannotStart(ValueError):
    """What keeps a program from its work until its operator mends it, in a sentence; nobody calls the program yet."""


class PlatformError(Exception):
    """Root of the tree; on its own it is the unexpected failure, shown to callers by an id only."""

    code: ClassVar[int] = 50000
    status: ClassVar[int] = 500
    en: ClassVar[str] = "Something went wrong on our side; tell the operators this id: {error_id}."
    zh: ClassVar[str] = "服务内部出错，请把编号 {error_id} 告诉运维人员。"

    def __init__(self, **details: Any) -> None:
        """Keep `details` (JSON values) for machines; the sentences are filled from them."""
        self.details = details
        super().__init__(self.sentence("en"))

    def sentence(self, language: Language) -> str:
        """Return what went wrong and what to do, in one sentence."""
        if language == "zh":
            problem_zh = in_chinese(str(self.details.get("problem", "?")))
            return self.zh.format_map(_Blanks({"problem_zh": problem_zh, **self.details}))
        return self.en.format_map(_Blanks(self.details))


class _Blanks(dict[str, Any]):
    """Details rebuilt from the wire may lack one; a sentence with a gap beats a second failure."""

    def __missing__(self, key: str) -> str:
        return "?"


class MalformedRequest(PlatformError):
    code = 40000
    status = 400
    en = "The request can't be read: {problem}."
    zh = "请求无法解析：{problem_zh}。"


class InvalidField(PlatformError):
    code = 40001
    status = 400
    en = "The parameter {field} is not valid: {problem}."
    zh = "参数 {field} 不正确：{problem_zh}。"


class InvalidPath(PlatformError):
    code = 40002
    status = 400
    en = "The postion {path} can't be used: {problem}."
    zh = "postion {path} 不可用：{problem_zh}。"


class UnknownFunction(PlatformError):
    code = 40003
    status = 400
    en = "The task name {name} is not one that may be dispatched here."
    zh = "任务名 {name} 不允许在此派发。"


class UnsupportedFormat(PlatformError):
    code = 40004
    status = 400
    en = "The format {format} is not offered; choose one of: {formats}."
    zh = "不支持格式 {format}，可选：{formats}。"


class Unauthorized(PlatformError):
    code = 40100
    status = 401
    en = "Credentials are missing or wrong."
    zh = "缺少凭证或凭证错误。"


class SignInFailed(PlatformError):
    code = 40101
    status = 401
    en = "The station, user name or password is wrong."
    zh = "站点、用户名或密码错误。"


class Forbidden(PlatformError):
    code = 40300
    status = 403
    en = "You may not do this."
    zh = "您没有权限执行此操作。"


class CsrfRefused(PlatformError):
    code = 40301
    status = 403
    en = "The page is out of date; reload it and try again."
    zh = "页面已过期，请刷新后重试。"


class NotFound(PlatformError):
    code = 40400
    status = 404
    en = "There is no such address."
    zh = "没有这个地址。"


class TaskNotFound(PlatformError):
    code = 40401
    status = 404
    en = "There is no such task."
    zh = "没有这个任务。"


class FileGone(PlatformError):
    code = 40402
    status = 404
    en = "The file is not there: it was never made, or its time is over; export again."
    zh = "文件不存在或已过期，请重新导出。"


class ReleaseNotFound(PlatformError):
    code = 40403
    status = 404
    en = "No release of version {version} is known."
    zh = "没有版本 {version} 的发布。"


class MethodNotAllowed(PlatformError):
    code = 40500
    status = 405
    en = "This address does not take {method}."
    zh = "此地址不支持 {method}。"


class NotStartable(PlatformError):
    """The verdict for every loser of a start: the worker drops its message quietly."""

    code = 40900
    status = 409
    en = "The task can't be started now; another run has it or it has ended."
    zh = "任务当前不可启动：已被其他进程执行或已结束。"


class StaleRun(PlatformError):
    """The fencing token is not the present run's: whoever carries it has lost the task."""

    code = 40901
    status = 409
    en = "Run {run_count} no longer holds this task; its changes are refused."
    zh = "第 {run_count} 次运行已失去该任务，其修改被拒绝。"


class TransitionRefused(PlatformError):
    code = 40902
    status = 409
    en = "A task that is {state} can't become {wanted}."
    zh = "任务状态不能从 {state} 变为 {wanted}。"


class ProgressBackwards(PlatformError):
    code = 40903
    status = 409
    en = "Progress can't go back from {present} to {wanted} within one run."
    zh = "同一次运行中进度不能从 {present} 退到 {wanted}。"


class IdReused(PlatformError):
    code = 40904
    status = 409
    en = "The id {user_task_id} was used before for another request; choose a new one."
    zh = "编号 {user_task_id} 已用于另一请求，请换一个编号。"


class ImportRunning(PlatformError):
    code = 40905
    status = 409
    en = "The import has not ended; wait for its end or stop it, then correct its rows."
    zh = "导入尚未结束，请等待其结束或先停止，再修改各行。"


class ReleaseUnderWay(PlatformError):
    code = 40906
    status = 409
    en = "Version {version} is being tried already; end that release first."
    zh = "版本 {version} 正在灰度发布，请先结束该发布。"


class ReleaseEnded(PlatformError):
    code = 40907
    status = 409
    en = "The release of version {version} has ended as {state}; begin it anew."
    zh = "版本 {version} 的发布已结束（{state}），请重新开始发布。"


class RangeNotSatisfiable(PlatformError):
    code = 41600
    status = 416
    en = "The file ends before the range that was asked for; it has {bytes} bytes."
    zh = "请求的范围超出文件末尾，文件共 {bytes} 字节。"


class TooLarge(PlatformError):
    code = 41300
    status = 413
    en = "The {what} is too large; at most {limit} are taken."
    zh = "{what} 过大，上限为 {limit}。"


class RuleRefused(PlatformError):
    code = 42200
    status = 422
    en = "{problem}"
    zh = "{problem_zh}"


class TooManyRequests(PlatformError):
    """Asked too often; the answer carries Retry-After."""

    code = 42900
    status = 429
    en = "Too many attempts; try again in {retry_after_seconds} seconds."
    zh = "尝试次数过多，请在 {retry_after_seconds} 秒后重试。"


class StorageFull(PlatformError):
    """No room for a file; nothing of it was kept."""

    code = 50700
    status = 507
    en = "The disk is full, so the file was not made; tell the operators and try again later."
    zh = "磁盘空间不足，文件未生成，请联系运维人员后重试。"


class Unavailable(PlatformError):
    """What the request needs is away for now; the answer carries Retry-After."""

    code = 50300
    status = 503
    en = "The {what} does not answer right now; try again in {retry_after_seconds} seconds."
    zh = "{what} 暂时不可用，请在 {retry_after_seconds} 秒后重试。"

    def __init__(self, **details: Any) -> None:
        super().__init__(**{"what": "service", "retry_after_seconds": 2, **details})


class FileStoreAway(Unavailable):
    """The store of finished files can't be reached, or is overloaded."""

    code = 50301
    status = 503
    en = "The file store does not answer right now; try again later, and tell the operators when it happens again."
    zh = "文件存储暂时不可用，请稍后重试；若再次发生，请联系运维人员。"


class FileStoreRefused(PlatformError):
    """The store of finished files answers, and refuses: wrong credentials, no such bucket, no right."""

    code = 50302
    status = 503
    en = "The file store refuses us ({problem}); tell the operators."
    zh = "文件存储拒绝访问（{problem}），请联系运维人员。"


def error_table() -> dict[int, type[PlatformError]]:
    """Return every error class by its code; README and the client are made from this one table."""
    return {kind.code: kind for kind in _tree(PlatformError)}


def from_wire(code: int, details: dict[str, Any]) -> PlatformError:
    """Rebuild the error that another service answered with."""
    return error_table().get(code, PlatformError)(**details)


def _tree(kind: type[PlatformError]) -> Iterator[type[PlatformError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)
