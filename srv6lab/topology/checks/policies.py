"""Checks of SR policies (RFC 9256), of their headends and of what is steered into them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Item, Path
from srv6lab.topology.checks.network import no_node, repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.sr_policy import CandidatePath, ColorTarget, SrPolicy

_KINDS = ("segment_lists", "dynamic", "composite")


def _candidates(view: Facts) -> Iterator[tuple[Item[SrPolicy], Path, CandidatePath]]:
    for item in view.sr_policies:
        for number, one in enumerate(item.value.candidate_paths):
            yield item, (*item.path, "candidate_paths", number), one


def _targets(view: Facts) -> Iterator[tuple[Path, str, ColorTarget]]:
    """What is steered by color: where, at which headend."""
    for item in view.steering:
        if isinstance(item.value.to, ColorTarget):
            yield (*item.path, "to"), item.value.headend, item.value.to


@check
def policy_headend(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.sr_policies:
        name = item.value.headend
        where, node = locate((*item.path, "headend")), view.nodes.get(name)
        if words := no_node(view, name):
            yield Problem(where, *words)
        elif node is not None and node.role == "host":
            yield Problem(where, f"{name} is a host, and Day0 of a host steers nothing", "name a router")
        elif node is not None and node.loopback is None:
            what = f"{name} has no loopback, so probes of its segment lists have no way back"
            yield Problem(where, what, f"give {name} a `loopback` that the others have a route to")


@check
def policy_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = (((one.value.headend, one.value.color, one.value.endpoint), one.path) for one in view.sr_policies)
    for (headend, color, endpoint), first, path in repeated(pairs):
        what = f"{headend} already has a policy of color {color} to {endpoint} ({line_of(locate, first)})"
        yield Problem(locate((*path, "color")), what, "add its candidate paths to that one")


@check
def policy_endpoint(view: Facts, locate: Locate) -> Iterator[Problem]:
    known = [one.loopback.network for one in view.nodes.values() if one.loopback]
    known += [one.locator for one in view.nodes.values() if one.locator]
    for item in view.sr_policies:
        endpoint = item.value.endpoint
        if endpoint.is_unspecified or endpoint in view.addresses or any(endpoint in one for one in known):
            continue
        if len(view.nodes) == len(view.node_names):
            what = f"the endpoint {endpoint} is no node's"
            yield Problem(locate((*item.path, "endpoint")), what, "write a loopback, or `::` for any")


@check
def one_kind_of_path(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item, path, one in _candidates(view):
        given = [kind for kind in _KINDS if getattr(one, kind)]
        if len(given) > 1:
            what = f"a candidate path is of one kind, and this has `{given[0]}` and `{given[1]}`"
            yield Problem(locate((*path, given[1]), key=True), what, "make two candidate paths of it")
        elif not given and item.whole and path not in view.cut:
            what = "this candidate path says no way"
            yield Problem(locate(path), what, "add `segment_lists`, `dynamic` or `composite`")


@check
def candidate_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """RFC 9256 section 2.6: origin, originator and discriminator are its identity."""
    for item in view.sr_policies:
        pairs = (
            ((one.origin, one.originator, one.discriminator), path)
            for other, path, one in _candidates(view)
            if other is item
        )
        for _, first, path in repeated(pairs):
            what = f"the candidate path in {line_of(locate, first)} has the same origin, originator and discriminator"
            yield Problem(locate(path), what, "give each of a policy a `discriminator` of its own")


@check
def composite_of_others(view: Facts, locate: Locate) -> Iterator[Problem]:
    """RFC 9256 section 2.2: of the same headend and endpoint, not of itself, and not composite."""
    by_identity = {
        (one.value.headend, one.value.color, one.value.endpoint): one.value for one in view.sr_policies
    }
    for item, path, one in _candidates(view):
        policy = item.value
        pairs = ((part.color, (*path, "composite", index)) for index, part in enumerate(one.composite))
        for color, first, place in repeated(pairs):
            what = f"color {color} is a constituent already ({line_of(locate, first)})"
            yield Problem(locate((*place, "color")), what, "give it one `weight`")
        for index, part in enumerate(one.composite):
            where = locate((*path, "composite", index, "color"))
            other = by_identity.get((policy.headend, part.color, policy.endpoint))
            if part.color == policy.color:
                yield Problem(
                    where, f"a policy of color {part.color} can't be made of itself", "name another"
                )
            elif other is None and view.policies_known:
                what = f"{policy.headend} has no policy of color {part.color} to {policy.endpoint}"
                yield Problem(where, what, _colors(view, policy.headend))
            elif other is not None and any(each.composite for each in other.candidate_paths):
                what = f"the policy of color {part.color} is composite itself"
                yield Problem(where, what, "name the policies that it is made of")


def _colors(view: Facts, headend: str) -> str:
    found = sorted({one.value.color for one in view.sr_policies if one.value.headend == headend})
    return f"colors of {headend}: {', '.join(map(str, found))}" if found else "write it under `policies`"


@check
def binding_sids(view: Facts, locate: Locate) -> Iterator[Problem]:
    """RFC 9256 section 6: no two policies share one, and one policy's paths should."""
    own = {item.value.sid: item for item in view.local_sids}
    bound: dict[object, tuple[Path, Item[SrPolicy]]] = {}
    for item, path, one in _candidates(view):
        if (sid := one.binding_sid) is None:
            continue
        where = locate((*path, "binding_sid"), key=False)
        node = view.nodes.get(item.value.headend)
        first, policy = bound.setdefault(sid, (path, item))
        if sid in own:
            taker = own[sid]
            what = f"{sid} is a local SID of {taker.value.node} ({line_of(locate, taker.path)})"
            yield Problem(where, what, "take a SID that nobody has")
        elif policy is not item:
            what = f"the policy of color {policy.value.color} has the binding SID {sid} ({line_of(locate, first)})"
            yield Problem(where, what, "give each policy one of its own")
        elif node is not None and node.locator and sid not in node.locator:
            what = f"{sid} isn't in the locator {node.locator} of {item.value.headend}"
            yield warning(where, what, "take one in the locator, or give the others a route")
    for item in view.sr_policies:
        sids = {one.binding_sid for one in item.value.candidate_paths}
        if len(sids) > 1:
            what = f"the candidate paths of color {item.value.color} don't share one binding SID"
            yield warning(
                locate((*item.path, "candidate_paths")), what, "write the same `binding_sid` to all"
            )


