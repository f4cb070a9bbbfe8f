"""The report as one HTML page that needs nothing else: no script, no address."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from shared.profiling.explanation import Explanation
from shared.profiling.flame import draw_flame
from shared.profiling.graph import NotDrawn, dot_text, draw

_TEMPLATES = Path(__file__).parent / "templates"


def make_page(explanation: Explanation) -> str:
    """Return the page, with the call graph where it can be drawn and else why it can't, and its DOT text."""
    graph, dot, problem = _draw_graph(explanation)
    environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
    return environment.get_template("explanation.html").render(
        explanation=explanation,
        total=explanation.shares.total or 1.0,
        graph=graph,
        dot=dot,
        problem=problem,
        flame=draw_flame(explanation.table) if explanation.table else "",
    )


def _draw_graph(explanation: Explanation) -> tuple[str, str, str]:
    if not explanation.table:
        return "", "", ""
    dot = ""
    try:
        dot = dot_text(explanation.table, node_percent=2.0, edge_percent=1.0)
        picture = draw(dot, "svg").decode()
    except NotDrawn as error:
        return "", dot, str(error)
    return picture[picture.index("<svg") :], dot, ""
