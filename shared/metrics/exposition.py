"""Writes what a service counted, and what it reads when asked, in Prometheus' text format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.metrics import folder
from shared.metrics.meters import Meters
from shared.metrics.table import BUILD_INFO, PROCESS_MEMORY_BYTES, Metric

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a gauge at this moment."""

    metric: Metric
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


ReadGauges = Callable[[], Iterable[Reading]]


@dataclass(frozen=True, slots=True)
class Exposition:
    """Everything that one service shows."""

    meters: Meters
    release: str
    read_gauges: ReadGauges = tuple

    def text(self) -> bytes:
        """Return all metrics of all the service's processes; waits for no other service."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 see shared.metrics.meters

        shown = CollectorRegistry()
        shown.register(_Collector(self))
        return generate_latest(shown)

    def families(self) -> Iterator[Family]:
        """Yield the metrics as prometheus_client has them."""
        kept = folder.find_folder()
        yield from self.meters.registry.collect() if kept is None else folder.collect(kept)
        yield from _gauges([*self._own(kept), *self.read_gauges()])

    def _own(self, kept: Path | None) -> list[Reading]:
        service = self.meters.service
        pids = [] if kept is None else folder.processes(kept)
        memory = sum(_resident_bytes(pid) for pid in {*pids, os.getpid()})
        return [
            Reading(BUILD_INFO, 1, {"service": service, "version": self.release}),
            Reading(PROCESS_MEMORY_BYTES, memory, {"service": service}),
        ]


class _Collector:
    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def collect(self) -> Iterator[Family]:
        return self._exposition.families()

    def describe(self) -> list[Family]:
        return []  # nothing is read before it is asked for


def _gauges(readings: Iterable[Reading]) -> Iterable[Family]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 see shared.metrics.meters

    families: dict[str, GaugeMetricFamily] = {}
    for reading in readings:
        metric = reading.metric
        family = families.get(metric.name)
        if family is None:
            family = families[metric.name] = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        family.add_metric([reading.labels[label] for label in metric.labels], reading.value)
    return families.values()


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 where it is gone or there is no /proc."""
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
