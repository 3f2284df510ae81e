"""Checks of local SIDs and of the policies that steer into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address

from srv6lab.called import CALLED
from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS, REGISTRY, Behavior
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.network import next_hop, repeated, special
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.local_sid import KEYS, LocalSid


@check
def unknown_behavior(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        if (behavior := item.value.behavior) in BEHAVIORS:
            continue
        where = locate((*item.path, "behavior"))
        known = _spelled(behavior)
        if known is not None and not known.in_labs:
            what = f"no lab can have {known.name} ({known.section}): {known.why_not}"
            yield Problem(where, what, f"`{CALLED} behaviors` lists what labs can have")
        else:
            yield Problem(where, f"there is no behavior `{behavior[:60]}`", _nearest(behavior))


def _spelled(behavior: str) -> Behavior | None:
    """People know End.DX4 as `end.dx4`, `EndDX4` and `End_DX4`."""
    bare = {re.sub(r"[^a-z0-9]", "", name.lower()): one for name, one in REGISTRY.items()}
    return bare.get(re.sub(r"[^a-z0-9]", "", behavior.lower()))


def _nearest(behavior: str) -> str:
    if known := _spelled(behavior):
        return f"did you mean `{known.name}`?"
    mend = did_you_mean(behavior, {name.lower() for name in BEHAVIORS}, "")
    by_lower = {name.lower(): name for name in BEHAVIORS}
    return re.sub(r"end[.a-z0-9]*", lambda found: by_lower[found.group()], mend)


@check
def parameters(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        sid = item.value
        if (behavior := BEHAVIORS.get(sid.behavior)) is None:
            continue
        needs = ", ".join(f"`{_key(name)}`" for name in behavior.parameters) or "no parameter"
        given = {"table" if name == "vrf" else name for name in sid.parameters}  # which has one
        for name in sid.parameters:
            if name not in behavior.parameters and not (name == "vrf" and "table" in behavior.parameters):
                what, where = f"{behavior.name} takes no `{_key(name)}`", (*item.path, _key(name))
                yield Problem(locate(where, key=True), what, f"{behavior.name} takes {needs}")
        missing = [name for name in behavior.parameters if name not in given]
        # A misspelled key is the likely cause, and it has its own problem.
        if missing and item.whole and not given - set(behavior.parameters):
            if "vrf" in behavior.needs:  # it has no other table
                missing = ["vrf"]
            what = f"{behavior.name} needs {' and '.join(f'`{_key(name)}`' for name in missing)}"
            mend = f"add {', '.join(f'`{_key(name)}: …`' for name in missing)}"
            yield Problem(locate((*item.path, "behavior")), what, mend)


def _key(parameter: str) -> str:
    return KEYS.get(parameter, parameter)


@check
def sid_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Anycast SIDs are of several nodes, if all of them say so."""
    lone = {item.value.sid for item in view.local_sids if not item.value.anycast}
    pairs = (
        ((item.value.sid, "" if item.value.sid in lone else item.value.node), item.path)
        for item in view.local_sids
    )
    for (sid, _), first, path in repeated(pairs):
        owner = view.owners[sid].value.node
        what = f"{sid} is already a local SID of {owner} ({line_of(locate, (*first, 'sid'))})"
        yield Problem(
            locate((*path, "sid")), what, "bind one behavior to a SID, or give both `anycast: true`"
        )


@check
def sid_in_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    routed = {route.prefix for node in view.nodes.values() for route in node.routes}
    for item in view.every_sid:
        node, sid = view.nodes.get(item.value.node), item.value.sid
        mine = node.every_locator.values() if node else ()
        if node is None or _no_unicast(sid) or any(one.holds(sid) for one in mine):
            continue
        if item.value.prefix in routed or item.value.anycast:
            continue
        where = locate((*item.path, "sid"))
        if node.locator is None:
            what = f"{item.value.node} has no locator, so no route leads to {item.value.sid} by itself"
            yield warning(where, what, f"give {item.value.node} a locator, or the others a route")
        else:
            what = f"{item.value.sid} isn't in the locator {node.locator} of {item.value.node}"
            yield warning(where, what, "take a SID in the locator, or give the others a route")


