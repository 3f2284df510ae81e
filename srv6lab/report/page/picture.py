"""The lab itself on the page: where its nodes stand, what they own, and words for addresses."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin
from typing import Any

from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.srv6.behaviors import Behavior


def picture(plan: Plan) -> dict[str, Any]:
    """Nodes and links with all that is written beside them."""
    width, height = 1000, 640
    count = len(plan.nodes)
    places = {
        node.name: (
            round(width / 2 + 0.42 * width * cos(2 * pi * index / count - pi), 1),
            round(height / 2 + 0.42 * height * sin(2 * pi * index / count - pi), 1),
        )
        for index, node in enumerate(plan.nodes)
    }
    return {
        "width": width,
        "height": height,
        "nodes": [_node(node, *places[node.name]) for node in plan.nodes],
        "links": list(_links(plan)),
    }


def _node(node: PlannedNode, x: float, y: float) -> dict[str, Any]:
    return {
        "name": node.name,
        "role": node.role,
        "x": x,
        "y": y,
        "addresses": [str(address) for address in node.addresses()],
        "locator": str(node.locator) if node.locator else None,
        "sids": [
            {"sid": sid, "behavior": _named(behavior, flavors), "what": behavior.summary}
            for sid, behavior, flavors in _sids(node)
        ],
        "services": [
            {"name": one.name, "engine": one.engine, "netns": one.netns or None} for one in node.services
        ],
        "policies": list(_policies(node)),
    }


def _sids(node: PlannedNode) -> Iterator[tuple[str, Behavior, tuple[str, ...]]]:
    """Those that it is known to have: what routing protocols give it, nobody knows before."""
    for one in node.local_sids:
        yield str(one.sid), one.behavior, one.flavors
    for proxy in node.proxies:
        yield str(proxy.sid), proxy.behavior, ()


def _named(behavior: Behavior, flavors: tuple[str, ...]) -> str:
    return " with ".join(filter(None, (behavior.name, " and ".join(flavors))))


def _policies(node: PlannedNode) -> Iterator[str]:
    """What it steers into which segments, in visiting order."""
    for one in node.steering:
        for way in one.lists or (one,):
            yield f"{one.prefix} over {', '.join(map(str, way.segments))}"
    for frame in node.frames:
        yield f"frames of {frame.nic} over {', '.join(map(str, frame.segments))}"
    if node.headend:
        for policy in node.headend.policies:
            name = f" {policy.name}" if policy.name else ""
            yield f"policy <{policy.id.color}, {policy.id.endpoint}>{name}"


def _links(plan: Plan) -> Iterator[dict[str, Any]]:
    """Each wire once; a service's ports are wires within its node."""
    ends: dict[str, list[Nic]] = {}
    for nic in plan.nics():
        ends.setdefault(nic.link, []).append(nic)
    for name, nics in ends.items():
        yield _link(name, nics)
    for node in plan.nodes:
        for service in node.services:
            for port in service.ports:
                yield _link(link_of(port.inside), [port.outside, port.inside])


def link_of(nic: Nic) -> str:
    return nic.link or nic.trace


def _link(name: str, nics: list[Nic]) -> dict[str, Any]:
    networks = dict.fromkeys(network for nic in nics for network in nic.networks())
    return {
        "name": name,
        "prefixes": [str(one) for one in networks if not one.is_link_local],
        "ends": [
            {
                "point": str(nic.point),
                "node": nic.point.node,
                "netns": nic.point.netns or None,
                "nic": nic.name,
                "addresses": [str(one.ip) for one in nic.addresses],
                "mac": nic.mac,
            }
            for nic in nics
        ],
    }


def sids(plan: Plan) -> dict[str, dict[str, str]]:
    """Who has a SID, and what it does."""
    return {
        sid: {"node": node.name, "behavior": _named(behavior, flavors), "what": behavior.summary}
        for node in plan.nodes
        for sid, behavior, flavors in _sids(node)
    }


def names(plan: Plan) -> dict[str, str]:
    """Whose an address is; one that several have is nobody's."""
    found: dict[str, set[str]] = {}
    for nic in plan.traced():
        for one in nic.addresses:
            found.setdefault(str(one.ip), set()).add(f"{nic.point.place} {nic.name}")
    for node in plan.nodes:
        for loopback in node.loopbacks:
            found.setdefault(str(loopback.ip), set()).add(f"{node.name} lo")
    return {address: " or ".join(sorted(owners)) for address, owners in found.items()}
