"""Checks of OSPF and of BFD: what a link needs of its ends, and areas of each other."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.actions.cut import CutAction
from srv6lab.topology.actions.link import LinkAction
from srv6lab.topology.actions.stop import StopAction
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.model import Link, Node
from srv6lab.topology.routing.ospf import BACKBONE, Ospf, OspfLink
from srv6lab.topology.scalars import V4Address
from srv6lab.topology.sessions import leads_by_loopback

KEYS = ("ospf", "ospf6")
_SHOWN = {"ospf": "OSPFv2", "ospf6": "OSPFv3"}


def _links(view: Facts) -> Iterator[tuple[str, Item[Link], OspfLink]]:
    """The sound links with OSPF, once for each key of it."""
    for item in view.links:
        for key in KEYS:
            if (found := getattr(item.value, key)) is not None:
                yield key, item, found


def _of(node: Node, key: str) -> Ospf | None:
    found: Ospf | None = getattr(node, key)
    return found


@check
def ospf_link_without_ospf(view: Facts, locate: Locate) -> Iterator[Problem]:
    for key, item, on_link in _links(view):
        ends = [(one.node, view.nodes.get(one.node)) for one in item.value.endpoints]
        lacking = [name for name, node in ends if node is not None and _of(node, key) is None]
        if lacking and not (on_link.passive and len(lacking) < len(ends)):
            what = f"link {item.value.name} runs {_SHOWN[key]}, and {lacking[0]} doesn't"
            mend = f"give {lacking[0]} `{key}: {{}}`, or the link `{key}: {{passive: true}}`: then it is only told of"
            yield Problem(locate((*item.path, key), key=True), what, mend)


@check
def ospf_link_without_ipv4(view: Facts, locate: Locate) -> Iterator[Problem]:
    for key, item, _ in _links(view):
        if key == "ospf" and 4 not in item.value.versions:
            what = f"link {item.value.name} has no IPv4 prefix, and `ospf` is OSPF for IPv4"
            yield Problem(locate((*item.path, key), key=True), what, "give it one, or `ospf6`")
        elif key == "ospf6" and 6 not in item.value.versions:
            what = f"link {item.value.name} has no IPv6 prefix, and `ospf6` is OSPF for IPv6"
            yield Problem(
                locate((*item.path, key), key=True), what, 'give it one ("fe80::/64" will do), or `ospf`'
            )


@check
def ospf_on_a_bridge(view: Facts, locate: Locate) -> Iterator[Problem]:
    for key, item, on_link in _links(view):
        ends = len(item.value.endpoints)
        if on_link.network == "point-to-point" and ends > 2:
            what = f"link {item.value.name} has {ends} ends, and a point-to-point network two"
            yield Problem(locate((*item.path, key, "network")), what, "write `network: broadcast`")


@check
def ospf_cost_of_each_end(view: Facts, locate: Locate) -> Iterator[Problem]:
    for key, item, on_link in _links(view):
        ends = len(item.value.endpoints)
        if len(on_link.cost) not in (1, ends):
            what = f"link {item.value.name} has {ends} ends and {len(on_link.cost)} costs"
            yield Problem(locate((*item.path, key, "cost")), what, "give one for all, or one for each")


@check
def ospf_in_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    for key, item, _ in _links(view):
        for index, end in enumerate(item.value.endpoints):
            if end.vrf is not None:
                what = f"{end.at} is in the VRF {end.vrf}, and {_SHOWN[key]} runs outside of VRFs here"
                where = locate((*item.path, "endpoints", index, "vrf"))
                yield Problem(where, what, f"take `{key}` off the link; customers' routers may speak BGP")


@check
def ospf_ends_differ(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Neighbors agree on their area (RFC 2328 section 8.2), and on the MTU, or stop at ExStart (section 10.6)."""
    for key, item, on_link in _links(view):
        if on_link.passive:
            continue
        where = locate((*item.path, key), key=True)
        ends = [one for one in item.value.endpoints if one.node in view.nodes]
        areas = {one.node: area for one in ends if (area := _area(view.nodes[one.node], key, on_link))}
        if len({*areas.values()}) > 1:
            said = " and ".join(f"{area} at {node}" for node, area in areas.items())
            what = f"link {item.value.name} is in area {said}"
            yield Problem(where, what, f"give the link `{key}: {{area: …}}`; areas meet in a router")
        mtus = {one.node: one.mtu or item.value.mtu for one in ends}
        if len({*mtus.values()}) > 1:
            said = " and ".join(f"{mtu} at {node}" for node, mtu in mtus.items())
            what = f"link {item.value.name} has the MTU {said}: neighbors of OSPF stop at ExStart"
            yield Problem(where, what, "give all ends the same `mtu`")


