"""Checks of what exercises change in a node's routing, and in its links: SIDs, routes, loss and delay."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.topology.actions.netem import NetemAction
from srv6lab.topology.actions.route import RouteAction, RouteChange
from srv6lab.topology.actions.sid import SidAction
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.scalars import Network

SID_WORDS: tuple[str, ...] = ("add", "delete")
ROUTE_WORDS: tuple[str, ...] = ("add", "replace", "delete")


@check
def changes_one_thing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.actions:
        action = item.value
        if not isinstance(action, SidAction | RouteAction):
            continue
        key, words = action.key, ROUTE_WORDS if isinstance(action, RouteAction) else SID_WORDS
        given = [word for word in words if getattr(getattr(action, key), word) is not None]
        allowed = " or ".join(f"`{word}`" for word in words)
        if len(given) > 1:
            what = f"`{key}` has {' and '.join(f'`{word}`' for word in given)}"
            yield Problem(
                locate((*item.path, key, given[1]), key=True), what, f"write an action for each: {allowed}"
            )
        elif not given and item.whole:
            what = f"`{key}` says neither {' nor '.join(f'`{word}`' for word in words)}"
            yield Problem(locate((*item.path, key), key=True), what, f"write one of them: {allowed}")


@check
def adds_a_kernels_sid(view: Facts, locate: Locate) -> Iterator[Problem]:
    own = {one.value.sid: one for one in view.local_sids}
    for item in view.added_sids:
        sid = item.value
        behavior = BEHAVIORS.get(sid.behavior)
        if behavior and behavior.served_by != "kernel":
            what = f"{sid.behavior} is an SR proxy's, and only Day0 binds those"
            yield Problem(locate((*item.path, "behavior")), what, "write it under `local_sids`")
        elif sid.vrf is not None:
            what = f"{sid.sid} looks into the VRF {sid.vrf}, and only Day0 binds such a SID"
            yield Problem(locate((*item.path, "vrf"), key=True), what, "write it under `local_sids`")
        elif sid.by is not None:
            what = f"{sid.sid} is a static SID of FRR's, and exercises add those of the kernel"
            yield Problem(locate((*item.path, "by")), what, "take `by` away, or write it under `local_sids`")
        if (first := own.get(sid.sid)) is not None:
            what = f"{first.value.node} has the SID {sid.sid} already ({line_of(locate, first.path)})"
            yield Problem(locate((*item.path, "sid")), what, "add another SID, or delete this one")


@check
def deletes_a_sid_that_is_there(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.actions:
        action = item.value
        if not isinstance(action, SidAction) or not (gone := action.sid.delete) or not view.sids_known:
            continue
        mine = {one.value.sid: one for one in view.local_sids if one.value.node == gone.node}
        found = mine.get(gone.sid)
        where = locate((*item.path, "sid", "delete", "sid"))
        if found is None and view.knows(gone.node) and gone.sid not in view.unsound_sids:
            mend = did_you_mean(
                str(gone.sid), frozenset(map(str, mine)), "give it to the node under `local_sids`"
            )
            yield Problem(where, f"{gone.node} has no SID {gone.sid}", mend)
        elif (
            found is not None
            and (known := BEHAVIORS.get(found.value.behavior))
            and known.served_by != "kernel"
        ):
            what = f"{gone.sid} is {known.name}, an SR proxy's, and only Day0 binds those"
            yield Problem(where, what, "cut the link to it, or stop its node")


def _routes(view: Facts) -> Iterator[tuple[Item[RouteAction], RouteChange]]:
    for item in view.actions:
        if isinstance(item.value, RouteAction):
            yield Item(item.path, item.value, item.whole), item.value.route


@check
def route_is_there_or_not(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item, change in _routes(view):
        for key in ROUTE_WORDS:
            one = getattr(change, key)
            if one is None or (node := view.nodes.get(one.node)) is None:
                continue
            known = {route.prefix for route in node.routes if route.table == one.table}
            steered = {it.value.match.prefix for it in view.steering if it.value.headend == one.node}
            there = one.prefix in known or (one.table is None and one.prefix in steered)
            of = f"{one.prefix} in table {one.table}" if one.table else str(one.prefix)
            where = locate((*item.path, "route", key, "prefix"))
            if one.table is None and (nic := _on_a_link(view, one.node, one.prefix)):
                what = f"{one.prefix} is the prefix of the link at {one.node}:{nic}, and Linux lays its route"
                yield Problem(where, what, "take a longer prefix, whose route goes first")
            elif key == "add" and there:
                yield Problem(where, f"{one.node} has a route to {of} already", "write `replace`")
            elif key != "add" and not there:
                yield Problem(where, f"Day0 lays no route to {of} on {one.node}", _instead(key, known))


def _on_a_link(view: Facts, node: str, prefix: Network) -> str | None:
    """The NIC of the node whose link has the prefix. Linux lays the route of a link with the NIC's address, so Day0,
    which brings back what an exercise has changed, wouldn't lay it."""
    return next((nic.endpoint.nic for nic in view.nics.get(node, ()) if prefix in nic.link.prefixes), None)


def _instead(key: str, known: set[Network]) -> str:
    listed = ", ".join(sorted(map(str, known))[:8])
    routes = f"its routes are to {listed}" if listed else "it has none"
    return f"write `add`; {routes}" if key == "replace" else routes


@check
def netem_does_something(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.actions:
        action = item.value
        if (
            isinstance(action, NetemAction)
            and float((action.netem.loss or "0%")[:-1]) == 0
            and action.netem.delay is None
            and item.whole
        ):
            where = locate((*item.path, "netem"), key=True)
            yield Problem(
                where, "this link neither loses packets nor delays them", "add `loss: 10%`, or `delay: 20`"
            )
