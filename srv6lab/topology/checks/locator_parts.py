"""Checks of the lengths in bits that locators say, and of what lies around them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Network

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import overlaps, special
from srv6lab.topology.checks.registry import Locate, check, line_of
from srv6lab.topology.model import MAIN
from srv6lab.topology.routing.locator import Locator
from srv6lab.topology.sid_structure import LONGEST, SHORTEST

_PARTS = ("block", "node", "function", "argument")


@check
def lengths_of_a_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR takes block and node for the locator, and the function and the argument behind it."""
    for name, node in view.nodes.items():
        for key, one in node.locators.items():
            path: Path = ("nodes", name, "locators", key)
            said = [part for part in _PARTS if getattr(one, part)]
            if one.usid or one.format:
                if one.argument:
                    what = f"the format of {key} has no argument"
                    yield Problem(locate((*path, "argument")), what, "take `argument` away, or the format")
            elif one.structure is None and said:
                lacking = " and ".join(f"`{part}`" for part in _PARTS[:2] if getattr(one, part) is None)
                what = f"{key} says `{said[0]}` and no {lacking}, so nothing comes of it"
                mend = f"say {lacking}, too, or take `{said[0]}` away"
                yield Problem(locate((*path, said[0])), what, mend)
            elif one.structure and (problem := _wrong_lengths(key, one)):
                yield Problem(locate((*path, "block")), *problem)
            elif one.structure is None and one.prefix != node.locator and not _has_room(one.prefix):
                what = f"FRR has no SIDs in a locator of {one.prefix.prefixlen} bits"
                mend = f"take one of {2 * SHORTEST} to {2 * LONGEST - SHORTEST} bits"
                yield Problem(locate((*path, "prefix")), what, mend)


def _has_room(prefix: IPv6Network) -> bool:
    return 2 * SHORTEST <= prefix.prefixlen <= 2 * LONGEST - SHORTEST


def _wrong_lengths(key: str, one: Locator) -> tuple[str, str] | None:
    parts = one.structure
    if parts is None:
        return None
    both, whole = parts.block + parts.node, parts.block + parts.node + parts.function + parts.argument
    if both != one.prefix.prefixlen:
        what = f"block and node of {key} are {both} bits, and its prefix has {one.prefix.prefixlen}"
        return what, "they are the locator's two parts (RFC 9252 section 3.2.1)"
    if whole > 128:
        return f"the parts of a SID of {key} have {whole} bits", "a SID has 128"
    if not all(SHORTEST <= part <= LONGEST for part in (parts.block, parts.node)):
        what = f"FRR has no block of {parts.block} bits with a node of {parts.node}"
        return what, f"give each of the two {SHORTEST} to {LONGEST} bits"
    return None


@check
def locator_is_unicast(view: Facts, locate: Locate) -> Iterator[Problem]:
    for prefix, path, _ in _every(view):
        why = f"it is for {kind}" if (kind := special(prefix)) else ""
        if prefix.network_address.is_unspecified:
            why = "the unspecified address is in it"
        if why:
            yield Problem(
                locate(path), f"{prefix} can't be a locator: {why}", 'take one such as "fc00:0:1::/48"'
            )


@check
def locator_named_main(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        one = node.locators.get(MAIN)
        if one is not None and node.locator != one.prefix and node.every_locator.get(MAIN) != one:
            what = f"{MAIN} is already the name of {node.locator}, which `locator` of {name} says"
            yield Problem(locate(("nodes", name, "locators", MAIN), key=True), what, "take another name")


@check
def named_locators_overlap(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Those of `locator`, and the same one twice, have checks of their own."""
    for outer, inner in overlaps(_every(view)):
        owners = {owner for _, _, owner in (outer, inner)}
        firsts = all(prefix == view.nodes[owner].locator for prefix, _, owner in (outer, inner))
        if outer[0] == inner[0] or (firsts and len(owners) > 1):
            continue
        (_, first), (where, (prefix, _, _)) = sorted((locate(one[1]), one) for one in (outer, inner))
        what = f"{prefix} overlaps {first[0]}, a locator of {first[2]} ({line_of(locate, first[1])})"
        yield Problem(where, what, "take a prefix beside it, so that it is clear in which locator a SID is")


def _every(view: Facts) -> list[tuple[IPv6Network, Path, str]]:
    """Each locator with its place and its node."""
    found: list[tuple[IPv6Network, Path, str]] = []
    for name, node in view.nodes.items():
        if node.locator is not None:
            found.append((node.locator, view.locator_at(name), name))
        found += (
            (one.prefix, ("nodes", name, "locators", key, "prefix"), name)
            for key, one in node.locators.items()
            if one.prefix != node.locator
        )
    return found
