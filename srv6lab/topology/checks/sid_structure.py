"""Checks of how FRR cuts SIDs into block, node and function, and of the functions that it hands out itself."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.isis import neighbors_of
from srv6lab.topology.checks.registry import Locate, check, warning
from srv6lab.topology.model import Node
from srv6lab.topology.sid_structure import LABEL, LONGEST, SHORTEST, WHOLE, function_in
from srv6lab.topology.vpn_sids import chosen, function_length, structure_in


def _with_locators(view: Facts) -> Iterator[tuple[str, Node, IPv6Network]]:
    """The sound nodes with FRR and a locator."""
    for name, node in view.nodes.items():
        if node.locator is not None and node.runs_frr:
            yield name, node, node.locator


@check
def locator_has_room(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node, locator in _with_locators(view):
        where = locate(view.locator_at(name))
        if node.sid_structure:
            continue
        structure, longest = structure_in(node), 2 * LONGEST - SHORTEST
        if not 2 * SHORTEST <= locator.prefixlen <= longest:
            what = f"FRR has no SIDs in a locator of {locator.prefixlen} bits"
            yield Problem(where, what, f"take one of {2 * SHORTEST} to {longest} bits")
        elif structure and locator.prefixlen + structure.function > 128:
            what = f"a locator of {locator.prefixlen} bits has no room for functions of {structure.function}"
            mend = f"take one of {128 - structure.function} bits or less"
            yield Problem(where, what, f"{mend}, or say a shorter `function` in a `sid_structure`")


@check
def structure_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR takes block and node for the locator, and the function behind it."""
    for name, node in view.nodes.items():
        parts = node.sid_structure
        if parts is None:
            continue
        where = locate(("nodes", name, "sid_structure"))
        length = node.locator.prefixlen if node.locator else 0
        if node.locator is None:
            what = f"{name} has no locator whose SIDs `sid_structure` could be of"
            yield Problem(where, what, "give it a `locator`, or take `sid_structure` away")
        elif node.every_locator[node.first_locator].structure:
            what = f"the locator {node.first_locator} of {name} says the parts of its SIDs already"
            yield Problem(where, what, "take `sid_structure` away")
        elif parts.block + parts.node != length:
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
    """Every SID of a VPN that is written down in a locator: its place, and how many bits its function has."""
    for name, node, locator in _with_locators(view):
        structure = structure_in(node)
        for vrf, found in node.vpns.items():
            for index, sid in enumerate(found.sids):
                if isinstance(sid, IPv6Address) and sid in locator and structure:
                    path = ("nodes", name, "vrfs", vrf, "sid", index)
                    yield name, node, path, sid, function_length(node, structure, sid)


def _local(view: Facts) -> Iterator[tuple[str, Node, Path, IPv6Address, int]]:
    """The same of the local SIDs of nodes."""
    for item in view.every_sid:
        name, node = item.value.node, view.nodes.get(item.value.node)
        structure = structure_in(node) if node and node.isis and node.locator else None
        if node and structure and not node.every_locator[node.first_locator].usid:
            yield name, node, (*item.path, "sid"), item.value.sid, structure.function


def _another(node: Node, of_a_vpn: bool = True) -> str:
    structure = structure_in(node)
    first = next(chosen(node, structure), None) if structure else None
    return f"write {first}, or another one" + (", or `auto`" if of_a_vpn else "")


@check
def sid_of_a_vpn_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The SID is locator and function."""
    for _name, node, path, sid, length in _explicit(view):
        if node.locator is not None and function_in(node.locator, sid, length) is None:
            what = f"{sid} is no function of {length} bits behind the locator {node.locator}"
            yield Problem(locate(path), what, _another(node))


@check
def functions_in_labels(view: Facts, locate: Locate) -> Iterator[Problem]:
    """RFC 9252 section 4: FRR transposes a function that fits an MPLS label, and Linux without MPLS takes no such route."""
    for name, node, _ in _with_locators(view):
        structure = structure_in(node)
        if not node.vpns or structure is None or structure.function > LABEL or _formatted(node):
            continue
        key = ("sid_structure", "function") if node.sid_structure else ("locator",)
        what = f"FRR announces functions of {structure.function} bits in MPLS labels (RFC 9252 section 4)"
        mend = (
            f"on a kernel without MPLS Day0 makes them {WHOLE} bits long, and the SIDs stay the same; "
            f"`function: {WHOLE}` does so on every kernel"
        )
        yield warning(locate(("nodes", name, *key)), what, mend)


def _formatted(node: Node) -> bool:
    first = node.every_locator[node.first_locator]
    return first.usid or first.format is not None


@check
def function_of_a_format(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Functions of a format can't be made longer."""
    for name, node, _ in _with_locators(view):
        structure = structure_in(node)
        for vrf, found in node.vpns.items():
            for index, sid in enumerate(found.sids):
                explicit = sid if isinstance(sid, IPv6Address) else None
                if structure and _formatted(node) and function_length(node, structure, explicit) <= LABEL:
                    what = f"FRR announces {sid} in an MPLS label (RFC 9252 section 4), which takes a kernel with MPLS"
                    usid = node.every_locator[node.first_locator].usid
                    mend = (
                        _another(node) if usid else "say `block`, `node` and `function: 32`, and no `format`"
                    )
                    yield Problem(locate(("nodes", name, "vrfs", vrf, "sid", index)), what, mend)


@check
def function_that_isis_takes(view: Facts, locate: Locate) -> Iterator[Problem]:
    """IS-IS numbers its End.X SIDs from function 1 on, and never takes another number for one that is taken."""
    for name, node, path, sid, length in (*_explicit(view), *_local(view)):
        if node.isis is None or node.locator is None or node.isis_locator != node.first_locator:
            continue
        adjacencies = neighbors_of(view, name)
        function = function_in(node.locator, sid, length)
        if function is not None and function <= adjacencies:
            what = f"IS-IS of {name} takes {sid} for one of its {adjacencies} End.X SIDs"
            yield Problem(locate(path), what, _another(node, path[0] == "nodes"))
