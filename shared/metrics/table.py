"""Every metric of the platform: its name, its labels, who gives it. docs/metrics.md is checked against this table.

Values of a label are a closed set, or few by nature (functions, queues, reason codes): of these a process keeps the
first `MOST_VALUES` and counts what comes later as `other`, so that no caller can fill Prometheus by inventing names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_VALUES = 100
OTHER = "other"
OPEN_LABELS = frozenset({"task_name", "queue", "code"})
"""labels whose values callers choose"""

ASYNC_TASK, KEEPER, SERVICE, WORKER = "gm_async_task", "keeper", "gm_service", "gm_task"
EVERYWHERE = (ASYNC_TASK, KEEPER, SERVICE, WORKER)
HTTP = (ASYNC_TASK, SERVICE)
HTTP_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DELAY_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
RUN_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as Prometheus knows it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    services: tuple[str, ...]
    """who gives it"""
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    """values of its only label that begin at 0, so that the first event is seen as an increase"""


BUILD_INFO = Metric("gm_build_info", "gauge", EVERYWHERE, "1; the labels say what runs", ("service", "version"))
PROCESS_MEMORY_BYTES = Metric(
    "gm_process_memory_bytes", "gauge", EVERYWHERE, "resident memory of the service's processes", ("service",)
)

HTTP_REQUESTS = Metric(
    "gm_http_requests_total", "counter", HTTP, "requests answered", ("service", "method", "route", "status")
)
HTTP_REQUEST_SECONDS = Metric(
    "gm_http_request_seconds", "histogram", HTTP, "time to the answer", ("service", "route"), HTTP_SECONDS
)
HTTP_ERRORS = Metric(
    "gm_http_errors_total",
    "counter",
    HTTP,
    "refusals and failures by the error's code: 40901 is a stale writer, 40900 a start that lost",
    ("service", "error"),
)
TASK_API_CALLS = Metric(
    "gm_task_api_calls_total",
    "counter",
    (SERVICE, WORKER),
    "calls of gm_async_task: ok, refused, unavailable (unreachable, 503, or left out because it hung before)",
    ("outcome",),
    known=("ok", "refused", "unavailable"),
)
TASK_API_SECONDS = Metric(
    "gm_task_api_call_seconds", "histogram", (SERVICE, WORKER), "how long such a call took", (), HTTP_SECONDS
)

DATABASE_UP = Metric("gm_database_up", "gauge", (ASYNC_TASK,), "1 while the task database answers within 1.5 seconds")
TASKS = Metric(
    "gm_tasks",
    "gauge",
    (ASYNC_TASK,),
    "open tasks now, by status: submitted, running, or stop_requested (running, and asked to stop)",
    ("status", "queue"),
)
OLDEST_SUBMITTED_SECONDS = Metric(
    "gm_oldest_submitted_seconds", "gauge", (ASYNC_TASK,), "age of the oldest task that waits for a start", ("queue",)
)
OLDEST_RUN_SECONDS = Metric(
    "gm_oldest_run_seconds", "gauge", (ASYNC_TASK,), "age of the oldest run under way", ("queue",)
)
DOORBELLS_OUTSTANDING = Metric(
    "gm_doorbells_outstanding", "gauge", (ASYNC_TASK,), "tasks the keeper rang for that nobody started yet", ("queue",)
)
TASKS_ADDED = Metric("gm_tasks_added_total", "counter", (ASYNC_TASK,), "tasks added", ("queue",))
START_DELAY_SECONDS = Metric(
    "gm_task_start_delay_seconds",
    "histogram",
    (ASYNC_TASK,),
    "from being submitted, or submitted again, to the start of the run",
    ("queue",),
    DELAY_SECONDS,
)
_ENDS = (ASYNC_TASK, KEEPER)
RUN_SECONDS_OF_TASKS = Metric(
    "gm_task_run_seconds",
    "histogram",
    _ENDS,
    "length of the run that ended a task",
    ("task_name", "status"),
    RUN_SECONDS,
)
TASKS_ENDED = Metric(
    "gm_task_ended_total",
    "counter",
    _ENDS,
    "tasks ended: finished, partly_succeeded or failed",
    ("status",),
    known=("finished", "partly_succeeded", "failed"),
)
TASK_FAILURES = Metric("gm_task_failures_total", "counter", _ENDS, "tasks ended as failed by reason code", ("code",))
RUNS_LOST = Metric("gm_runs_lost_total", "counter", _ENDS, "runs that died, whatever became of their tasks")
UNFENCED_WRITES = Metric(
    "gm_unfenced_writes_total",
    "counter",
    (ASYNC_TASK,),
    "updates and finishes without run_count, as callers of old send them",
    ("verb",),
    known=("update", "finish"),
)

SWEEPER = Metric(
    "gm_sweeper_total",
    "counter",
    (KEEPER,),
    "what sweeps did: rung, rescued, ended, purged, jobs_timed_out, ends_heard, jobs_purged",
    ("action",),
    known=("rung", "rescued", "ended", "purged", "jobs_timed_out", "ends_heard", "jobs_purged"),
)
SWEEPS = Metric(
    "gm_sweeps_total",
    "counter",
    (KEEPER,),
    "sweeps: done, postponed (database away), failed",
    ("outcome",),
    known=("done", "postponed", "failed"),
)
SWEEP_AGE_SECONDS = Metric("gm_sweep_age_seconds", "gauge", (KEEPER,), "time since the last sweep that succeeded")

EXPORTS = Metric(
    "gm_exports_total",
    "counter",
    (SERVICE,),
    "exports asked for: sync (made at once) or async (a task)",
    ("mode",),
    known=("sync", "async"),
)
EXPORT_SECONDS = Metric(
    "gm_sync_export_seconds", "histogram", (SERVICE,), "time to make a file at once", (), HTTP_SECONDS
)
IMPORT_ROWS = Metric(
    "gm_import_rows_total",
    "counter",
    (SERVICE,),
    "rows that runs of imports attempted: created or failed; rows amended later are not counted",
    ("state",),
    known=("created", "failed"),
)
RINGS = Metric(
    "gm_rings_total",
    "counter",
    (SERVICE, ASYNC_TASK, KEEPER),
    "doorbells sent: ok, failed (the keeper rings later)",
    ("outcome",),
    known=("ok", "failed"),
)

RUNS_STARTED = Metric("gm_runs_started_total", "counter", (WORKER,), "runs that this worker claimed", ("task_name",))
RUNS_ENDED = Metric(
    "gm_runs_ended_total",
    "counter",
    (WORKER,),
    "messages dealt with: reported, handed_back, lost, unreported, left (its function did not return, "
    "so the process was left), or dropped (nothing was claimed)",
    ("task_name", "verdict"),
)
REFUSED_MESSAGES = Metric(
    "gm_worker_refused_messages_total",
    "counter",
    (WORKER,),
    "messages that are no doorbell (malformed), or name a function that is not here (unknown)",
    ("kind",),
    known=("malformed", "unknown"),
)
CHILDREN_LOST = Metric("gm_worker_children_lost_total", "counter", (WORKER,), "child processes that died in a run")
CHILDREN = Metric("gm_worker_children", "gauge", (WORKER,), "child processes")
CHILDREN_BUSY = Metric("gm_worker_busy_children", "gauge", (WORKER,), "child processes in a run")
WORKER_OLDEST_RUN_SECONDS = Metric(
    "gm_worker_oldest_run_seconds", "gauge", (WORKER,), "age of this worker's oldest run under way; 0: none"
)
LOOP_AGE_SECONDS = Metric("gm_worker_loop_age_seconds", "gauge", (WORKER,), "time since the event loop last turned")
BROKER_CONNECTED = Metric("gm_worker_broker_connected", "gauge", (WORKER,), "1 while the worker can take messages")

METRICS: tuple[Metric, ...] = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
