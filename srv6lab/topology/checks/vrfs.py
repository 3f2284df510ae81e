"""Checks of VRFs without BGP: what is said to be in one, what looks into one, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.topology.actions.route import RouteAction
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.checks.services import TAKEN

# Devices that Day0 makes, words of a kernel's settings, and what NICs are called.
_TAKEN = re.compile(rf"({'|'.join(TAKEN)}|core|sr0|eth[0-9]+|at-.*|main|local)")


def _named(view: Facts) -> Iterator[tuple[str, Path, str]]:
    """Whatever is in a VRF but a NIC, and a route of one of BGP's: the node, where it stands, the VRF's name."""
    for name, node in view.nodes.items():
        for index, route in enumerate(node.routes):
            if route.vrf not in node.vpns:
                yield name, ("nodes", name, "routes", index, "vrf"), route.vrf or ""
    for sid in view.local_sids:
        yield sid.value.node, (*sid.path, "vrf"), sid.value.vrf or ""
    for policy in view.policies:
        yield policy.value.headend, (*policy.path, "match", "vrf"), policy.value.match.vrf or ""


@check
def vrf_is_there(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, path, vrf in _named(view):
        node = view.nodes.get(name)
        if not vrf or node is None:
            continue
        if vrf in node.vpns:
            what = f"the routes and the SID of {vrf} come by BGP"
            yield Problem(locate(path), what, "name a VRF that has a `table`, and neither `rd` nor `sid`")
        elif vrf not in node.vrfs:
            mend = did_you_mean(
                vrf, frozenset(node.vrf_tables), f"add `vrfs: {{{vrf}: {{table: 100}}}}` to {name}"
            )
            yield Problem(locate(path), f"{name} has no VRF {vrf}", mend)


@check
def vrf_or_table(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A VRF has a table, so only one of the two is to be said."""
    routes = (
        (("nodes", name, "routes", index), route.vrf, route.table)
        for name, node in view.nodes.items()
        for index, route in enumerate(node.routes)
    )
    for path, vrf, table in (
        *routes,
        *((one.path, one.value.vrf, one.value.table) for one in view.local_sids),
    ):
        if vrf is not None and table is not None:
            what = f"`vrf: {vrf}` says which table it is"
            yield Problem(locate((*path, "table"), key=True), what, "take `table` away, or `vrf`")


@check
def vrf_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        if node.vrf_tables and node.role == "host":
            what = f"{name} is a host, and Day0 of a host makes no VRFs"
            yield Problem(locate(("nodes", name, "vrfs"), key=True), what, f"give {name} `role: router`")


@check
def vrf_table_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        pairs = ((table, ("nodes", name, "vrfs", vrf)) for vrf, table in node.vrf_tables.items())
        for table, first, path in repeated(pairs):
            what = f"table {table} of {name} is already that of {first[-1]} ({line_of(locate, first)})"
            yield Problem(locate((*path, "table")), what, "give each VRF of a node a table of its own")


@check
def vrf_name_taken(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A VRF becomes a device, or a network namespace with one, of its name."""
    for name, node in view.nodes.items():
        of_services = {
            word
            for one in view.services.values()
            if one.node == name
            for word in (one.netns or "", *(port.outside for port in one.ports))
        }
        for vrf in node.vrfs:
            if _TAKEN.fullmatch(vrf) or vrf in of_services:
                what = f"{vrf} is already the name of something else on {name}, and a VRF becomes a device"
                yield Problem(locate(("nodes", name, "vrfs", vrf), key=True), what, "take another name")


@check
def table_of_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Linux takes End.DT4 and End.DT46 for the table of a VRF only (seg6_local.c: seg6_end_dt_vrf_build)."""
    for item in view.local_sids:
        sid, node = item.value, view.nodes.get(item.value.node)
        behavior = BEHAVIORS.get(sid.behavior)
        if behavior is None or "vrf" not in behavior.needs or sid.table is None or sid.vrf or node is None:
            continue
        if not node.vrf_of(None, sid.table):
            what = f"{sid.behavior} looks into the table of a VRF, and {sid.node} has none with table {sid.table}"
            known = ", ".join(f"{vrf} ({table})" for vrf, table in node.vrf_tables.items())
            mend = (
                f"VRFs of {sid.node}: {known}"
                if known
                else f"add `vrfs: {{red: {{table: {sid.table}}}}}` to it"
            )
            yield Problem(locate((*item.path, "table")), what, mend)


@check
def inserted_in_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        vrf = item.value.match.vrf
        if vrf is not None and item.value.mode == "inline":
            what = f"`inline` leaves the packet its own addresses, which mean nothing outside of {vrf}"
            yield Problem(locate((*item.path, "mode")), what, "write `mode: encap`")


@check
def colored_in_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        vrf = item.value.match.vrf
        if vrf is not None and not item.value.segments:
            what = (
                f"the agent of {item.value.headend} lays its routes in the main table, and {vrf} isn't that"
            )
            yield Problem(locate((*item.path, "match", "vrf")), what, "write `to: {segments: […]}`")


@check
def firewall_beside_vrfs(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What passes a rule isn't the same in both kinds of VRF, the kernel's and a namespace."""
    for exercise in view.exercises:
        for item in exercise.firewalls:
            node = view.nodes.get(item.value.at)
            if node is not None and node.vrfs:
                what = f"{item.value.at} has VRFs, and on a kernel without them those are namespaces with rules of their own"
                yield Problem(locate((*item.path, "at")), what, "put the rule on another node")


@check
def route_changed_in_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What an exercise may change in a VRF is what is steered there."""
    for item in view.actions:
        if not isinstance(item.value, RouteAction):
            continue
        for key in ("add", "replace", "delete"):
            given = getattr(item.value.route, key)
            node = view.nodes.get(given.node) if given else None
            word = "vrf" if getattr(given, "vrf", None) else "table"
            if node is not None and (word == "vrf" or node.vrf_of(None, given.table)):
                what = "an exercise changes no route in a VRF"
                mend = "change what is steered there, or give it to the lab"
                yield Problem(locate((*item.path, "route", key, word)), what, mend)


@check
def rules_beside_vrfs(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A rule takes what is in the kernel's own VRFs, too, and nothing of what is in a namespace."""
    rules: list[tuple[str, Path]] = [
        (name, ("nodes", name, "rules", index))
        for name, node in view.nodes.items()
        for index in range(len(node.rules))
    ]
    for item in view.policies:
        match = item.value.match
        key = next((key for key in ("source", "nic") if getattr(match, key)), None)
        if key and not match.vrf and not item.value.of_frames:
            rules.append((item.value.headend, (*item.path, "match", key)))
    for name, path in rules:
        if name in view.nodes and view.nodes[name].vrfs:
            what = f"{name} has VRFs, whose packets a rule takes on one kind of kernel and not on another"
            yield Problem(locate(path), what, "put it on another node")


@check
def steered_in_the_table_of_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.policies:
        match, node = item.value.match, view.nodes.get(item.value.headend)
        if node is not None and match.table and (vrf := node.vrf_of(None, match.table)):
            what = f"table {match.table} is that of the VRF {vrf}"
            yield Problem(locate((*item.path, "match", "table")), what, f"write `vrf: {vrf}`")


@check
def keys_beside_vrfs(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        if node.hmac_keys and node.vrfs:
            what = f"{name} has VRFs, and on a kernel without them those are namespaces, which have no keys"
            yield Problem(
                locate(("nodes", name, "hmac_keys"), key=True), what, "put the keys on another node"
            )
