"""Sync or async, and which day an order belongs to."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from gm_service.orders.policy import choose_mode, cycle_day, derive_receive_date, falls_into


@pytest.mark.parametrize(
    ("matching", "threshold", "prefer_async", "is_async"),
    [
        (0, 20, False, False),
        (20, 20, False, False),
        (21, 20, False, True),
        (1, 0, False, True),
        (0, 0, False, False),
        (3, 20, True, True),
    ],
)
def test_mode_follows_threshold_and_wish(matching: int, threshold: int, prefer_async: bool, is_async: bool) -> None:
    mode = choose_mode(matching, threshold, prefer_async)

    assert is_async == mode.is_async
    assert mode.reason and mode.reason_zh


@pytest.mark.parametrize(
    ("local_time", "start_time", "day"),
    [
        (datetime(2010, 12, 1, 6, 0), "06:00", date(2010, 12, 1)),
        (datetime(2010, 12, 1, 5, 59, 59), "06:00", date(2010, 11, 30)),
        (datetime(2010, 12, 1, 23, 59), "06:00", date(2010, 12, 1)),
        (datetime(2010, 12, 1, 0, 0), "00:00", date(2010, 12, 1)),
    ],
)
def test_cycle_begins_at_its_start_time(local_time: datetime, start_time: str, day: date) -> None:
    assert day == cycle_day(local_time, start_time)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (("06:00", "12:00"), ["06:00", "11:59"], ["05:59", "12:00", "22:00", "00:00"]),
        (("22:00", "06:00"), ["22:00", "23:59", "00:00", "05:59"], ["06:00", "21:59", "12:00"]),
        (("12:00", "00:00"), ["12:00", "23:59"], ["00:00", "11:59"]),
        (("06:00", "06:00"), ["00:00", "05:59", "06:00", "23:59"], []),
        (("00:00", "00:00"), ["00:00", "23:59"], []),
    ],
)
def test_window_has_its_start_and_leaves_its_end_out(
    window: tuple[str, str], inside: list[str], outside: list[str]
) -> None:
    fits = {clock: falls_into(time.fromisoformat(clock), *window) for clock in [*inside, *outside]}

    assert fits == {**dict.fromkeys(inside, True), **dict.fromkeys(outside, False)}


def test_goods_are_received_the_day_after_the_cycle() -> None:
    assert derive_receive_date(datetime(2010, 12, 31, 7, 0), "06:00") == date(2011, 1, 1)
