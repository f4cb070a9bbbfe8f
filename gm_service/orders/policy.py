"""The rules of exports and operating cycles that need neither a database nor a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Mode:
    """Whether an export is made at once or by a worker, and why."""

    is_async: bool
    reason: str
    reason_zh: str


def choose_mode(matching: int, threshold: int, prefer_async: bool) -> Mode:
    """Decide by the number of matching orders; `matching` may be cut off just above `threshold`."""
    if matching > threshold:
        return Mode(
            True,
            f"More than {threshold} orders match, so a worker makes the file.",
            f"符合条件的订单超过 {threshold} 个，将在后台生成文件。",
        )
    if prefer_async:
        return Mode(True, "You asked for the file to be made in the background.", "按您的要求在后台生成文件。")
    return Mode(
        False,
        f"{_orders(matching)}, at most {threshold} are exported at once.",
        f"符合条件的订单 {matching} 个，不超过 {threshold} 个，已直接生成文件。",
    )


def _orders(matching: int) -> str:
    return "1 order matches" if matching == 1 else f"{matching} orders match"


def joined_mode() -> Mode:
    """Return the mode of an export that somebody has asked for already and that is not done yet."""
    return Mode(
        True, "This very export is being made already; here is its task.", "相同的导出正在生成，已为您关联到该任务。"
    )


def falls_into(local_clock: time, start_time: str, end_time: str) -> bool:
    """Tell whether a clock time is within an operating cycle's daily window (HH:MM each), whose end is left out.

    An end that is not after the start is on the next day, so equal ends are a whole day.
    """
    starts, ends = time.fromisoformat(start_time), time.fromisoformat(end_time)
    if starts < ends:
        return starts <= local_clock < ends
    return local_clock >= starts or local_clock < ends


def cycle_day(local_time: datetime, start_time: str) -> date:
    """Return the day whose operating cycle (beginning daily at `start_time`, HH:MM) `local_time` falls into."""
    begins = time.fromisoformat(start_time)
    day = local_time.date()
    return day if local_time.time() >= begins else day - timedelta(days=1)


def derive_receive_date(local_time: datetime, start_time: str) -> date:
    """Return when goods are received where the order doesn't say: the day after its operating cycle's day."""
    return cycle_day(local_time, start_time) + timedelta(days=1)
