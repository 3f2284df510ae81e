"""Checks of static routes that are FRR's: what only those can have, and what those can't."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, warning

_HEAVIEST = 255


@check
def segments_of_a_route(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, route in view.every_route:
        node = view.nodes[name]
        where = locate((*path, "segments"), key=True)
        if not route.segments:
            if route.mode != "encap":
                what = f"the route to {route.prefix} has a `mode`, and pushes nothing"
                yield Problem(locate((*path, "mode"), key=True), what, "add `segments`, or take `mode` away")
        elif not node.runs_frr:
            what = f"routes with `segments` are FRR's, and {name} runs none"
            yield Problem(where, what, f"give {name} a `router_id`, or steer {route.prefix} under `steering`")
        elif route.via is not None or route.type is not None:
            key = "via" if route.via is not None else "type"
            what = f"what the route to {route.prefix} pushes goes to the first segment, and not by `{key}`"
            yield Problem(locate((*path, key), key=True), what, f"take `{key}` away, or `segments`")
        elif route.table is not None:
            what = f"table {route.table} of {name} isn't FRR's, so no route with `segments` is in it"
            yield Problem(locate((*path, "table"), key=True), what, "take `table` away")
        elif route.vrf is not None:
            what = f"the route to {route.prefix} is in {route.vrf}, and what it pushes is for the main table"
            yield Problem(
                locate((*path, "vrf"), key=True), what, "take `vrf` away, or steer under `steering`"
            )


@check
def what_frr_has_not(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, route in view.every_route:
        node = view.nodes[name]
        if not node.runs_frr or (route.table is not None and route.vrf not in node.vpns):
            continue
        if route.type == "prohibit" and node.place_of(route) in ("", *node.vpns):
            what = f"FRR, whose the routes of {name} are, has no route that is `prohibit`"
            yield Problem(locate((*path, "type")), what, "write `unreachable`, or `blackhole`")
        elif route.weight > _HEAVIEST:
            what = f"FRR has weights up to {_HEAVIEST}, and the route to {route.prefix} has {route.weight}"
            yield Problem(locate((*path, "weight")), what, "divide the weights of all its ways")


@check
def route_of_a_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Where no SID takes a packet into its locator the router refuses it, and FRR has no route that both leads on and refuses."""
    for path, name, route in view.every_route:
        node = view.nodes[name]
        own = {one.prefix for one in node.every_locator.values()} if node.runs_frr else set()
        if route.prefix in own and not route.vrf and not route.table and route.type != "blackhole":
            what = f"{route.prefix} is a locator of {name} itself, and what no SID takes there ends at {name}"
            yield Problem(locate((*path, "prefix")), what, "take the route away, or write a longer prefix")


@check
def link_goes_first(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Zebra prefers what is connected to all else."""
    for path, name, route in view.every_route:
        node = view.nodes[name]
        if not node.runs_frr or route.table is not None:
            continue
        for nic in view.nics.get(name, ()):
            if route.prefix in nic.link.prefixes and nic.vrf == (route.vrf or ""):
                what = (
                    f"{route.prefix} is the prefix of the link at {name}:{nic.endpoint.nic}, which goes first"
                )
                yield warning(locate((*path, "prefix")), what, "take it away, or write a longer prefix")