@check
def sid_is_unicast(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        if kind := _no_unicast(item.value.sid):
            what = f"{item.value.sid} can't be a SID: it is {kind}"
            yield Problem(locate((*item.path, "sid")), what, "take one in a locator")


def _no_unicast(sid: IPv6Address) -> str:
    """What an address is that no route leads to."""
    if sid.is_unspecified:
        return "the unspecified address"
    return f"for {kind}" if (kind := special(sid)) else ""


@check
def sid_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        node = view.nodes.get(item.value.node)
        if node is not None and node.role == "host":
            what = f"{item.value.node} is a host, and Day0 of a host binds no SIDs"
            yield Problem(locate((*item.path, "node")), what, f"give {item.value.node} `role: router`")


@check
def policy_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.steering:
        node = view.nodes.get(item.value.headend)
        if node is not None and node.role == "host" and not item.value.segments:
            what = f"{item.value.headend} is a host, and a host has no SR policies"
            mend = f"give it `segments`, or {item.value.headend} `role: router`"
            yield Problem(locate((*item.path, "headend")), what, mend)


@check
def sid_is_an_address(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Linux finds its own address first, so the behavior would never see a packet."""
    for item in view.every_sid:
        if places := view.addresses.get(item.value.sid):
            path, owner = places[0]
            what = f"{item.value.sid} is also an address of {owner} ({line_of(locate, path)})"
            yield warning(
                locate((*item.path, "sid")), what, "take a SID that is no NIC's and no loopback's address"
            )


@check
def sid_next_hop(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        node = item.value.node
        if node not in view.node_names:
            continue
        for name in ("nh4", "nh6"):
            address = getattr(item.value, name)
            if address is not None and address.is_unspecified:
                yield from _without_neighbor(item, name, locate)
            elif address is not None and (problem := next_hop(view, node, address)):
                yield Problem(locate((*item.path, name)), *problem)


def _without_neighbor(item: Item[LocalSid], name: str, locate: Locate) -> Iterator[Problem]:
    """What takes the inner packet out has another address to look up; End.X has none."""
    behavior = BEHAVIORS.get(item.value.behavior)
    if behavior is not None and name in behavior.parameters and not behavior.takes:
        what = f"{behavior.name} sends the packet to one neighbor, and {getattr(item.value, name)} is none"
        yield Problem(
            locate((*item.path, name)), what, "name a neighbor, or take End, which looks up the next segment"
        )


@check
def sid_of_unknown_service(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        name = item.value.service
        if name is not None and name not in view.service_names:
            mend = did_you_mean(name, view.service_names, "name it under `services`")
            yield Problem(locate((*item.path, "service")), f"there is no service {name}", mend)
        elif name in view.services and view.services[name].node != item.value.node:
            what = f"the service {name} is on {view.services[name].node}, not on {item.value.node}"
            yield Problem(locate((*item.path, "service")), what, "give the SID to the service's node")


@check
def unowned_segment(view: Facts, locate: Locate) -> Iterator[Problem]:
    if not view.sids_known:
        return
    owned = frozenset(map(str, view.owners))
    lists = [(listed.path, listed.segments) for listed in view.segment_lists]
    for place, segments in (*lists, *view.weighted_lists):
        for index, sid in enumerate(segments):
            owner, there = view.owner(sid)
            if owner is None and (places := view.addresses.get(there)):
                what = f"{there} is an address of {places[0][1]}, no SID"
                mend = "Linux goes on with it only where seg6_enabled is on; end with a SID of that node"
                yield warning(locate((*place, index)), what, mend)
            elif owner is None and there not in view.unsound_sids and not view.outside(there):
                mend = did_you_mean(str(there), owned, "give it to a node under `local_sids`")
                of = "" if there == sid else f", to which {sid} is moved up"
                what = f"no node has the local SID {there}{of}"
                yield Problem(locate((*place, index)), what, mend)


@check
def unowned_segment_of_a_probe(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A probe's SRH leads through SIDs that are planned: those that routing protocols hand out may be others."""
    owned = frozenset(map(str, view.owners))
    for exercise in view.exercises:
        for item in exercise.probes:
            for index, sid in enumerate(item.value.segments if view.sids_known else ()):
                owner, there = view.owner(sid)
                if owner is None and there not in view.unsound_sids and not view.outside(there):
                    mend = did_you_mean(str(there), owned, "give it to a node under `local_sids`")
                    where = locate((*item.path, "segments", index))
                    of = "" if there == sid else f", to which {sid} is moved up"
                    yield Problem(where, f"no node has the local SID {there}{of}", mend)
            if item.value.oam and not item.value.segments:
                where = locate((*item.path, "oam"), key=True)
                yield Problem(where, "the O-flag is in an SRH, and this probe has none", "add `segments`")


@check
def steered_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = (((item.value.headend, item.value.match), item.path) for item in view.steering)
    for (headend, match), first, path in repeated(pairs):
        key = "prefix" if match.prefix is not None else "nic"
        there = f" in the VRF {match.vrf}" if match.vrf else ""
        where = line_of(locate, (*first, "match", key))
        what = f"{headend} already steers {getattr(match, key)}{there} ({where})"
        yield Problem(locate((*path, "match", key)), what, "keep one of the two")


@check
def last_segment_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A lab may want to show what happens then, so it is a warning."""
    for listed in view.segment_lists:
        last = listed.segments[-1]
        owner, _ = view.owner(last)
        behavior = BEHAVIORS.get(owner.value.behavior) if owner else None
        if behavior is None or listed.inserted:
            continue
        where = locate((*listed.path, len(listed.segments) - 1))
        if not behavior.ends_policy:
            what = f"the last segment {last} is {behavior.name}, which goes on to a next segment"
            yield warning(where, what, "add the segment at which the packet shall arrive")
        elif behavior.takes and listed.kind not in behavior.takes:
            what = f"the last segment {last} is {behavior.name}, and {listed.onto} is {listed.kind}"
            yield warning(where, what, f"end with a SID that hands on {listed.kind}")


@check
def proxied_family(view: Facts, locate: Locate) -> Iterator[Problem]:
    """An SR proxy that decapsulates discards packets of the other family."""
    for listed in view.segment_lists:
        for index, segment in enumerate(listed.segments):
            owner, _ = view.owner(segment)
            behavior = BEHAVIORS.get(owner.value.behavior) if owner else None
            if behavior is None or behavior.served_by != "proxy" or listed.inserted:
                continue
            if behavior.ends_policy and index == len(listed.segments) - 1:
                continue  # as all last segments are looked at
            if behavior.takes and listed.kind not in behavior.takes:
                what = f"{segment} is {behavior.name}, and {listed.onto} is {listed.kind}"
                mend = f"lead it through a proxy that hands on {listed.kind}"
                yield warning(locate((*listed.path, index)), what, mend)


@check
def binding_sid_in_its_own_policy(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        segments = item.value.policy.segments if item.value.policy else ()
        if item.value.sid in segments:
            path = (*item.path, "policy", "segments", segments.index(item.value.sid))
            what = f"the policy of {item.value.sid} leads back to {item.value.sid}, without end"
            yield Problem(locate(path), what, "take it out of its own policy")
