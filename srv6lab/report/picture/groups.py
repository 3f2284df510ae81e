"""Which nodes are drawn in one frame: those whose BGP is of one AS, where a lab has several nodes of it."""

from __future__ import annotations

from collections.abc import Mapping

from srv6lab.plan.nodes import Plan


def groups(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """The nodes of each frame, by what it is called."""
    found: dict[str, list[str]] = {}
    for node in plan.nodes:
        if node.routing and node.routing.bgp:
            found.setdefault(f"AS {node.routing.bgp.as_number}", []).append(node.name)
    return {name: tuple(nodes) for name, nodes in found.items() if len(nodes) > 1}
