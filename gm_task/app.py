"""Chooses the real things: the Celery application of a worker, its tasks, and what happens when it stops."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from billiard.util import set_pdeathsig
from celery import Celery, signals

from gm_task import queues
from gm_task.config import BUILT_IN_FUNCTIONS, TaskSettings
from gm_task.consumer import GuardedConsumer
from gm_task.context import Tools
from gm_task.orphan import OrphanWatch
from gm_task.pool import WatchfulTaskPool
from gm_task.registry import load_functions
from gm_task.runner import Message, Runner
from gm_task.script import ScriptLimits, ScriptRunner
from gm_task.stop import StopFlag
from gm_task.supervision import Supervision
from shared.broker.queue import REQUEST_ID_HEADER, RUN_COUNT_HEADER
from shared.broker.settings import make_celery
from shared.per_process import PerProcess
from shared.task_api.client import TaskClient
from shared.task_api.transport import HttpTransport

_FINISH_SECONDS = 3.0


def make_worker(settings: TaskSettings) -> Any:
    """Return a Celery worker that serves the queue table; its `start()` returns when it was told to stop.

    Makes no connection; connects handlers to Celery's signals, so one process makes one worker.

    Raises:
        BrokerRefused, RegistryError, UnknownQueue: the configuration can't work; each says why.
    """
    name = f"gm_task.{os.getpid()}@{socket.gethostname()[:40]}"
    stop = StopFlag()
    app = make_celery("gm_task", settings.broker_url.get_secret_value(), queues=queues.choose(settings.worker_queues))
    orphan_watch = OrphanWatch(stop)
    register_tasks(app, make_runner(settings, stop, name), orphan_watch)
    connect_signals(stop, orphan_watch, Supervision(lambda: make_client(settings), name, settings.language))
    return app.Worker(
        hostname=name,
        consumer_cls=GuardedConsumer,
        pool=WatchfulTaskPool,
        concurrency=settings.worker_concurrency,
        optimization="fair",
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )


def make_client(settings: TaskSettings) -> TaskClient:
    """Return a client of gm_async_task for one process."""
    return TaskClient(
        HttpTransport(settings.async_task_url, settings.auth_key.get_secret_value(), signed=settings.signs_calls)
    )


def make_runner(settings: TaskSettings, stop: StopFlag, worker_name: str) -> Runner:
    """Return the runner of all registered functions; it connects in the process that first uses it."""
    return Runner(
        functions=load_functions([*BUILT_IN_FUNCTIONS, *settings.task_functions]),
        client=PerProcess(lambda: make_client(settings)),
        tools=PerProcess(lambda: make_tools(settings)),
        policy=settings.run_policy(),
        worker_stops=stop.is_set,
        worker_name=worker_name,
    )


def make_tools(settings: TaskSettings) -> Tools:
    """Return what one process lends to its task functions."""
    key, seconds = settings.auth_key.get_secret_value(), settings.service_timeout_seconds
    limits = ScriptLimits(settings.script_timeout_seconds, settings.script_memory_mib, settings.script_stop_seconds)
    return Tools(
        settings=settings,
        order_service=HttpTransport(
            settings.service_url, key, timeout_seconds=seconds, what="order service", signed=settings.signs_calls
        ),
        scripts=ScriptRunner(limits, settings.language, os.environ),
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
        message = Message(sent.id, list(args), sent.get(RUN_COUNT_HEADER), sent.get(REQUEST_ID_HEADER), queue)
        with orphan_watch.working():
            runner.run_task(name, message)


def connect_signals(stop: StopFlag, orphan_watch: OrphanWatch, supervision: Supervision) -> None:
    """Connect what the parent process has to do; logging stays as it was configured."""
    signals.setup_logging.connect(_leave_logging, weak=False)
    signals.worker_process_init.connect(lambda **_signal: _outlive_parent(orphan_watch), weak=False)
    signals.worker_shutting_down.connect(lambda **_signal: stop.set(), weak=False)
    signals.worker_shutdown.connect(lambda **_signal: supervision.finish(_FINISH_SECONDS), weak=False)
    signals.task_failure.connect(supervision.on_task_failure, weak=False)
    signals.task_unknown.connect(supervision.on_task_unknown, weak=False)
    signals.task_rejected.connect(supervision.on_task_rejected, weak=False)


def _outlive_parent(orphan_watch: OrphanWatch) -> None:
    """Undo that Celery has children killed with their parent: they hand their runs back first, then end.

    The kernel means the parent's *thread*, so that children forked later died in the middle of a graceful stop.
    """
    if sys.platform == "linux":
        set_pdeathsig(0)
    orphan_watch.start()


def _leave_logging(**_signal: Any) -> None:
    """Keep Celery from configuring the log."""
