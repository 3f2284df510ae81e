"""The lab itself on the page: where its nodes stand, what they own, and words for addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.report.picture.layout import Layout, PlacedEnd, PlacedNode, PlacedService, layout
from srv6lab.srv6.behaviors import Behavior


def picture(plan: Plan) -> dict[str, Any]:
    """Nodes, links and services where they stand, with all that is written beside them."""
    placed = layout(plan)
    services = {(one.node, one.name): one for one in placed.services}
    return {
        "width": placed.width,
        "height": placed.height,
        "small": placed.small,
        "nodes": [_node(node, one, services) for node, one in zip(plan.nodes, placed.nodes, strict=True)],
        "links": [*_links(plan, placed), *_ports(plan, services)],
    }


def _node(
    node: PlannedNode, placed: PlacedNode, services: Mapping[tuple[str, str], PlacedService]
) -> dict[str, Any]:
    return {
        "name": node.name,
        "role": node.role,
        **_box(placed),
        "lines": [{"kind": line.kind, "text": line.text} for line in placed.lines],
        "addresses": [str(address) for address in node.addresses()],
        "locator": str(node.locator) if node.locator else None,
        "sids": [
            {"sid": sid, "behavior": _named(behavior, flavors), "what": behavior.summary}
            for sid, behavior, flavors in _sids(node)
        ],
        "services": [
            {
                "name": one.name,
                "engine": one.engine,
                "netns": one.netns or None,
                "text": found.text if (found := services.get((node.name, one.name))) else one.name,
                **_box(found),
            }
            for one in node.services
        ],
        "policies": list(_policies(node)),
    }


def _box(placed: PlacedNode | PlacedService | None) -> dict[str, float | None]:
    """The centre and the size of what is drawn, None for what has no room."""
    return {name: getattr(placed, name, None) for name in ("x", "y", "width", "height")}


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


def link_of(nic: Nic) -> str:
    """The name of a NIC's link; that of a service's veth pair is its capture's."""
    return nic.link or nic.trace


def _links(plan: Plan, placed: Layout) -> Iterator[dict[str, Any]]:
    """Each link once, with its ends in the order of the file."""
    nics = {nic.point: nic for nic in plan.nics()}
    for link in placed.links:
        ends = [_end(nics[end.point], end) for end in link.ends]
        yield {
            "name": link.name,
            "prefixes": list(link.prefixes),
            "x": link.x,
            "y": link.y,
            "bridge": link.bridge,
            "ends": ends,
        }


def _ports(plan: Plan, services: Mapping[tuple[str, str], PlacedService]) -> Iterator[dict[str, Any]]:
    """A service's veth pairs, as links within its node."""
    for node in plan.nodes:
        for service in node.services:
            placed = services.get((node.name, service.name))
            ends = {end.point: end for end in placed.ends} if placed else {}
            for port in service.ports:
                pair = [port.outside, port.inside]
                yield {
                    "name": link_of(port.inside),
                    "prefixes": [str(one) for one in port.inside.networks()],
                    "x": placed.x if placed else None,
                    "y": placed.y if placed else None,
                    "bridge": False,
                    "ends": [_end(nic, ends.get(nic.point)) for nic in pair],
                }


def _end(nic: Nic, placed: PlacedEnd | None) -> dict[str, Any]:
    return {
        "point": str(nic.point),
        "node": nic.point.node,
        "netns": nic.point.netns or None,
        "nic": nic.name,
        "addresses": [str(one.ip) for one in nic.addresses],
        "mac": nic.mac,
        **{name: getattr(placed, name, None) for name in ("x", "y", "path", "side")},
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
