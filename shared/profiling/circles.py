"""Which functions call each other in a circle: strongly connected components, by Kosaraju's two walks."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def circles_of(reaches: Mapping[Node, Iterable[Node]]) -> list[set[Node]]:
    """Return all nodes, those that reach each other together; one that is in no circle is alone.

    What `reaches` names without having it as a key is left out.
    """
    reached_by: dict[Node, list[Node]] = {node: [] for node in reaches}
    for node, others in reaches.items():
        for other in others:
            if other in reached_by:
                reached_by[other].append(node)
    left, found = set(reaches), []
    for start in reversed(_in_order_of_leaving(reaches)):
        if start in left:
            circle = _all_before(start, reached_by, left)
            left -= circle
            found.append(circle)
    return found


def _in_order_of_leaving(reaches: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """Walk on from each node as far as it goes; those from which it went no further come first."""
    seen: set[Node] = set()
    order = []
    for start in reaches:
        path = [] if start in seen else [(start, iter(reaches[start]))]
        seen.add(start)
        while path:
            node, others = path[-1]
            further = next((other for other in others if other in reaches and other not in seen), None)
            if further is None:
                order.append(node)
                path.pop()
            else:
                seen.add(further)
                path.append((further, iter(reaches[further])))
    return order


def _all_before(start: Node, reached_by: Mapping[Node, list[Node]], among: set[Node]) -> set[Node]:
    found, following = {start}, [start]
    while following:
        for other in reached_by[following.pop()]:
            if other in among and other not in found:
                found.add(other)
                following.append(other)
    return found
