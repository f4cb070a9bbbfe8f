"""The counters and histograms of one service; whatever goes wrong with them, the work that they count goes on."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog

from shared.metrics import folder
from shared.metrics.table import METRICS, MOST_VALUES, OPEN_LABELS, OTHER, Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

log = structlog.get_logger(__name__)


class Meters:
    """What one service counts. Safe to share between threads, and to make before a fork.

    In a process that forks, only the thread that forks may count: a child would inherit the others' lock.
    """

    def __init__(self, service: str) -> None:
        """Make the service's instruments; `folder.open_folder` must have been called before where processes share."""
        # Imported here, as it looks at the environment when it is imported to choose how values are kept.
        from prometheus_client import CollectorRegistry, disable_created_metrics  # noqa: PLC0415

        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.service = service
        self.registry: CollectorRegistry = CollectorRegistry()
        self._files = folder.OwnFiles()
        self._seen: defaultdict[str, set[str]] = defaultdict(set)
        self._made: dict[str, Any] = {}
        if self._files.are_there():
            self._made = {each.name: self._make(each) for each in METRICS if service in each.services}

    def count(self, metric: Metric, amount: float = 1, **labels: object) -> None:
        """Add `amount` to a counter; the label `service` is filled in."""
        if self._files.are_there():
            try:
                self._labelled(metric, labels).inc(amount)
            except (OSError, ValueError) as error:
                self._give_up(metric, error)

    def observe(self, metric: Metric, value: float, **labels: object) -> None:
        """Enter `value` in a histogram; the label `service` is filled in."""
        if self._files.are_there():
            try:
                self._labelled(metric, labels).observe(max(0.0, value))
            except (OSError, ValueError) as error:
                self._give_up(metric, error)

    def _labelled(self, metric: Metric, labels: dict[str, object]) -> Any:
        instrument = self._made[metric.name]
        if not metric.labels:
            return instrument
        given = {"service": self.service, **labels}
        return instrument.labels(*(self._value(name, given[name]) for name in metric.labels))

    def _value(self, label: str, value: object) -> str:
        text = str(value)
        if label not in OPEN_LABELS:
            return text
        seen = self._seen[label]
        if text not in seen:
            if len(seen) >= MOST_VALUES:
                return OTHER
            seen.add(text)
        return text

    def _make(self, metric: Metric) -> Counter | Histogram | None:
        from prometheus_client import Counter, Histogram  # noqa: PLC0415 see __init__

        if metric.kind == "gauge":
            return None  # read when asked for: shared.metrics.exposition
        if metric.kind == "histogram":
            return Histogram(metric.name, metric.help, metric.labels, registry=self.registry, buckets=metric.buckets)
        counter = Counter(metric.name, metric.help, metric.labels, registry=self.registry)
        for value in metric.known:
            counter.labels(value)
        return counter

    def _give_up(self, metric: Metric, error: Exception) -> None:
        self._files.give_up()
        log.warning("metrics_given_up", metric=metric.name, problem=str(error))