def _area(node: Node, key: str, on_link: OspfLink) -> V4Address | None:
    ospf = _of(node, key)
    return on_link.area or ospf.area if ospf else None


@check
def ospf_areas_meet_in_the_backbone(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What is between areas goes through area 0 (RFC 2328 section 3)."""
    for name, node in routers(view):
        for key in KEYS:
            ospf = _of(node, key)
            if ospf is None or not view.clear(name):
                continue
            active = {
                on_link.area or ospf.area
                for found, item, on_link in _links(view)
                if found == key and not on_link.passive and name in {one.node for one in item.value.endpoints}
            }
            areas = active | {ospf.area}
            where = locate(("nodes", name, key), key=True)
            if len(areas) > 1 and BACKBONE not in active:
                said = " and ".join(map(str, sorted(areas)))
                what = (
                    f"{name} is in the areas {said}, and none of its links with neighbors is in the backbone"
                )
                mend = f"areas meet in area {BACKBONE}: give a link of {name} that area, or {name} only one"
                yield Problem(where, what, mend)


@check
def ospf6_that_loses_other_areas(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Where a router loses the nearer of two border routers, FRR's OSPFv3 (10.7) doesn't lay the routes of other areas
    over the other one."""
    areas = {
        area
        for key, item, on_link in _links(view)
        if key == "ospf6"
        for one in item.value.endpoints
        if one.node in view.nodes and (area := _area(view.nodes[one.node], key, on_link))
    }
    for item in view.actions if len(areas) > 1 else ():
        if isinstance(item.value, CutAction | LinkAction | StopAction):
            what = (
                f"OSPFv3 has {len(areas)} areas here, and FRR's loses routes between them when a link is lost"
            )
            mend = "give OSPFv3 one area, or take the action away; OSPFv2 (`ospf`) does better"
            yield Problem(locate((*item.path, item.value.key), key=True), what, mend)


@check
def bfd_for_nobody(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        link = item.value
        if link.bfd is None or not all(one.node in view.nodes for one in link.endpoints):
            continue
        watched = link.isis is not None or any(
            on_link is not None and not on_link.passive for on_link in (link.ospf, link.ospf6)
        )
        if not watched and not _bgp_over(view, link):
            what = f"no routing protocol has neighbors over link {link.name} that BFD could watch"
            mend = (
                "give it `isis`, `ospf` or `ospf6`, or its ends a session of BGP over it; or take `bfd` away"
            )
            yield Problem(locate((*item.path, "bfd"), key=True), what, mend)


def _bgp_over(view: Facts, link: Link) -> bool:
    """Whether two of its ends have a session of BGP over the link itself."""
    ends = {one.node: view.nodes[one.node] for one in link.endpoints if one.vrf is None}
    return any(
        one.node in ends
        and there.bgp is not None
        and not leads_by_loopback(one, there.bgp.as_number != node.bgp.as_number)
        for node in ends.values()
        if node.bgp
        for one in node.bgp.neighbors
        if (there := view.nodes.get(one.node))
    )
