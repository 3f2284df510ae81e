"""What all routers of a lab know at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from srv6lab.errors import NodeError
from srv6lab.host.waiting import at_once
from srv6lab.live.instance import Instance
from srv6lab.live.lacking import Wanted, first_step, missing, unmodeled_routers, wanted_by
from srv6lab.live.node_state import NodeState, fetch_node_state
from srv6lab.plan.nodes import Plan, PlannedNode


@dataclass(frozen=True, slots=True)
class Survey:
    """What all nodes with routing protocols know at one time, against what they must; `machines` are those that are
    modeled."""

    wanted: Mapping[str, Wanted]
    known: Mapping[str, NodeState]
    machines: Mapping[str, PlannedNode]

    def lacks(self) -> list[tuple[str, str]]:
        """What is missing of the first step that isn't done, each with its node."""
        found = [
            one
            for name, node in self.machines.items()
            for one in missing(node, self.wanted[name], self.known[name])
        ]
        return [(one.node, one.what) for one in first_step(found)] if found else []

    def drifts(self) -> list[tuple[str, str]]:
        """The nodes whose FRR runs another configuration than the one that Day0 gave it, and what of it."""
        return [(name, line) for name, known in self.known.items() for line in known.drift]

    def bound(self) -> dict[str, list[tuple[str, str]]]:
        """The (SID, behavior) pairs that IS-IS has bound in the kernel of each node that could be asked."""
        return {
            name: [
                (str(one.prefix.network_address), one.action)
                for one in known.routes
                if one.action and one.protocol == "isis"
            ]
            for name, known in self.known.items()
            if known.routes or not known.silent
        }

    def mechanisms(self) -> dict[str, str]:
        """What serves the VPNs of each node that has any."""
        return {name: known.mechanism for name, known in self.known.items() if known.mechanism}


def survey(lab: Instance, plan: Plan) -> Survey:
    """Ask every node with routing protocols once, all at the same time; one that can't be asked is `silent`."""
    nodes = {node.name: node for node in plan.nodes if node.routing}

    def ask(node: PlannedNode) -> NodeState:
        try:
            return fetch_node_state(lab, node)
        except NodeError as error:
            return NodeState(silent=(error.what.removeprefix(f"{node.name} "),))

    known = dict(zip(nodes, at_once(ask, list(nodes.values())), strict=True))
    modeled = {name: node for name, node in nodes.items() if name not in unmodeled_routers(plan)}
    return Survey(wanted_by(plan, (), plan), known, modeled)
