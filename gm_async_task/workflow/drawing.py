"""The graph of a job as DOT text, and as a picture where Graphviz is installed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gm_async_task.workflow.states import TaskStatus
from gm_async_task.workflow.stats import Refused, Stat

log = structlog.get_logger(__name__)
CONTENT_TYPES = {"png": "image/png", "svg": "image/svg+xml", "dot": "text/vnd.graphviz; charset=utf-8"}
COLOURS = {
    TaskStatus.WAITING: "#e5e7eb",
    TaskStatus.PENDING: "#fde68a",
    TaskStatus.STARTED: "#93c5fd",
    TaskStatus.FINISHED: "#86efac",
    TaskStatus.FAILED: "#fca5a5",
}
"""what a task's state looks like"""
SECONDS = 20
MAX_PICTURE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Node:
    """A task as the picture shows it."""

    label: str
    cmd: str
    status: str
    dependencies: tuple[str, ...]
    note: str = ""
    """a further line, such as why it failed"""


def draw_dot(title: str, nodes: Sequence[Node]) -> str:
    """Return the graph as DOT text: an edge from each task to those that wait for it."""
    lines = [
        "digraph job {",
        f"  graph [rankdir=TB, labelloc=t, fontname=Helvetica, label={_quoted(title)}];",
        '  node [shape=box, style="rounded,filled", fontname=Helvetica, fontsize=11, color="#6b7280"];',
        '  edge [color="#6b7280"];',
    ]
    for node in nodes:
        shown = _quoted("\n".join(part for part in (node.label, node.cmd, node.status, node.note) if part))
        colour = COLOURS.get(TaskStatus(node.status), "#ffffff")
        lines.append(f'  {_quoted(node.label)} [label={shown}, fillcolor="{colour}"];')
    lines += [f"  {_quoted(each)} -> {_quoted(node.label)};" for node in nodes for each in node.dependencies]
    return "\n".join([*lines, "}", ""])


def draw_picture(program: str, dot: str, kind: str) -> bytes:
    """Return the picture that Graphviz makes of DOT text; `kind` is png or svg.

    Raises:
        Refused: Graphviz is not here, or does not manage it in time.
    """
    try:
        done = subprocess.run(  # noqa: S603 a program from the settings, with arguments of our own
            [program, f"-T{kind}"],
            input=dot.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "SERVER_NAME": "gm"},  # SERVER_NAME: it reads no files
        )
    except FileNotFoundError:
        msg = "Graphviz is not installed where gm_async_task runs (Debian's package graphviz has it); format=dot works."
        raise Refused(Stat.GRAPHVIZ_MISSING, msg) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("graph_not_drawn", problem=str(error)[:500])
        raise Refused(Stat.GRAPH_FAILED, "Graphviz could not draw the graph; format=dot works.") from error
    if done.returncode != 0 or not done.stdout or len(done.stdout) > MAX_PICTURE_BYTES:
        log.error("graph_not_drawn", exit_code=done.returncode, problem=done.stderr[-500:].decode("utf-8", "replace"))
        raise Refused(Stat.GRAPH_FAILED, "Graphviz could not draw the graph; format=dot works.")
    return done.stdout


def _quoted(text: str) -> str:
    """Return a text as a DOT string: nothing in it ends the string, or is an escape of Graphviz' own."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", "\\n")
    return f'"{escaped}"'
