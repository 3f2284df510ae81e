"""Pings that a learner typed: told by their addresses and ICMP identifiers, and given to the probes of an exercise in the
order in which they were typed. Time decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from srv6lab.evidence.packets import WRONG, Address, PacketView, Point, is_error
from srv6lab.evidence.probes import Sent
from srv6lab.plan.nodes import Plan
from srv6lab.topology.exercises import Probe

_ECHO = frozenset({0, 8, 128, 129})
_ECHO_REQUEST = frozenset({8, 128})
_REDIRECT = 5  # ICMP's
_OF_NEIGHBORS = frozenset({*range(130, 138), 143})

Packets = Mapping[Point, Sequence[PacketView]]
Ends = tuple[frozenset[Address], frozenset[Address]]


@dataclass(frozen=True, slots=True)
class TypedPing:
    """A probe's ping: its packets by point, ICMP errors about them, and frames of which it isn't known whether they are
    of it."""

    sent: Sent
    packets: Packets
    errors: Packets = field(default_factory=dict)
    doubtful: tuple[tuple[Point, int], ...] = ()


def typed_pings(plan: Plan, probes: Sequence[Probe], packets: Packets) -> dict[str, TypedPing]:
    """The ping of each probe, by the probe. Of several pings between two ends the last is the one of a single probe;
    of several probes each has its own, or none can be told from the others."""
    found: dict[str, TypedPing] = {}
    alike: dict[object, list[Probe]] = {}
    for probe in probes:
        if probe.kind.key != "icmp":
            note = "its packets can't be told from others without what the run observed"
            found[probe.id] = TypedPing(Sent(probe.id, 0, 0, note=note), {})
        else:
            alike.setdefault(frozenset(_ends(plan, probe)), []).append(probe)
    for those in alike.values():
        found |= _between(plan, those, packets)
    return found


def _between(plan: Plan, probes: Sequence[Probe], packets: Packets) -> dict[str, TypedPing]:
    """The pings of probes with the same two ends."""
    first, ends = probes[0], _ends(plan, probes[0])
    echoes = {point: list(_echoes(views, ends)) for point, views in packets.items()}
    requests = {point: [view for view in views if _is_request(view)] for point, views in echoes.items()}
    if any(map(_is_sound, (view for views in requests.values() for view in views))):
        requests = {point: [*filter(_is_sound, views)] for point, views in requests.items()}
    orders = {tuple(dict.fromkeys(map(_identifier, views))) for views in requests.values()}
    count = len({identifier for order in orders for identifier in order})
    best = max(requests.values(), key=len, default=[])
    if not best:
        notes = dict.fromkeys((probe.id for probe in probes), "no ping between its ends in any capture")
        return {probe: TypedPing(Sent(probe, 0, 0, note=note), {}) for probe, note in notes.items()}
    if len(probes) == 1:
        several = len({*map(_identifier, best)})
        note = f" (the last of {several} in these captures)" if several > 1 else ""
        return {first.id: _one(first, _identifier(best[-1]), note, packets, echoes)}
    if count != len(probes) or sum(len(order) == count for order in orders) != 1:
        note = f"{count} pings between its ends are in these captures, for {len(probes)} probes: which is whose can't be told"
        return {probe.id: TypedPing(Sent(probe.id, 0, 0, note=note), {}) for probe in probes}
    order = max(orders, key=len)
    return {
        probe.id: _one(probe, identifier, "", packets, echoes)
        for probe, identifier in zip(probes, order, strict=True)
    }


def _ends(plan: Plan, probe: Probe) -> Ends:
    """The addresses that it may go from and to: all that its two nodes have, whichever the probe says."""
    to, receiver = plan.target(probe), plan.receiver(probe)
    ours, theirs = plan.node(probe.source).addresses(), plan.node(receiver).addresses() if receiver else (to,)
    return tuple(frozenset(one for one in own if one.version == to.version) for own in (ours, theirs))  # type: ignore[return-value]


def _one(probe: Probe, identifier: int | None, note: str, packets: Packets, echoes: Packets) -> TypedPing:
    mine = {
        point: [view for view in views if _identifier(view) == identifier] for point, views in echoes.items()
    }
    sequences = {_sequence(view) for views in mine.values() for view in views if _is_request(view)}
    sent = Sent(probe.id, len(sequences), 0, note=f"ping with ICMP identifier {identifier}{note}")
    errors = {
        point: [view for view in views if _is_about(view, identifier, mine)]
        for point, views in packets.items()
    }
    doubtful = tuple(
        (point, view.number)
        for point, views in packets.items()
        if mine[point]
        for view in _strays(mine[point], echoes[point], views)
    )
    return TypedPing(sent, mine, errors, doubtful)


def _is_about(error: PacketView, identifier: int | None, mine: Packets) -> bool:
    """Whether an ICMP error quotes a packet of the ping."""
    quoted = error.quoted
    if quoted is None or not quoted.headers or _identifier(quoted) != identifier:
        return False
    return any(view.ends == quoted.ends for views in mine.values() for view in views)


# --- what may be the ping's, and isn't known to be


def _strays(
    mine: Sequence[PacketView], echoes: Sequence[PacketView], views: Sequence[PacketView]
) -> Iterator[PacketView]:
    """What goes where the ping goes, or to or from one of its ends, and is nothing else that can be read."""
    tunnels = {(view.outer.source, view.outer.destination) for view in mine}
    ends = {end for view in mine for end in view.ends}
    identifier = _identifier(mine[0])
    known, missing = {*map(id, mine)}, {*map(id, _of_one_ping(mine, echoes))}
    for view in views:
        if id(view) in missing:
            yield view
        elif id(view) not in known and view.headers and not _is_something_else(view, identifier):
            same = view.icmp is not None and view.icmp.type in _ECHO and _identifier(view) == identifier
            if (
                same
                or not ends.isdisjoint(view.ends)
                or (view.outer.source, view.outer.destination) in tunnels
            ):
                yield view


def _of_one_ping(mine: Sequence[PacketView], echoes: Sequence[PacketView]) -> list[PacketView]:
    """The echoes with another identifier that fill up what this one lacks: as if a field of it had been changed."""
    have = {_sequence(view) for view in mine if _is_request(view)}
    found = []
    for identifier in {_identifier(view) for view in echoes} - {_identifier(mine[0])}:
        those = [view for view in echoes if _identifier(view) == identifier]
        theirs = {_sequence(view) for view in those if _is_request(view)}
        if theirs and have and not theirs & have and max(min(theirs), min(have)) > 1:
            found += those
    return found


def _is_something_else(view: PacketView, identifier: int | None) -> bool:
    """Whether it can be read, and is no echo: another program's, or a neighbor's or router's own."""
    if view.udp is not None or view.innermost.protocol == "tcp":
        return True
    if view.icmp is None:
        return False
    kind = (view.innermost.protocol, view.icmp.type)
    if kind[0] == "icmpv6" and view.icmp.type in _OF_NEIGHBORS:
        return True
    if is_error(*kind):
        return _is_sound(view) and view.quoted is not None and bool(view.quoted.headers)
    if kind == ("icmp", _REDIRECT):
        return _is_sound(view)
    return view.icmp.type in _ECHO and _is_sound(view) and _identifier(view) != identifier


def _echoes(views: Sequence[PacketView], ends: Ends) -> Iterator[PacketView]:
    ours, theirs = ends
    for view in views:
        if view.headers and view.icmp and view.icmp.type in _ECHO:
            one, other = view.ends
            if (one in ours and other in theirs) or (one in theirs and other in ours):
                yield view


def _is_request(view: PacketView) -> bool:
    return view.icmp is not None and view.icmp.type in _ECHO_REQUEST


def _is_sound(view: PacketView) -> bool:
    """Whether what its ICMP header says can be believed."""
    return view.icmp is not None and view.icmp.checksum_status != WRONG


def _sequence(view: PacketView) -> int:
    return (view.icmp.sequence or 0) if view.icmp else 0


def _identifier(view: PacketView) -> int | None:
    return view.icmp.identifier if view.icmp else None
