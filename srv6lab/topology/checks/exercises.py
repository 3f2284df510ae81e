"""Checks of exercises: what they send, and what they expect where."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import ExerciseView, Facts, Item, Path
from srv6lab.topology.checks.network import no_node, repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.exercises import Probe
from srv6lab.topology.expectations import ControlExpectation, Inner, Middle, PacketExpectation
from srv6lab.topology.notation import ETHERNET, PROTOCOLS
from srv6lab.topology.places import Place, Point

# Of an expectation; a share has a check of its own.
WITH_ABSENT = frozenset({"at", "direction", "probe", "absent", "share"})


def _probes(view: Facts) -> Iterator[Item[Probe]]:
    for exercise in view.exercises:
        yield from exercise.probes


def _packets(view: Facts) -> Iterator[tuple[ExerciseView, Item[PacketExpectation]]]:
    for exercise in view.exercises:
        for item in exercise.packets:
            yield exercise, item


def _messages(view: Facts) -> Iterator[Item[ControlExpectation]]:
    for exercise in view.exercises:
        yield from exercise.control


@check
def exercise_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = ((one.name, one.path) for one in view.exercises if one.name is not None)
    for name, first, path in repeated(pairs):
        what = f"the exercise in {line_of(locate, (*first, 'name'))} is already called {name}"
        yield Problem(locate((*path, "name")), what, "give each exercise a name of its own")


@check
def sends_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        if not exercise.probe_ids and exercise.probes_known and not exercise.heard:
            where = locate((*exercise.path, "probes"), key=True)
            yield Problem(where, f"exercise {exercise.name} has no probe", "say what is sent")


@check
def expects_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        if not exercise.expects:
            what = f"exercise {exercise.name} expects nothing, so it can't fail"
            yield warning(
                locate((*exercise.path, "expect"), key=True), what, "say what its packets look like"
            )


@check
def walk_unreviewed(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The author is a witness only by what an author has read."""
    for exercise in view.exercises:
        for probe in exercise.unreviewed:
            where = locate((*exercise.path, "expect", "walk", probe, "unreviewed"), key=True)
            what = f"the walk of {probe} is the model's own prediction, so it proves little"
            yield warning(where, what, "read it line by line, and take `unreviewed` away")


@check
def probe_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for name, first, path in repeated((item.value.id, item.path) for item in exercise.probes):
            what = f"the probe in {line_of(locate, (*first, 'id'))} is already called {name}"
            yield Problem(locate((*path, "id")), what, "give each probe of an exercise an id of its own")


HEADERS = {4: 20, 6: 40}  # bytes of an IP header


