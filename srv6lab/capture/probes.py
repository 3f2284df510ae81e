"""Probes: how they are sent, and how their packets are found again in captures.

Ours carry a random token in their payload. A ping that a learner typed has none: it is told by its
addresses, ICMP identifier and sequence. Time decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from srv6lab.evidence.packets import Address, Direction, Message, PacketView, Point
from srv6lab.evidence.prediction import Hop
from srv6lab.plan.nodes import Nic, Plan
from srv6lab.topology.exercises import Probe

if TYPE_CHECKING:
    from srv6lab.capture import Capture  # and with it pyshark, which is slow to import
from srv6lab.evidence.probes import Found, Sent

_ECHO = frozenset({0, 8, 128, 129})
_ECHO_REQUEST = frozenset({8, 128})


def find(plan: Plan, probe: Probe, captures: Mapping[Point, Capture], sent: Sent | None) -> Found:
    """The probe's packets: by its token if we sent it, else as the last ping between its two ends."""
    packets = {point: capture.packets for point, capture in captures.items()}
    ours = sent is not None and bool(sent.token)
    if sent and ours:
        mine = _by_token(packets, bytes.fromhex(sent.token))
    else:
        mine, sent = _typed_ping(plan, probe, packets)
    hops, undirected = [], []
    nics = {nic.point: nic for nic in plan.traced()}
    neighbors = plan.neighbors()
    for point, found in mine.items():
        if not found:
            continue
        nic = nics[point]
        own = nic.mac if ours else own_mac(nic, neighbors[point], captures[point])
        told = {view.outgoing for view in captures[point].packets} >= {True, False}
        directed = [(_direction(view, own, told), view) for view in found]
        if any(direction is None for direction, _ in directed):
            undirected.append(point)
            continue
        if not ours and own:
            macs = {own: nic.mac, own_mac(neighbors[point], nic, captures[point]): neighbors[point].mac}
            directed = [(direction, _renamed(view, macs)) for direction, view in directed]
        hops += [Hop(point, direction, view) for direction, view in directed if direction]
    return Found(sent, tuple(hops), tuple(undirected))


def _renamed(view: PacketView, macs: Mapping[str | None, str]) -> PacketView:
    """With the plan's MACs for those of the two ends of a link: which those are in a capture from elsewhere was found
    out, and where it wasn't nothing is said of the other end."""
    if macs.get(view.source_mac) == view.source_mac and macs.get(view.destination_mac) == view.destination_mac:
        return view
    if len({*macs} - {None}) == 2:
        source, destination = view.source_mac, view.destination_mac
        return replace(
            view,
            source_mac=macs.get(source, source),
            destination_mac=macs.get(destination, destination),
        )
    return replace(
        view, source_mac=macs.get(view.source_mac, ""), destination_mac=macs.get(view.destination_mac, "")
    )


def _direction(view: PacketView, own: str | None, told: bool) -> Direction | None:
    """By the sender's MAC. Without one by the tracer's word, if it has both words in it (`told`): files exist that
    say of each packet that it came in."""
    if view.source_mac and own:
        return Direction.OUT if view.source_mac == own else Direction.IN
    if told and view.outgoing is not None:
        return Direction.OUT if view.outgoing else Direction.IN
    return None


def heard(plan: Plan, captures: Mapping[Point, Capture]) -> dict[tuple[Point, Direction], list[Message]]:
    """What routing protocols said, by the NIC and the direction in which it went."""
    found: dict[tuple[Point, Direction], list[Message]] = {}
    neighbors = plan.neighbors()
    for nic in plan.traced():
        capture = captures.get(nic.point)
        own = own_mac(nic, neighbors[nic.point], capture) if capture and capture.messages else None
        for message in capture.messages if capture and own else ():
            if not message.source_mac:
                continue
            direction = Direction.OUT if message.source_mac == own else Direction.IN
            found.setdefault((nic.point, direction), []).append(message)
    return found


def own_mac(nic: Nic, peer: Nic, capture: Capture) -> str | None:
    """The MAC of the NIC that was traced. Captures from elsewhere don't have the plan's MACs, so the
    MAC is taken from whoever speaks for the NIC's address, or is the one that isn't the peer's."""
    pairs = [(view.source_mac, view.destination_mac) for view in capture.packets if view.source_mac]
    if any(nic.mac in pair for pair in pairs):
        return nic.mac
    # Announcements first; of packets the earliest, since a hairpin brings a NIC's own packets back to it.
    speakers = {
        view.outer.source: view.source_mac
        for view in reversed(capture.packets)
        if view.headers and view.source_mac
    }
    speakers |= {address: mac for mac, address in capture.bindings}
    if own := speakers.get(nic.address.ip):
        return own
    if theirs := speakers.get(peer.address.ip):
        others = {
            mac
            for pair in pairs
            for mac in pair
            if theirs in pair and mac not in (theirs, "") and _unicast(mac)
        }
        if len(others) == 1:
            return others.pop()
    return None


def _by_token(packets: Mapping[Point, Sequence[PacketView]], token: bytes) -> dict[Point, list[PacketView]]:
    return {point: [view for view in views if token in view.payload] for point, views in packets.items()}


def _typed_ping(
    plan: Plan, probe: Probe, packets: Mapping[Point, Sequence[PacketView]]
) -> tuple[dict[Point, list[PacketView]], Sent]:
    """The packets of one ping: of several, the one whose requests come last in the capture that
    has the most of them."""
    there = {*plan.node(probe.source).addresses()}, {*plan.node(probe.to).addresses()}
    echoes = {point: list(_echoes(views, *there)) for point, views in packets.items()}
    requests = {
        point: [view for view in views if view.icmp and view.icmp.type in _ECHO_REQUEST]
        for point, views in echoes.items()
    }
    best = max(requests.values(), key=len, default=[])
    if not best:
        return {point: [] for point in packets}, Sent(
            probe.id, 0, 0, note="no ping between its ends in any capture"
        )
    identifier = _identifier(best[-1])
    mine = {
        point: [view for view in views if _identifier(view) == identifier] for point, views in echoes.items()
    }
    others = Counter(_identifier(view) for view in best)
    note = f"ping with ICMP identifier {identifier}"
    if len(others) > 1:
        note += f" (the last of {len(others)} in these captures)"
    sequences = {
        view.icmp.sequence
        for views in mine.values()
        for view in views
        if view.icmp and view.icmp.type in _ECHO_REQUEST
    }
    return mine, Sent(probe.id, len(sequences), 0, note=note)


def _echoes(views: Sequence[PacketView], ours: set[Address], theirs: set[Address]) -> Iterator[PacketView]:
    for view in views:
        if view.headers and view.icmp and view.icmp.type in _ECHO:
            ends = view.ends
            if (ends[0] in ours and ends[1] in theirs) or (ends[0] in theirs and ends[1] in ours):
                yield view


def _identifier(view: PacketView) -> int | None:
    return view.icmp.identifier if view.icmp else None


def _unicast(mac: str) -> bool:
    return not int(mac[:2], 16) & 1