@check
def steering_by_color(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, headend, to in _targets(view):
        colors = [((*path, "colors", index), color) for index, color in enumerate(to.colors)]
        colors += [((*path, "array", index, "color"), one.color) for index, one in enumerate(to.array)]
        if to.colors and to.array:
            what = "traffic is steered by `colors` or by an `array` of classes, not by both"
            yield Problem(locate((*path, "array"), key=True), what, "keep one of the two")
        elif not colors:
            yield Problem(locate(path), "this names an endpoint and no color", "add `colors: [10]`")
        pairs = ((one.forwarding_class, (*path, "array", index)) for index, one in enumerate(to.array))
        for number, first, place in repeated(pairs):
            what = f"class {number} has a color already ({line_of(locate, first)})"
            yield Problem(locate((*place, "class")), what, "keep one of the two")
        known = {one.value.color for one in view.sr_policies if one.value.headend == headend}
        for place, color in colors:
            if view.policies_known and color not in known:
                what = f"{headend} has no policy of color {color}"
                yield Problem(locate(place), what, _colors(view, headend))


@check
def steering_by_color_ends(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A policy to an endpoint may end there with an End; what it carries goes on by the service's SID."""
    for item in view.steering:
        to, prefix = item.value.to, item.value.match.prefix
        if not isinstance(to, ColorTarget) or not view.sids_known or prefix is None:
            continue
        if to.sid is None:
            if prefix.version == 4:
                what = f"{prefix} is IPv4, and nothing takes it out of SRv6 behind the policy"
                yield Problem(locate((*item.path, "to")), what, "add `sid`, an End.DX4 at the endpoint")
        elif to.sid not in view.owners and to.sid not in view.unsound_sids:
            mend = did_you_mean(str(to.sid), frozenset(map(str, view.owners)), "give it to a node")
            where = locate((*item.path, "to", "sid"))
            yield Problem(where, f"no node has the local SID {to.sid}", mend)


@check
def steering_by_color_applied(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.applied:
        if isinstance(item.value.to, ColorTarget):
            what = "an exercise can't change what is steered by color: a headend's agent keeps it"
            yield Problem(locate((*item.path, "to")), what, "write it under `steering`, for the whole lab")


@check
def flows_of_a_headend(view: Facts, locate: Locate) -> Iterator[Problem]:
    arrays = {headend for _, headend, to in _targets(view) if to.array}
    for name, node in view.nodes.items():
        for index, flow in enumerate(node.headend.flows):
            path = ("nodes", name, "headend", "flows", index)
            if flow.port is not None and flow.protocol is None:
                yield Problem(locate((*path, "port")), "a port needs its protocol", "add `protocol: udp`")
            ends = flow.source, flow.destination
            if ends[0] and ends[1] and ends[0].version != ends[1].version:
                what = f"{ends[0]} and {ends[1]} are of two families"
                yield Problem(locate((*path, "destination")), what, "write a flow for each")
        if node.headend.flows and name not in arrays:
            what = f"no traffic of {name} is steered by an `array`, so its classes change nothing"
            yield warning(
                locate(("nodes", name, "headend", "flows"), key=True), what, "steer some, or take them away"
            )


@check
def headend_of_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    headends = {item.value.headend for item in view.sr_policies}
    for name, node in view.nodes.items():
        if "headend" in node.model_fields_set and name not in headends and view.policies_known:
            what = f"{name} has no policies to keep"
            yield warning(
                locate(("nodes", name, "headend"), key=True),
                what,
                f"write `headend: {name}` under `policies`",
            )
