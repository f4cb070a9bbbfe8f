"""What a worker shows of itself: its health file, and an HTTP endpoint where it is told to have one."""

from __future__ import annotations

from contextlib import ExitStack

from gm_task.config import TaskSettings
from gm_task.health import Parent
from shared.health import HealthFile
from shared.metrics import table
from shared.metrics.exposition import Exposition, Reading
from shared.metrics.meters import Meters
from shared.metrics.server import Endpoint


class Showing:
    """The parent process' own threads; a child that was forked closes what it inherited of them."""

    def __init__(self, settings: TaskSettings, parent: Parent, meters: Meters) -> None:
        self._parent = parent
        self._ends = ExitStack()
        exposition = Exposition(meters, settings.present_release, self.read_gauges)
        self._endpoint = Endpoint(settings.worker_bind, settings, parent.judge, exposition)
        self._file = HealthFile(settings.worker_health_file, parent.judge) if settings.worker_health_file else None

    def start(self) -> None:
        """Begin to show; called before anything is connected, so that a worker without a broker shows it too."""
        self._endpoint.start()
        self._ends.callback(self._endpoint.stop)
        if self._file is not None:
            self._file.start()
            self._ends.callback(self._file.stop)

    def stop(self) -> None:
        """Show no more."""
        self._ends.close()

    def leave_to_parent(self) -> None:
        """Close in a forked child what only the parent serves."""
        self._endpoint.close_inherited()

    def read_gauges(self) -> list[Reading]:
        """Return how the worker is now."""
        parent, ages = self._parent, self._parent.children.ages()
        return [
            Reading(table.CHILDREN, parent.processes or 0),
            Reading(table.CHILDREN_BUSY, len(ages)),
            Reading(table.WORKER_OLDEST_RUN_SECONDS, max(ages, default=0.0)),
            Reading(table.LOOP_AGE_SECONDS, parent.loop_age()),
            Reading(table.BROKER_CONNECTED, int(parent.connected)),
        ]
