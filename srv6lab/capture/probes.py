"""How the packets of probes are found again in captures: ours carry a random token in their payload, and of a ping that
a learner typed `typed_pings` knows more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from srv6lab.capture.typed_pings import TypedPing, typed_pings
from srv6lab.evidence.packets import Address, Direction, Message, PacketView, Point
from srv6lab.evidence.prediction import Hop
from srv6lab.plan.nodes import Nic, Plan
from srv6lab.topology.exercises import Probe

if TYPE_CHECKING:
    from srv6lab.capture.reading import Capture  # and with it pyshark, which is slow to import
from srv6lab.evidence.probes import Found, Sent, port_of


def find_all(
    plan: Plan, probes: Sequence[Probe], captures: Mapping[Point, Capture], sent: Mapping[str, Sent]
) -> dict[str, Found]:
    """The packets of each probe, all of an exercise: by its token if we sent it, else as a ping between its ends."""
    packets = {point: capture.packets for point, capture in captures.items()}
    typed = typed_pings(plan, [one for one in probes if not _is_ours(sent.get(one.id))], packets)
    found = {}
    for probe in probes:
        said = sent.get(probe.id)
        one = _ours(probe, said, packets) if said and _is_ours(said) else typed[probe.id]
        mine = _directed(plan, captures, one.packets, one.sent)
        errors = _directed(plan, captures, one.errors, one.sent)
        found[probe.id] = replace(mine, errors=errors.hops, doubtful=one.doubtful, counted=probe.kind.counted)
    return found


def _ours(probe: Probe, said: Sent, packets: Mapping[Point, Sequence[PacketView]]) -> TypedPing:
    """By the token in each packet, or by the ports of a transfer, half of whose packets carry nothing."""
    if probe.kind.counted:
        token = bytes.fromhex(said.token)
        return TypedPing(said, _by_token(packets, token), _by_token(packets, token, quoted=True))
    ports = {port_of(said.token), probe.port}
    mine = {at: [one for one in views if _ports(one) == ports] for at, views in packets.items()}
    errors = {
        at: [one for one in views if one.quoted and _ports(one.quoted) == ports]
        for at, views in packets.items()
    }
    return TypedPing(said, mine, errors)


def _ports(view: PacketView) -> set[int | None]:
    return {view.tcp.source_port, view.tcp.destination_port} if view.tcp else set()


def _is_ours(sent: Sent | None) -> bool:
    return sent is not None and bool(sent.token)


def _directed(
    plan: Plan, captures: Mapping[Point, Capture], mine: Mapping[Point, Sequence[PacketView]], sent: Sent
) -> Found:
    ours = _is_ours(sent)
    hops: list[Hop] = []
    undirected = []
    nics = {nic.point: nic for nic in plan.traced()}
    far_ends = plan.far_ends()
    for point, found in mine.items():
        if not found:
            continue
        nic, far = nics[point], far_ends[point]
        own, theirs = _macs(nic, far, None if ours else captures[point])
        found = [view for view in found if not _passes_by(nic, own, view)]
        told = {view.outgoing for view in captures[point].packets} >= {True, False}
        directed = [(_direction(view, own, theirs, told), view) for view in found]
        if any(direction is None for direction, _ in directed):
            undirected.append(point)
            continue
        if not ours and (own or theirs):
            two = {own: nic.mac, theirs: far[0].mac}
            macs = _bridge_macs(nic, far, captures[point]) if nic.bridged else two
            directed = [(direction, _renamed(view, macs)) for direction, view in directed]
        hops += [Hop(point, direction, view) for direction, view in directed if direction]
    return Found(sent, tuple(hops), tuple(undirected))


def _macs(nic: Nic, others: Sequence[Nic], capture: Capture | None) -> tuple[str | None, str | None]:
    """The MACs of a NIC and of the far end of its wire, by the plan or as they are in a capture; of a bridge there is no
    one far end. What a circuit sends has those of nodes behind SRv6, so its own isn't known."""
    far = others[0]
    if nic.bridged:
        return nic.mac if capture is None else own_mac(nic, far, capture), None
    own, theirs = (
        (nic.mac, far.mac) if capture is None else (own_mac(nic, far, capture), own_mac(far, nic, capture))
    )
    return None if nic.circuit else own, None if far.circuit else theirs


