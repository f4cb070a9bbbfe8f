"""Sync or async, and which day an order belongs to."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from gm_service.orders.policy import choose_mode, cycle_day, derive_receive_date


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


def test_goods_are_received_the_day_after_the_cycle() -> None:
    assert derive_receive_date(datetime(2010, 12, 31, 7, 0), "06:00") == date(2011, 1, 1)
