"""SIDs, locators and VPN routes of a running lab, as its nodes have them: three tables for a person, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network

from srv6lab.evidence.packets import Address
from srv6lab.live.node_state import MECHANISMS, NodeState
from srv6lab.plan.nodes import PlannedNode, PlannedProxy

from .table import aligned

Row = tuple[str, ...]
_SIDS = ("node", "SID", "behavior", "owner", "NIC")
_LOCATORS = ("node", "locator", "block", "node bits", "function", "argument")
_ROUTES = ("node", "VPN", "prefix", "SID", "NIC")


def sids_text(nodes: Sequence[PlannedNode], known: Mapping[str, NodeState]) -> str:
    """Three tables, and what serves the VPNs."""
    blocks = []
    for title, heads, rows in _tables(nodes, known):
        blocks.append("\n".join([title, *aligned([heads, *rows], "  ")]) if rows else f"{title}: none")
    served = sorted({MECHANISMS.get(one.mechanism, one.mechanism) for one in known.values() if one.mechanism})
    blocks += [f"VPNs are served by {how}" for how in served]
    return "\n\n".join(blocks) + "\n"


def sids_json(nodes: Sequence[PlannedNode], known: Mapping[str, NodeState]) -> str:
    names = ("local_sids", "locators", "vpn_routes")
    found: dict[str, object] = {
        name: [dict(zip(_keys(heads), row, strict=True)) for row in rows]
        for name, (_, heads, rows) in zip(names, _tables(nodes, known), strict=True)
    }
    found["mechanisms"] = {node: one.mechanism for node, one in known.items() if one.mechanism}
    return json.dumps(found, indent=2) + "\n"


def _tables(nodes: Sequence[PlannedNode], known: Mapping[str, NodeState]) -> list[tuple[str, Row, list[Row]]]:
    return [
        ("local SIDs", _SIDS, [row for one in nodes for row in _sids(one, known[one.name])]),
        ("locators", _LOCATORS, [row for one in nodes for row in _locators(one, known[one.name])]),
        ("VPN routes", _ROUTES, [row for one in nodes for row in _routes(one, known[one.name])]),
    ]


def _sids(node: PlannedNode, known: NodeState) -> Iterator[Row]:
    """The kernel's, with who asked for each: IS-IS, BGP, or Day0. One that a proxy serves is the proxy's, whatever route
    of the kernel stands for it."""
    proxied: dict[Address, PlannedProxy] = {proxy.sid: proxy for proxy in node.proxies}
    of_bgp = node.routing.vrfs if node.routing else ()
    vpns = {ip_network(one.sid): f"{one.behavior} ({vrf.name})" for vrf in of_bgp for one in vrf.sids}
    vpns |= {sid.prefix: f"{sid.behavior.name} ({sid.vrf})" for sid in node.local_sids if sid.vrf}
    for route in known.routes:
        vpn = vpns.get(route.prefix)
        if not route.action and not vpn:
            continue
        address = route.prefix.network_address
        sid = str(address) if route.prefix.prefixlen == 128 else str(route.prefix)
        owner, _ = known.owners.get(address, ("", "")) if address.version == 6 else ("", "")
        behavior = vpn or route.action
        if (proxy := proxied.get(address)) and route.nic == proxy.to:
            behavior = proxy.behavior.name
        yield node.name, sid, behavior, owner or "day0", route.nic


def _locators(node: PlannedNode, known: NodeState) -> Iterator[Row]:
    """FRR's; a node without FRR has its locator in the plan alone."""
    for one in known.locators:
        lengths = (one.block, one.node, one.function, one.argument)
        yield node.name, str(one.prefix), *map(str, lengths)
    if node.locator and not node.routing:
        yield node.name, str(node.locator), "-", "-", "-", "-"


def _routes(node: PlannedNode, known: NodeState) -> Iterator[Row]:
    for vrf, routes in known.vpns.items():
        for route in routes:
            if route.segments:
                nic = route.nic.removeprefix("at-")  # what stands for the core's NIC in the VPN's namespace
                yield node.name, vrf, str(route.prefix), ", ".join(map(str, route.segments)), nic


def _keys(heads: Row) -> list[str]:
    return [head.lower().replace(" ", "_") for head in heads]