def _passes_by(nic: Nic, own: str | None, view: PacketView) -> bool:
    """Whether a bridge brought a packet that is between other ends: it floods what is for a MAC that it doesn't know."""
    macs = view.source_mac, view.destination_mac
    return nic.bridged and bool(own) and all(macs) and own not in macs and _unicast(macs[1])


def _bridge_macs(nic: Nic, others: Sequence[Nic], capture: Capture) -> dict[str | None, str]:
    """The plan's MAC for that of each end of a bridge which is known in a capture."""
    ends = (nic, *others)
    return {own_mac(one, others[0], capture): one.mac for one in ends if one is not others[0]} | {
        own_mac(others[0], nic, capture): others[0].mac
    }


def _renamed(view: PacketView, macs: Mapping[str | None, str]) -> PacketView:
    """With the plan's MACs for those of the two ends of a link: which those are in a capture from elsewhere was found
    out, and where it wasn't nothing is said of the other end."""
    if (
        macs.get(view.source_mac) == view.source_mac
        and macs.get(view.destination_mac) == view.destination_mac
    ):
        return view
    if len({*macs} - {None}) == 2:
        source, destination = view.source_mac, view.destination_mac
    else:
        source = destination = ""
    return replace(
        view,
        source_mac=macs.get(view.source_mac, source),
        destination_mac=macs.get(view.destination_mac, destination),
        headers=tuple(replace(one, frame_source=None, frame_destination=None) for one in view.headers),
    )


def _direction(view: PacketView, own: str | None, theirs: str | None, told: bool) -> Direction | None:
    """By the sender's MAC: a NIC's own, or else that of the far end. Without one by the tracer's word, if it has both
    words in it (`told`): files exist that say of each packet that it came in."""
    if view.source_mac and theirs and not own:
        return Direction.IN if view.source_mac == theirs else Direction.OUT
    if view.source_mac and own:
        return Direction.OUT if view.source_mac == own else Direction.IN
    if told and view.outgoing is not None:
        return Direction.OUT if view.outgoing else Direction.IN
    return None


def directions(plan: Plan, captures: Mapping[Point, Capture]) -> dict[Point, dict[int, Direction]]:
    """Which way the packets of each capture went, by their numbers; those of which nothing tells it are left out."""
    far_ends = plan.far_ends()
    found: dict[Point, dict[int, Direction]] = {}
    for nic in plan.traced():
        if capture := captures.get(nic.point):
            own, theirs = _macs(nic, far_ends[nic.point], capture)
            told = {view.outgoing for view in capture.packets} >= {True, False}
            known = [(view.number, _direction(view, own, theirs, told)) for view in capture.packets]
            known += [
                (number, Direction.OUT if mac == own else Direction.IN)
                for number, mac in capture.others
                if own
            ]
            found[nic.point] = {number: direction for number, direction in known if direction}
    return found


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


def _speaker(speakers: Mapping[Address, str], nic: Nic) -> str | None:
    """The MAC that speaks for one of the NIC's addresses."""
    return next((speakers[one.ip] for one in nic.addresses if one.ip in speakers), None)


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
    if own := _speaker(speakers, nic):
        return own
    if theirs := _speaker(speakers, peer):
        others = {
            mac
            for pair in pairs
            for mac in pair
            if theirs in pair and mac not in (theirs, "") and _unicast(mac)
        }
        if len(others) == 1:
            return others.pop()
    return None


def _by_token(
    packets: Mapping[Point, Sequence[PacketView]], token: bytes, *, quoted: bool = False
) -> dict[Point, list[PacketView]]:
    """The packets that carry it, or the errors that quote one."""
    if quoted:
        return {
            at: [one for one in views if one.quoted and token in one.quoted.payload]
            for at, views in packets.items()
        }
    return {at: [one for one in views if token in one.payload] for at, views in packets.items()}


def _unicast(mac: str) -> bool:
    return not int(mac[:2], 16) & 1