@check
def probe_fits_its_link(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What doesn't would be sent in fragments, which carry no token but for the first."""
    for item in _probes(view):
        header = max((kind.header for kind in item.value.kinds), default=0)
        # Where both families are, what is sent is of the one with the shorter header, or fits either.
        rooms = [
            (nic.mtu - HEADERS[min(nic.link.versions)] - header, nic)
            for nic in view.nics.get(item.value.source, ())
        ]
        # By which of its NICs a packet leaves is for routes to say: one with room is enough.
        room, nic = max(rooms, key=lambda one: one[0], default=(item.value.size, None))
        if nic and item.value.size > room:
            what = f"{item.value.size} bytes don't fit link {nic.link.name}, whose MTU is {nic.mtu}"
            yield Problem(locate((*item.path, "size")), what, f"send {room} at most, or give the link more")


@check
def unknown_point(view: Facts, locate: Locate) -> Iterator[Problem]:
    points = [(item.path, item.value.point) for _, item in _packets(view)]
    points += [(item.path, item.value.point) for item in _messages(view)]
    for path, at in points:
        if words := point_problem(view, at):
            yield Problem(locate((*path, "at")), *words)


def point_problem(view: Facts, at: Point) -> tuple[str, str] | None:
    """What is wrong with the name of a NIC, and how to mend it."""
    node, place = at.node, at.place
    if words := no_node(view, node):
        return words
    if place.netns and place not in view.places and view.services_sound:
        return f"{node} has no network namespace {at.netns}", f'write "{node}:{at.nic}"'
    if _misses(view, at):
        links = () if at.netns else view.nics.get(node, ())
        known = {one.endpoint.nic for one in links} | view.places.get(place, set())
        mend = f"NICs of {place}: {', '.join(sorted(known))}" if known else f"connect {node} first"
        return f"no link ends at {at}", mend
    return None


def _misses(view: Facts, at: Point) -> bool:
    """Whether it is certain that a place has no such NIC."""
    if str(at) in view.points or at.nic in view.places.get(at.place, ()):
        return False
    return view.services_sound and view.clear(at.node)


@check
def unknown_probe(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise, item in _packets(view):
        name = item.value.probe
        if exercise.probes_known and exercise.probe_ids and name not in exercise.probe_ids:
            mend = did_you_mean(name, exercise.probe_ids, "give the exercise a probe")
            yield Problem(
                locate((*item.path, "probe")), f"exercise {exercise.name} has no probe {name}", mend
            )


@check
def absent_with_more(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _packets(view):
        given = [
            key
            for key in PacketExpectation.model_fields
            if key not in WITH_ABSENT and getattr(item.value, key) is not None
        ]
        if item.value.absent and given:
            what = f"a packet that is absent has no `{given[0]}`"
            mend = f"take away `absent`, or {', '.join(f'`{key}`' for key in given)}"
            yield Problem(locate((*item.path, given[0]), key=True), what, mend)


@check
def segments_left_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    """RFC 8754 section 4.3.1.1: segments_left is last_entry + 1 at most, in a reduced SRH (RFC 8986 5.2)."""
    reduced = any(item.value.mode.endswith(".red") for item in view.policies)
    for header, path in _tunnels(view):
        left, listed = header.segments_left, header.segment_list
        if left is None or listed is None:
            continue
        where = locate((*path, "segments_left"))
        if not listed:
            what = "an empty `segment_list` says that there is no SRH, so there is no `segments_left`"
            yield Problem(where, what, "take `segments_left` away, or list the segments")
        elif left > len(listed):
            what = f"`segments_left` is {left}, and `segment_list` has {len(listed)}"
            yield Problem(where, what, f"write 0 to {len(listed) - 1}")
        elif left == len(listed) and not reduced:
            what = f"`segments_left` is {left}, as many as `segment_list` has: only a reduced SRH has that"
            yield warning(where, what, f"the first segment has {left - 1} in an SRH that isn't reduced")


@check
def destination_is_active_segment(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The destination is segment_list[segments_left] (RFC 8986 section 4.1), but for a carrier on its way, and in
    a masqueraded service."""
    for header, path in _tunnels(view):
        if isinstance(header, PacketExpectation) and _masqueraded(view, header):
            continue
        if not isinstance(header.destination, IPv6Address) or not header.segment_list:
            continue
        left = header.segments_left
        if left is None or left >= len(header.segment_list):
            continue
        active = header.segment_list[left]
        if header.destination not in view.stations(active):
            what = f"the destination {header.destination} isn't segment_list[{left}], which is {active}"
            mend = "`segment_list` is in wire order, the last segment first; check it and `segments_left`"
            yield warning(locate((*path, "destination")), what, mend)


def _masqueraded(view: Facts, packet: PacketExpectation) -> bool:
    """Whether a packet shows the last segment as its destination, as End.AM does to its service."""
    listed = packet.segment_list
    behind = {
        Place(service.node, service.netns or "")
        for item in view.local_sids
        if item.value.behavior == "End.AM" and (service := view.services.get(str(item.value.service)))
    }
    return packet.point.place in behind and listed is not None and packet.destination in listed[:1]


def _tunnels(view: Facts) -> Iterator[tuple[PacketExpectation | Middle, Path]]:
    """Every header behind which an SRH may stand."""
    for _, item in _packets(view):
        yield item.value, item.path
        if item.value.middle is not None:
            yield item.value.middle, (*item.path, "middle")


def _headers(view: Facts) -> Iterator[tuple[Inner | PacketExpectation, Path]]:
    yield from _tunnels(view)
    for _, item in _packets(view):
        if item.value.inner is not None:
            yield item.value.inner, (*item.path, "inner")


@check
def families_match(view: Facts, locate: Locate) -> Iterator[Problem]:
    for header, path in _headers(view):
        if words := _family_words(header):
            key, what, mend = words
            yield Problem(locate((*path, key)), what, mend)
        elif getattr(header, "segment_list", None) and _version(header) == 4:
            key = "source" if header.source is not None else "destination"
            what = f"an SRH is behind an IPv6 header, and {getattr(header, key)} is IPv4"
            yield Problem(locate((*path, key)), what, "the inner packet's addresses belong under `inner`")


def _version(header: Inner | PacketExpectation) -> int | None:
    address = header.source if header.source is not None else header.destination
    return address.version if address is not None else None


def _family_words(header: Inner | PacketExpectation) -> tuple[str, str, str] | None:
    """The key that doesn't fit to the others of one IP header, what, mend."""
    source, destination = header.source, header.destination
    if source is not None and destination is not None and source.version != destination.version:
        what = f"the source {source} is IPv{source.version}, and the destination {destination} is not"
        return "destination", what, "one header has one family"
    version = _version(header)
    other = {("icmp", 6): "icmpv6", ("icmpv6", 4): "icmp"}.get((str(header.protocol), version or 0))
    if other:
        return "protocol", f"`{header.protocol}` doesn't go in IPv{version}", f"write `{other}`"
    return None


@check
def next_header_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _packets(view):
        following, listed = item.value.next_header, item.value.segment_list
        where = locate((*item.path, "next_header"))
        if following == "routing" and listed == ():
            what = (
                "an empty `segment_list` says that there is no SRH, and `next_header: routing` that there is"
            )
            yield Problem(where, what, "list the segments, or say what follows instead")
        elif following in (*PROTOCOLS, ETHERNET) and listed:
            what = f"before an SRH the next header is routing, not {following}"
            yield Problem(where, what, "write `next_header: routing`, or `segment_list: []`")


@check
def expectation_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Of any share: an end of a bridge may get the same from two others, each of which has its line in a walk."""
    pairs = (
        ((exercise.path, item.value), item.path)
        for exercise, item in _packets(view)
        if item.value.share != "any"
    )
    for _, first, path in repeated(pairs):
        what = f"this expectation already stands in {line_of(locate, first)}"
        yield warning(locate(path), what, "take one away; `count` says how many packets")
