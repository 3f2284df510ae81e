"""Checks of what every router needs."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, line_of
from srv6lab.topology.model import Node


def routers(view: Facts) -> Iterator[tuple[str, Node]]:
    """The sound nodes with FRR."""
    yield from ((name, node) for name, node in view.nodes.items() if keys_of_frr(node))


def keys_of_frr(node: Node) -> list[str]:
    """The keys of a node that make it run FRR."""
    said = {
        "isis": node.isis,
        "ospf": node.ospf,
        "ospf6": node.ospf6,
        "bgp": node.bgp,
        "vrfs": node.vpns,
        "frr": node.frr,
    }
    return [*(key for key, one in said.items() if one), *(["router_id"] if node.runs_frr else [])]


@check
def routing_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        if node.role != "router":
            what = f"{name} is a {node.role}, and FRR runs on routers"
            yield Problem(
                locate(("nodes", name, keys_of_frr(node)[0]), key=True), what, f"give {name} `role: router`"
            )


@check
def router_id_missing(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR then leaves TLV 242 out without a word, and BGP stays idle."""
    for name, node in routers(view):
        if node.role != "router":
            continue
        if node.router_id is None:
            what = f"{name} has routing protocols and no `router_id`"
            yield Problem(
                locate(("nodes", name, keys_of_frr(node)[0]), key=True), what, "add `router_id: 192.0.2.1`"
            )
        elif node.router_id.is_unspecified:
            what = f"the router id {node.router_id} of {name} means none to FRR, which then takes another"
            yield Problem(locate(("nodes", name, "router_id")), what, "write `router_id: 192.0.2.1`")


@check
def router_id_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = ((node.router_id, ("nodes", name)) for name, node in routers(view) if node.router_id)
    for router_id, first, path in repeated(pairs):
        what = f"{first[1]} already has the router id {router_id} ({line_of(locate, (*first, 'router_id'))})"
        yield Problem(locate((*path, "router_id")), what, "give each router one of its own")
