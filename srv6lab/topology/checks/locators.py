"""Checks of locators by their names, and of the static SIDs that FRR binds in them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import Node
from srv6lab.topology.routing.locator import EXPLICIT, F3216, F4024, LENGTHS, Locator

_ROUTED = ("End", "End.X")
_DECAPSULATING = ("End.DT4", "End.DT6", "End.DT46")
_MAIN_TABLE = 254


@check
def locators(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        if node.locators and not node.runs_frr:
            what = f"`locators` are FRR's, and {name} runs none"
            yield Problem(locate(("nodes", name, "locators"), key=True), what, "add `router_id: 192.0.2.1`")
        for key, one in node.locators.items():
            path = ("nodes", name, "locators", key)
            where = locate((*path, "prefix"))
            kind = F3216 if one.usid else one.format
            length = sum(LENGTHS[kind][:2]) if kind else 0
            if one.behavior == "usid" and one.format == F4024:
                what = f"{F4024} is for SIDs that stand alone, and `behavior: usid` for those that don't"
                yield Problem(
                    locate((*path, "format")), what, f"write `format: {F3216}`, or take `behavior` away"
                )
            elif kind and one.prefix.prefixlen != length:
                what = f"a locator of {kind} has {length} bits, and {one.prefix} has {one.prefix.prefixlen}"
                yield Problem(where, what, f"take a prefix of {length} bits")
            elif kind and (said := _other_lengths(one, kind)):
                what = f"{kind} is {', '.join(map(str, LENGTHS[kind]))} bits of block, node and function"
                yield Problem(locate((*path, said)), what, f"take `{said}` away, or the format")


def _other_lengths(one: Locator, kind: str) -> str:
    """The key of a length that isn't the format's."""
    given = zip(("block", "node", "function"), LENGTHS[kind], strict=True)
    return next((key for key, length in given if getattr(one, key) not in (None, length)), "")


@check
def locator_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    first: dict[object, tuple[str | int, ...]] = {}
    for name, node in view.nodes.items():
        for key, one in node.locators.items():
            path = ("nodes", name, "locators", key, "prefix")
            known = view.nodes[str(first[one.prefix][1])] if one.prefix in first else None
            if known and not known.locator == node.locator == one.prefix:  # which has its own problem
                what = f"{one.prefix} is already a locator ({line_of(locate, first[one.prefix])})"
                yield Problem(locate(path), what, "give each a prefix of its own")
            first.setdefault(one.prefix, path)


@check
def announced_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        for index, key in enumerate(node.isis.locators if node.isis else ()):
            if key not in node.every_locator:
                mend = did_you_mean(
                    key, frozenset(node.every_locator), f"name it under nodes.{name}.locators"
                )
                where = locate(("nodes", name, "isis", "locators", index))
                yield Problem(where, f"{name} has no locator {key}", mend)


@check
def static_sids(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What staticd takes under `static-sids`."""
    for item in view.every_sid:
        node = view.nodes.get(item.value.node)
        if item.value.by is None or node is None or node.role != "router":
            continue
        if not node.runs_frr:
            what = f"{item.value.node} runs no FRR that could bind {item.value.sid}"
            yield Problem(locate((*item.path, "by")), what, "give it a `router_id`, or take `by` away")
        elif said := _not_frrs(item, node):
            key, what, mend = said
            yield Problem(locate((*item.path, key)), what, mend)


@check
def static_adjacency_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR has one function for an adjacency, in the locator and in the block alike: what wants another one never comes."""
    known: dict[tuple[str, object], Item[LocalSid]] = {}
    for item in view.every_sid:
        sid = item.value
        if sid.by is None or sid.behavior != "End.X" or sid.nh6 is None:
            continue
        first = known.setdefault((sid.node, sid.nh6), item)
        if _function(sid) != _function(first.value):
            where = line_of(locate, (*first.path, "sid"))
            what = f"{sid.node} has {first.value.sid} for {sid.nh6} ({where}), and FRR gives an adjacency one function"
            yield Problem(locate((*item.path, "sid")), what, f"end it in {_function(first.value):x}, too")


def _function(sid: LocalSid) -> int:
    """The last 16 bits of its prefix."""
    return int(sid.sid) >> (128 - sid.prefix.prefixlen) & 0xFFFF


def _not_frrs(item: Item[LocalSid], node: Node) -> tuple[str, str, str] | None:
    sid = item.value
    if sid.behavior not in (*_ROUTED, *_DECAPSULATING):
        known = ", ".join((*_ROUTED, *_DECAPSULATING))
        return "behavior", f"FRR has no static {sid.behavior}", f"its static SIDs are {known}"
    flavors = (NEXT_CSID,) if sid.behavior in _ROUTED else ()
    if sid.flavors != flavors:
        wanted = f"`flavors: [{NEXT_CSID}]`" if flavors else "no flavor"
        key = "flavors" if sid.flavors else "behavior"
        return key, f"a static {sid.behavior} of FRR has {wanted}", "mend `flavors`, or take `by` away"
    if sid.behavior in ("End.DT4", "End.DT46"):
        what = f"FRR binds a static {sid.behavior} to a VRF of the kernel, and not where VRFs are namespaces"
        return "behavior", what, "take `by` away; Day0 binds it in either kind of VRF"
    if sid.behavior == "End.DT6" and sid.table != _MAIN_TABLE:
        what = f"a static End.DT6 of FRR looks into the main table, which is {_MAIN_TABLE}"
        return "behavior", what, "write `table: 254`, or take `by` away"
    locator = node.every_locator.get(node.locator_of(sid.sid))
    if locator is None or (sid.behavior in _ROUTED and not locator.usid):
        kind = "uSID locator" if sid.behavior in _ROUTED else "locator"
        return "sid", f"{sid.sid} is in no {kind} of {sid.node}", "take one in a locator of `locators`"
    return _of_locator(sid, node, locator)


def _of_locator(sid: LocalSid, node: Node, locator: Locator) -> tuple[str, str, str] | None:
    """Whether the locator has room for it: FRR leaves only a part of the functions to others."""
    if sid.behavior == "End":
        if sid.prefix != locator.prefix:
            mend = f'write "{locator.prefix.network_address}"'
            return "sid", f"the End of a uSID locator is the locator, {locator.prefix}", mend
        if node.every_locator.get(node.isis_locator) == locator:
            return "sid", f"IS-IS binds {sid.sid} by itself", "take it away"
        return None
    lowest, highest = EXPLICIT[locator.usid][0], EXPLICIT[locator.usid][-1]
    function = _function(sid)
    whole = 16 + (locator.prefix.prefixlen if sid.sid in locator.prefix else 32)
    if sid.prefix.prefixlen != whole or not lowest <= function <= highest:
        what = f"FRR leaves the functions {lowest:x} to {highest:x} to static SIDs, and {sid.sid} has another"
        first = int(locator.prefix.network_address) | lowest << (112 - locator.prefix.prefixlen)
        return "sid", what, f'write "{type(sid.sid)(first)}", or another one'
    return None
