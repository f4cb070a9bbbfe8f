"""Metrics are names that dashboards and alerts depend on: each documented, each counted somewhere, no alert on air."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.metrics import table
from shared.metrics.table import METRICS, Metric

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
ALERTS = (ROOT / "docs" / "alerts.yml").read_text()
SERVICES = ("shared", "gm_async_task", "gm_task", "gm_service")
_SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SAMPLES = {metric.name + suffix: metric for metric in METRICS for suffix in _SUFFIXES[metric.kind]}


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {', '.join(metric.services)} | {metric.help} |"


def _expressions() -> list[str]:
    return re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_metric_is_documented_as_it_is(metric: Metric) -> None:
    assert _row(metric) in DOCUMENT.splitlines()


def test_document_names_no_metric_that_is_gone() -> None:
    assert set(re.findall(r"^\| `(gm_\w+)` \|", DOCUMENT, re.MULTILINE)) == {metric.name for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_metric_follows_the_names_of_prometheus(metric: Metric) -> None:
    assert re.fullmatch(r"gm_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert not metric.known or len(metric.labels) == 1


def test_no_two_metrics_have_one_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_metric_is_given_somewhere(metric: Metric) -> None:
    (name,) = [name for name, value in vars(table).items() if value is metric]
    sources = (path for service in SERVICES for path in (ROOT / service).rglob("*.py") if path.name != "table.py")

    assert any(re.search(rf"\b{name}\b", path.read_text()) for path in sources), name


def test_there_are_alerts_and_each_says_what_to_do() -> None:
    names, todos = re.findall(r"- alert: (\w+)", ALERTS), re.findall(r"^ +todo: \"(.+)\"$", ALERTS, re.MULTILINE)

    assert 8 <= len(names) == len(set(names)) == len(_expressions()) == len(todos)


@pytest.mark.parametrize("expression", _expressions())
def test_alert_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    asked: list[tuple[Any, ...]] = re.findall(r"(gm_\w+)(?:\{([^}]*)\})?(?![^{]*\"\})", expression)

    for name, selectors in asked:
        assert name in SAMPLES, name
        labels = set(re.findall(r"(\w+)(?:=|!=|=~)\"", selectors))
        assert labels <= set(SAMPLES[name].labels), (name, labels)


def test_alert_on_no_metric_is_noticed() -> None:
    with pytest.raises(AssertionError):
        test_alert_asks_for_metrics_and_labels_that_exist("rate(gm_never_counted_total[5m]) > 0")
    with pytest.raises(AssertionError):
        test_alert_asks_for_metrics_and_labels_that_exist('gm_tasks{colour="red"} > 0')


def test_each_value_that_an_alert_selects_is_one_that_is_counted() -> None:
    selected = re.findall(r'(gm_\w+)\{(\w+)="(\w+)"', " ".join(_expressions()))

    for name, _, value in selected:
        known = SAMPLES[name].known
        assert not known or value in known, (name, value)
