"""What a run logs is kept: bounded, masked, readable, and its own alone."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator

import pytest
import structlog

from shared.logs import configure_logs
from shared.run_log import MAX_LINE_CHARACTERS, MOST_CHARACTERS, MOST_LINES, RunLog, collected_log
from shared.web.strict_json import is_clean_text

SECRET = "a-key-that-nobody-may-read"


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Logs as a worker has them."""
    configure_logs("test", "INFO", [SECRET], keeps_runs=True)
    yield
    logging.getLogger().handlers[:] = []
    structlog.reset_defaults()


def test_lines_of_both_loggers_are_kept_in_order_with_their_level() -> None:
    with collected_log() as run_log:
        structlog.get_logger("shop").info("file_opened", rows=3, name="a b.xlsx")
        logging.getLogger("library").warning("slow: %d s", 7)

    assert [(line["level"], line["text"]) for line in run_log.lines() or []] == [
        ("info", 'file_opened rows=3 name="a b.xlsx"'),
        ("warning", "slow: 7 s"),
    ]


def test_nothing_is_kept_of_what_others_log() -> None:
    with collected_log() as outer:
        other = threading.Thread(target=lambda: logging.getLogger().warning("of another thread"))
        other.start()
        other.join()
    logging.getLogger().warning("of no run")

    assert outer.lines() is None


def test_secrets_are_masked_and_debug_is_left_out() -> None:
    with collected_log() as run_log:
        logging.getLogger("shop").warning("refused: %s", SECRET)
        structlog.get_logger("shop").info("signed_in", password="hidden", token="hidden")
        logging.getLogger("shop").debug("detail")

    text = json.dumps(run_log.lines())
    assert (SECRET in text, "hidden" in text, "detail" in text) == (False, False, False)


def test_traceback_is_kept_without_the_folders_of_this_machine() -> None:
    with collected_log() as run_log:
        try:
            raise ValueError("no such sheet")
        except ValueError:
            structlog.get_logger("shop").exception("function_failed")

    (line,) = run_log.lines() or []
    assert "ValueError: no such sheet" in line["text"]
    assert 'File "…/unit/test_run_log.py"' in line["text"]
    assert __file__ not in line["text"]


def test_the_last_lines_are_kept_and_long_ones_cut() -> None:
    with collected_log() as many:
        for number in range(MOST_LINES + 50):
            logging.getLogger().info("line %d", number)
    with collected_log() as long:
        for number in range(50):
            logging.getLogger().info("%d%s", number, "x" * 3000)

    kept, cut = many.lines() or [], long.lines() or []
    assert (len(kept), kept[0]["text"], kept[-1]["text"]) == (MOST_LINES, "line 50", f"line {MOST_LINES + 49}")
    assert max(len(line["text"]) for line in cut) <= MAX_LINE_CHARACTERS
    assert sum(len(line["text"]) for line in cut) <= MOST_CHARACTERS
    assert cut[-1]["text"].startswith("49x")


def test_text_that_no_database_takes_is_made_harmless() -> None:
    run_log = RunLog()

    run_log.add(0.0, "info", "nul \0 and half \ud800")

    assert [is_clean_text(line["text"]) for line in run_log.lines() or []] == [True]
