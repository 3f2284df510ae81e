"""Checks of the SIDs of VPNs beside the other SIDs and addresses of their node."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address
from itertools import islice

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.isis import neighbors_of
from srv6lab.topology.checks.registry import Locate, check, line_of
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.model import Node
from srv6lab.topology.sid_structure import function_in
from srv6lab.topology.vpn_sids import chosen, explicit_sids, function_length, structure_in


@check
def sid_of_a_vpn_is_taken(view: Facts, locate: Locate) -> Iterator[Problem]:
    bound = {(item.value.node, item.value.sid): (*item.path, "sid") for item in view.every_sid}
    for name, node in routers(view):
        for vrf, found in node.vpns.items():
            for index, sid in enumerate(found.sids):
                if not isinstance(sid, IPv6Address):
                    continue
                where = locate(("nodes", name, "vrfs", vrf, "sid", index))
                if (name, sid) in bound:
                    what = f"{sid} is already a local SID of {name} ({line_of(locate, bound[name, sid])})"
                    yield Problem(where, what, "take another one, or `auto`")
                for path, owner in view.addresses.get(sid, ()):
                    what = f"{sid} is an address of {owner} ({line_of(locate, path)}), and no SID then"
                    yield Problem(where, what, "take another one, or `auto`")


@check
def sids_are_left(view: Facts, locate: Locate) -> Iterator[Problem]:
    """`auto` takes functions that nobody has: neither other SIDs nor those of End.X that IS-IS counts from 1 on."""
    for name, node in routers(view):
        structure = structure_in(node)
        places = [
            (vrf, index)
            for vrf, found in node.vpns.items()
            for index, sid in enumerate(found.sids)
            if sid == "auto"
        ]
        if not places or node.locator is None or structure is None:
            continue
        if node.locator.prefixlen + function_length(node, structure) > 128:
            continue
        taken = {item.value.sid for item in view.every_sid if item.value.node == name}
        taken |= {*explicit_sids(node.vpns.values())}
        free = list(islice((one for one in chosen(node, structure) if one not in taken), len(places)))
        if free and _function(node, free[0]) <= _of_isis(view, name, node):
            free = []
        if len(free) < len(places):
            vrf, index = places[len(free)]
            what = f"functions of {structure.function} bits leave {len(free)} SIDs for `auto`, and {name} needs {len(places)}"
            where = locate(("nodes", name, "vrfs", vrf, "sid", index))
            yield Problem(where, what, "say a longer `function`, such as 32, or write these SIDs down")


def _function(node: Node, sid: IPv6Address) -> int:
    structure = structure_in(node)
    length = function_length(node, structure, sid) if structure else 0
    return function_in(node.locator, sid, length) or 0 if node.locator else 0


def _of_isis(view: Facts, name: str, node: Node) -> int:
    """How many functions IS-IS takes for End.X SIDs."""
    return neighbors_of(view, name) if node.isis and node.isis_locator == node.first_locator else 0
