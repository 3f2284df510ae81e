"""Checks of how FRR cuts SIDs into block, node and function, and of the functions that it hands out itself."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Network

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.isis import neighbors_of
from srv6lab.topology.checks.registry import Locate, check, warning
from srv6lab.topology.model import Node
from srv6lab.topology.sid_structure import LABEL, LONGEST, SHORTEST, WHOLE, function_in, structure_of


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


@check
def sid_of_a_vpn_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The SID is locator and function, and FRR counts functions in 20 bits."""
    for name, node, locator in _with_locators(view):
        sids = {vrf: one.sid for vrf, one in node.vpns.items()}
        length = (node.sid_structure or structure_of(locator, [*sids.values()])).function
        for vrf, sid in sids.items():
            where = locate(("nodes", name, "vrfs", vrf, "sid"))
            function = function_in(locator, sid, length)
            if sid in locator and function is None:
                what = f"{sid} is no function of {length} bits behind the locator {locator}"
                first = locator.network_address + (0x100 << max(128 - locator.prefixlen - length, 0))
                yield Problem(where, what, f"write {first}, or another one")
            elif function is not None and length <= LABEL:
                what = f"FRR announces {length} bits of {sid} in an MPLS label (RFC 9252 section 4)"
                mend = (
                    f"only kernels with MPLS routing take its routes; `function: {WHOLE}` keeps the SID whole"
                )
                yield warning(where, what, mend)


@check
def function_that_isis_takes(view: Facts, locate: Locate) -> Iterator[Problem]:
    """IS-IS numbers its End.X SIDs from function 1 on, and never takes another number for one that is taken."""
    for name, node, locator in _with_locators(view):
        if node.isis is None:
            continue
        adjacencies = neighbors_of(view, name)
        sids = {vrf: one.sid for vrf, one in node.vpns.items()}
        length = (node.sid_structure or structure_of(locator, [*sids.values()])).function
        for vrf, sid in sids.items():
            function = function_in(locator, sid, length)
            if function is not None and function <= adjacencies:
                what = f"IS-IS of {name} takes {sid} for one of its {adjacencies} End.X SIDs"
                free = locator.network_address + (0x100 << (128 - locator.prefixlen - length))
                yield Problem(
                    locate(("nodes", name, "vrfs", vrf, "sid")), what, f"write {free}, or another function"
                )
