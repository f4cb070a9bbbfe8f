"""Tells the server how a run ended, patiently, and never runs anything again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

import structlog

from shared.errors import PlatformError, StaleRun, TaskNotFound
from shared.retry import Patience, call_patiently
from shared.task_api.held_run import Ending, HeldRun
from shared.task_api.models import Outcome, TaskStatus
from shared.task_api.reasons import REASON_CODE, ReasonCode, fit, sentence

log = structlog.get_logger(__name__)
_REASON_CODES = {
    Ending.CLOSED: ReasonCode.CLOSED,
    Ending.TIMED_OUT: ReasonCode.RUN_TIMEOUT,
    Ending.WORKER_STOPPED: ReasonCode.WORKER_STOPPED,
}


class Verdict(Enum):
    """What became of one claim."""

    DROPPED = "dropped"
    """not claimed: another run has it, it has ended, or the server stayed away"""
    REPORTED = "reported"
    """its end is with the server"""
    HANDED_BACK = "handed_back"
    """given back unharmed, to be run by another worker"""
    LOST = "lost"
    """the task was no longer this run's"""
    UNREPORTED = "unreported"
    """it ended and the server could not be told; the lease decides"""


def failed(reason: str, code: str) -> Outcome:
    """Return the outcome of a run that failed."""
    return storable_reason(Outcome(TaskStatus.FAILED, reason=reason, reason_code=code))


def storable_reason(outcome: Outcome) -> Outcome:
    """Return the outcome with a reason and a code that the server takes, whatever the function gave."""
    reason, code = outcome.reason, outcome.reason_code
    if reason is not None:
        reason = fit(reason) if reason.strip() else None
    if outcome.status is TaskStatus.FAILED and reason is None:
        reason = fit(code or "The function gave no reason.")
    if code is not None and not REASON_CODE.fullmatch(code):
        code = ReasonCode.FUNCTION_FAILED
    return replace(outcome, reason=reason, reason_code=code)


def report(held: HeldRun, outcome: Outcome | None) -> Verdict:
    """Tell the server how the run ended; `outcome` is None where the body gave none."""
    ending = held.ending
    if ending is Ending.FENCED:
        log.warning("run_lost")
        return Verdict.LOST
    # A body that was not told it must end, and returned, has done its whole work.
    if ending is Ending.HANDED_BACK and (held.told or outcome is None):
        return _deliver(held, "release", _release)
    final = _final(held, ending, outcome)
    return _deliver(held, "finish", lambda held: _finish(held, final))


def _final(held: HeldRun, ending: Ending | None, outcome: Outcome | None) -> Outcome:
    """Choose between what the body returned and what ended it."""
    if outcome is not None and (ending in (None, Ending.CLOSED) or not held.told):
        return outcome
    code = _REASON_CODES[ending or Ending.CLOSED]
    reason = sentence(code, held.policy.language, seconds=f"{held.task.run_seconds:g}")
    return Outcome(TaskStatus.FAILED, outcome.result if outcome else None, reason, code)


def _release(held: HeldRun) -> Verdict:
    held.client.release(held.task.task_id, run_count=held.task.run_count, lost=False, log=held.run_log.lines())
    log.info("run_handed_back")
    return Verdict.HANDED_BACK


def _finish(held: HeldRun, outcome: Outcome) -> Verdict:
    held.client.finish(
        held.task.task_id,
        status=outcome.status,
        result=outcome.result,
        reason=outcome.reason,
        reason_code=outcome.reason_code,
        run_count=held.task.run_count,
        log=held.run_log.lines(),
    )
    log.info("run_finished", status=int(outcome.status), reason_code=outcome.reason_code)
    return Verdict.REPORTED


def _deliver(held: HeldRun, event: str, act: Callable[[HeldRun], Verdict]) -> Verdict:
    """Report patiently; a report that the server will never take is replaced by one that it can."""
    patience = Patience(held.policy.report_seconds, longest_delay_seconds=held.policy.report_delay_seconds)
    try:
        return call_patiently(lambda: act(held), patience, event=event, given_up=held.gives_up_reporting)
    except (StaleRun, TaskNotFound):
        log.warning("run_lost")
        return Verdict.LOST
    except PlatformError as error:
        if error.status >= 500 or event == "refusal":
            log.error("run_unreported", problem=str(error))
            return Verdict.UNREPORTED
        log.error("report_refused", problem=str(error))
        reason = sentence(ReasonCode.RESULT_REFUSED, held.policy.language, problem=error.sentence(held.policy.language))
        refusal = failed(reason, ReasonCode.RESULT_REFUSED)
        return _deliver(held, "refusal", lambda held: _finish(held, refusal))
