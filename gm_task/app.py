"""Chooses the real things: the Celery application of a worker, its tasks, and what happens when it stops."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from functools import partial
from typing import Any

from billiard import current_process
from billiard.util import set_pdeathsig
from celery import Celery, signals

from gm_task import queues
from gm_task.config import BUILT_IN_FUNCTIONS, TaskSettings
from gm_task.consumer import GuardedConsumer
from gm_task.context import Tools
from gm_task.handling import BUILT_IN_HANDLERS, Handlers
from gm_task.health import Parent
from gm_task.orphan import OrphanWatch
from gm_task.pool import WatchfulTaskPool
from gm_task.presence import Identity, Presence
from gm_task.pulse import ChildPulses
from gm_task.registry import load_functions
from gm_task.runner import Message, Runner
from gm_task.script import ScriptLimits, ScriptRunner
from gm_task.serving import Serving
from gm_task.showing import Showing
from gm_task.stop import StopFlag
from gm_task.supervision import Supervision
from shared.broker.queue import REQUEST_ID_HEADER, RUN_COUNT_HEADER, SENT_AT_HEADER
from shared.broker.settings import make_celery
from shared.files.store import open_file_store
from shared.metrics.calls import CountingTransport
from shared.metrics.meters import Meters
from shared.metrics.table import WORKER
from shared.per_process import PerProcess
from shared.profiling.plan import plan_of
from shared.profiling.runs import ProfiledRuns
from shared.profiling.switch import SWITCH
from shared.secret_files import read_secret_files
from shared.task_api.client import TaskClient
from shared.task_api.lanes import GREY, rung_queue
from shared.task_api.transport import HttpTransport, Transport
from shared.task_api.worker_client import WorkerClient

_FINISH_SECONDS = 3.0
_LEAVE_SECONDS = 2.0


def make_worker(settings: TaskSettings) -> tuple[Any, Showing]:
    """Return a Celery worker, and what it shows of itself; its `start()` returns when it was told to stop.

    It serves those queues of the table that the task service tells it, and none before.

    Makes no connection; connects handlers to Celery's signals, so one process makes one worker.

    Raises:
        BrokerRefused, RegistryError, UnknownQueue: the configuration can't work; each says why.
    """
    name = name_worker()
    stop, meters = StopFlag(), Meters(WORKER)
    parent = Parent(ChildPulses(settings.worker_concurrency), settings.worker_stall_seconds)
    showing = Showing(settings, parent, meters)
    base_queues = queues.choose(settings.worker_queues)
    table = [*base_queues, *(rung_queue(queue, GREY) for queue in base_queues)]
    app = make_celery("gm_task", settings.broker_url.get_secret_value(), queues=table)
    orphan_watch = OrphanWatch(stop)
    runner = make_runner(settings, stop, name, meters, parent.children)
    register_tasks(app, runner, orphan_watch)
    serving = Serving()
    presence = make_presence(settings, runner, base_queues, serving)
    # Its calls are not counted, as those of presence: a child that is forked meanwhile would inherit the meters' lock.
    supervision = Supervision(lambda: make_transport(settings), name, serving, meters)
    connect_signals(stop, orphan_watch, supervision, presence)
    connect_pulses(parent.children, showing)
    worker = app.Worker(
        hostname=name,
        exclude_queues=table,  # until the task service has said what to serve
        consumer_cls=partial(GuardedConsumer, serving, parent),
        pool=WatchfulTaskPool,
        concurrency=settings.worker_concurrency,
        optimization="fair",
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    return worker, showing


def name_worker() -> str:
    """Return a name that no other worker has, of this host, of another one that is called the same, or of a container.

    In containers every worker may have the id 1, and orchestrators tell hosts apart by the end of a long name.
    """
    return f"gm_task.{os.getpid()}.{secrets.token_hex(4)}@{socket.gethostname()[-40:]}"


def make_transport(settings: TaskSettings, meters: Meters | None = None) -> Transport:
    """Return a way to gm_async_task for one thread of one process; its calls are counted where `meters` are given."""
    transport = HttpTransport(
        settings.async_task_url, settings.auth_key.get_secret_value(), signed=settings.signs_calls
    )
    return CountingTransport(transport, meters) if meters else transport


def make_presence(settings: TaskSettings, runner: Runner, base_queues: tuple[str, ...], serving: Serving) -> Presence:
    """Return what reports this worker."""
    identity = Identity(
        name=runner.worker_name,
        host=socket.gethostname()[:255],
        pid=os.getpid(),
        version=settings.present_release,
        queues=base_queues,
        functions=tuple(sorted(runner.functions)),
        concurrency=settings.worker_concurrency,
    )
    return Presence(lambda: WorkerClient(make_transport(settings)), identity, serving, runner.worker_stops)


def make_runner(
    settings: TaskSettings, stop: StopFlag, worker_name: str, meters: Meters, pulses: ChildPulses
) -> Runner:
    """Return the runner of all registered functions; it connects in the process that first uses it."""

    def worker_stops() -> bool:
        pulses.turn()  # a run asks several times a second, whatever its function does
        return stop.is_set()

    return Runner(
        functions=load_functions([*BUILT_IN_FUNCTIONS, *settings.task_functions]),
        client=PerProcess(lambda: TaskClient(make_transport(settings, meters))),
        tools=PerProcess(lambda: make_tools(settings)),
        policy=settings.run_policy(),
        worker_stops=worker_stops,
        worker_name=worker_name,
        meters=meters,
        pulses=pulses,
        profiled=make_profiled_runs(settings),
    )


def make_profiled_runs(settings: TaskSettings) -> ProfiledRuns | None:
    """Return what profiles runs, where the settings say where to."""
    SWITCH.follow(settings)
    plan = plan_of(settings)
    return ProfiledRuns(plan) if plan else None


def make_tools(settings: TaskSettings) -> Tools:
    """Return what one process lends to its task functions."""
    key, seconds = settings.auth_key.get_secret_value(), settings.service_timeout_seconds
    limits = ScriptLimits(settings.script_timeout_seconds, settings.script_memory_mib, settings.script_stop_seconds)
    return Tools(
        settings=settings,
        order_service=HttpTransport(
            settings.service_url, key, timeout_seconds=seconds, what="order service", signed=settings.signs_calls
        ),
        scripts=ScriptRunner(limits, settings.language, {**read_secret_files(os.environ), **os.environ}),
        handlers=Handlers([*settings.handler_dirs, BUILT_IN_HANDLERS]),
        files=open_file_store(settings),
    )


def register_tasks(app: Celery, runner: Runner, orphan_watch: OrphanWatch) -> None:
    """Let `app` run the runner's functions and nothing else, Celery's built-in tasks included."""
    app.finalize()
    for name in [name for name in app.tasks if name.startswith("celery.")]:
        app.tasks.unregister(name)
    for name in runner.functions:
        _register(app, runner, orphan_watch, name)


def _register(app: Celery, runner: Runner, orphan_watch: OrphanWatch, name: str) -> None:
    @app.task(name=name, bind=True, shared=False, lazy=False, acks_late=False, ignore_result=True)  # type: ignore[untyped-decorator]
    def run(task: Any, *args: Any, **_unused: Any) -> None:
        sent = task.request
        queue = (sent.delivery_info or {}).get("routing_key")
        message = Message(
            sent.id,
            list(args),
            run_count=sent.get(RUN_COUNT_HEADER),
            request_id=sent.get(REQUEST_ID_HEADER),
            queue=queue,
            sent_at=sent.get(SENT_AT_HEADER),
        )
        with orphan_watch.working():
            runner.run_task(name, message)


def connect_signals(stop: StopFlag, orphan_watch: OrphanWatch, supervision: Supervision, presence: Presence) -> None:
    """Connect what the parent process has to do; logging stays as it was configured."""
    signals.setup_logging.connect(_leave_logging, weak=False)
    signals.worker_process_init.connect(lambda **_signal: _outlive_parent(orphan_watch), weak=False)
    signals.worker_ready.connect(lambda **_signal: presence.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_signal: stop.set(), weak=False)
    signals.worker_shutdown.connect(lambda **_signal: supervision.finish(_FINISH_SECONDS), weak=False)
    signals.worker_shutdown.connect(lambda **_signal: presence.finish(_LEAVE_SECONDS), weak=False)
    signals.task_failure.connect(supervision.on_task_failure, weak=False)
    signals.task_unknown.connect(supervision.on_task_unknown, weak=False)
    signals.task_rejected.connect(supervision.on_task_rejected, weak=False)


def connect_pulses(pulses: ChildPulses, showing: Showing) -> None:
    """Have each child take its place among the pulses, and close what its parent serves."""

    def begin(**_signal: Any) -> None:
        pulses.take_place(int(getattr(current_process(), "index", 0) or 0))
        showing.leave_to_parent()

    signals.worker_process_init.connect(begin, weak=False)


def _outlive_parent(orphan_watch: OrphanWatch) -> None:
    """Undo that Celery has children killed with their parent: they hand their runs back first, then end.

    The kernel means the parent's *thread*, so that children forked later died in the middle of a graceful stop.
    """
    if sys.platform == "linux":
        set_pdeathsig(0)
    orphan_watch.start()


def _leave_logging(**_signal: Any) -> None:
    """Keep Celery from configuring the log."""
