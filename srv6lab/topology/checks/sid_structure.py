"""Checks of how FRR cuts SIDs into block, node and function, and of the functions that it hands out itself."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.registry import Locate, check, warning
from srv6lab.topology.model import Node
from srv6lab.topology.sid_structure import LABEL, LONGEST, SHORTEST, WHOLE, function_in
from srv6lab.topology.vpn_sids import FIRST, structure_for


def _with_locators(view: Facts) -> Iterator[tuple[str, Node, IPv6Network]]:
    """The sound nodes with FRR and a locator."""
    for name, node in view.nodes.items():
        if node.locator is not None and (node.isis or node.bgp):
            yield name, node, node.locator


@check
def locator_has_room(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node, locator in _with_locators(view):
        if not node.sid_structure and not 2 * SHORTEST <= locator.prefixlen <= 2 * LONGEST - SHORTEST:
            what = f"FRR has no SIDs in a locator of {locator.prefixlen} bits"
            mend = f"take one of {2 * SHORTEST} to {2 * LONGEST - SHORTEST} bits"
            yield Problem(locate(("nodes", name, "locator")), what, mend)


@check
def structure_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR takes block and node for the locator, and the function behind it."""
    for name, node in view.nodes.items():
        parts = node.sid_structure
        if parts is None:
            continue
        where = locate(("nodes", name, "sid_structure"))
        length = node.locator.prefixlen if node.locator else 0
        if parts.block + parts.node != length:
            what = (
                f"block and node are {parts.block + parts.node} bits, and the locator of {name} has {length}"
            )
            yield Problem(where, what, "they are the locator's two parts (RFC 9252 section 3.2.1)")
        elif length + parts.function + parts.argument > 128:
            what = f"the parts of a SID of {name} have {length + parts.function + parts.argument} bits"
            yield Problem(where, what, "a SID has 128")
        elif not all(SHORTEST <= part <= LONGEST for part in (parts.block, parts.node)):
            what = f"FRR has no block of {parts.block} bits with a node of {parts.node}"
            yield Problem(where, what, f"give each of the two {SHORTEST} to {LONGEST} bits")


def _explicit(view: Facts) -> Iterator[tuple[str, Node, Path, IPv6Address, int]]:
    """Every SID of a VPN that is written down in a locator: its place, and how many bits a function of its node has."""
    for name, node, locator in _with_locators(view):
        length = structure_for(locator, node.sid_structure, node.vpns.values()).function
        for vrf, found in node.vpns.items():
            for index, sid in enumerate(found.sids):
                if isinstance(sid, IPv6Address) and sid in locator:
                    yield name, node, ("nodes", name, "vrfs", vrf, "sid", index), sid, length


@check
def sid_of_a_vpn_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The SID is locator and function."""
    for _name, node, path, sid, length in _explicit(view):
        if node.locator is not None and function_in(node.locator, sid, length) is None:
            what = f"{sid} is no function of {length} bits behind the locator {node.locator}"
            first = node.locator.network_address + (FIRST << max(128 - node.locator.prefixlen - length, 0))
            yield Problem(locate(path), what, f"write {first}, or another one, or `auto`")


@check
def functions_in_labels(view: Facts, locate: Locate) -> Iterator[Problem]:
    """RFC 9252 section 4: FRR transposes a function that fits an MPLS label, and Linux without MPLS takes no such route."""
    for name, node, locator in _with_locators(view):
        length = structure_for(locator, node.sid_structure, node.vpns.values()).function
        if node.vpns and length <= LABEL:
            key = ("function",) if node.sid_structure else ()
            path = ("nodes", name, "sid_structure", *key) if key else ("nodes", name, "locator")
            what = f"FRR announces functions of {length} bits in MPLS labels (RFC 9252 section 4)"
            mend = (
                f"on a kernel without MPLS Day0 makes them {WHOLE} bits long, and the SIDs stay the same; "
                f"`function: {WHOLE}` does so on every kernel"
            )
            yield warning(locate(path), what, mend)


@check
def function_that_isis_takes(view: Facts, locate: Locate) -> Iterator[Problem]:
    """IS-IS numbers its End.X SIDs from function 1 on, and never takes another number for one that is taken."""
    for name, node, path, sid, length in _explicit(view):
        if node.isis is None or node.locator is None:
            continue
        adjacencies = sum(nic.link.isis is not None for nic in view.nics.get(name, ()))
        function = function_in(node.locator, sid, length)
        if function is not None and function <= adjacencies:
            what = f"IS-IS of {name} takes {sid} for one of its {adjacencies} End.X SIDs"
            free = node.locator.network_address + (FIRST << (128 - node.locator.prefixlen - length))
            yield Problem(locate(path), what, f"write {free}, or another function, or `auto`")
