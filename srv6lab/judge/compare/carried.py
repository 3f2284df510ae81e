"""Each packet by its identity, along its walk: whether it took one walk of the model, and what a hop may not change.

A packet is told from the others of its probe by its ICMP sequence or its UDP source port, so one that is lost and
another that is doubled are two faults, and so is a flow that goes another way than it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from srv6lab.evidence.fields import CARRIED_OF_FRAMES, CARRIED_OF_HEADERS, PacketField, prefix
from srv6lab.evidence.packets import WRONG, IpHeader, PacketView, Point
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import CountDiffers, FieldDiffers, Item, Status
from srv6lab.judge.compare.parted import parted
from srv6lab.judge.compare.permitted import Spot, always_answered

_REPLIES = frozenset({0, 129})
_UDP = 17
_SHOWN = 3  # of packets with the same fault
Identity = tuple[str, int | None]
Seen = dict[Spot, list[PacketView]]
_ECHOED = ("icmp.identifier", "payload", "echo_time")  # what an answer repeats


def judge_packets(
    found: Found, prediction: Prediction, sound: Collection[Point], failed: bool
) -> Iterator[Item]:
    """Where packets took no walk of the model (not said again if a count has `failed` already), and what changed on
    the way that a hop has to leave alone. At points that aren't `sound` nothing follows from what wasn't seen."""
    legs = by_identity(found.hops)
    judged: dict[Leg, list[tuple[Identity, Trace, Seen]]] = {leg: [] for leg in Leg}
    astray: dict[Spot, list[str]] = {}
    for leg in Leg:
        known = prediction.known(leg)
        walks = [one for one in (*prediction.linux, *prediction.rfc) if one.leg is leg and known]
        due = leg is Leg.THERE or (not prediction.meanwhile and always_answered(prediction))
        for identity in dict.fromkeys((*legs[leg], *(legs[Leg.THERE] if due else ()))) if walks else ():
            seen = legs[leg].get(identity, {})
            arrived = not prediction.meanwhile or (leg is Leg.THERE and identity in legs[Leg.BACK])
            trace, wrong = _nearest(walks, seen, sound, arrived)
            judged[leg].append((identity, trace, seen))
            for spot, words in wrong:
                astray.setdefault(spot, []).append(f"{_named(identity)} {words}")
    if not failed:
        yield from (_astray(spot, words) for spot, words in astray.items())
        if not prediction.meanwhile:  # else what is chosen may change with the lab
            yield from parted([(trace, seen) for one in judged.values() for _, trace, seen in one if seen])
    yield from _changed(judged)


def along_walks(
    leg: Leg, walks: Sequence[Trace], packets: Mapping[Identity, Seen], sound: Collection[Point]
) -> Iterator[Item]:
    """The same for packets that needn't be there: each that is took one of these walks."""
    judged: dict[Leg, list[tuple[Identity, Trace, Seen]]] = {one: [] for one in Leg}
    astray: dict[Spot, list[str]] = {}
    for identity, seen in packets.items():
        trace, wrong = _nearest(walks, seen, sound, True)
        judged[leg].append((identity, trace, seen))
        for spot, words in wrong:
            astray.setdefault(spot, []).append(f"{_named(identity)} {words}")
    yield from (_astray(spot, words) for spot, words in astray.items())
    yield from _changed(judged)


def by_identity(hops: Sequence[Hop]) -> dict[Leg, dict[Identity, Seen]]:
    """A probe's packets by leg, by what tells each from the others, and by where they were seen; without segments of TCP."""
    found: dict[Leg, dict[Identity, Seen]] = {leg: {} for leg in Leg}
    for hop in hops:
        icmp, udp = hop.packet.icmp, hop.packet.udp
        if icmp is None and udp is None:
            continue
        leg = Leg.BACK if icmp and icmp.type in _REPLIES else Leg.THERE
        identity = ("sequence", icmp.sequence) if icmp else ("port", udp.source_port if udp else None)
        seen = found[leg].setdefault(identity, {})
        seen.setdefault((hop.point, hop.direction), []).append(hop.packet)
    return found


def _nearest(
    walks: Sequence[Trace], seen: Seen, sound: Collection[Point], arrived: bool
) -> tuple[Trace, list[tuple[Spot, str]]]:
    """The walk that a packet took, and where it wasn't on it: of one that needn't have `arrived`, up to where it was
    seen last."""
    here = Counter({spot: len(views) for spot, views in seen.items() if spot[0] in sound})
    best: tuple[Trace, list[tuple[Spot, str]]] | None = None
    for walk in walks:
        spots = [spot for spot in _spots(walk) if spot[0] in sound]
        last = len(spots) if arrived else max((n for n, one in enumerate(spots, 1) if here[one]), default=0)
        due, most = Counter(spots[:last]), Counter(spots)
        wrong = [
            (spot, f"seen {here[spot]} times for {due[spot]}")
            for spot in dict.fromkeys((*spots, *here))
            if not due[spot] <= here[spot] <= most[spot]
        ]
        if best is None or len(wrong) < len(best[1]):
            best = walk, wrong
        if not wrong:
            break
    assert best is not None
    return best


def _spots(walk: Trace) -> list[Spot]:
    return [(hop.point, hop.direction) for hop in walk.hops]


def _astray(spot: Spot, words: Sequence[str]) -> Item:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return CountDiffers(
        status=Status.FAIL,
        point=spot[0],
        direction=spot[1],
        field="packets",
        predicted="each packet on one of the walks",
        captured=", ".join(words[:_SHOWN]) + more,
        alone=None,
    )


def _named(identity: Identity) -> str:
    return f"{identity[0]} {identity[1]}"


# --- what a hop has to leave alone


@dataclass(slots=True)
class _Before:
    """What a packet was when it was seen last: its headers by their place from the innermost, and the frame."""

    headers: dict[int, IpHeader]
    packet: PacketView | None = None


def _changed(judged: Mapping[Leg, Sequence[tuple[Identity, Trace, Seen]]]) -> Iterator[Item]:
    """An item for each field at each spot, not for each packet."""
    found: dict[tuple[Spot, str], list[tuple[Identity, str, str]]] = {}
    asked: dict[Identity, PacketView] = {}
    for leg in Leg:
        for identity, trace, seen in judged[leg]:
            views = _along(trace, seen)
            for spot, name, old, new in _of_one(views, asked.get(identity) if leg is Leg.BACK else None):
                found.setdefault((spot, name), []).append((identity, old, new))
            if leg is Leg.THERE and views:
                asked[identity] = views[-1][1]
    for (spot, name), those in found.items():
        yield _change(spot, name, those)


def _of_one(
    views: Sequence[tuple[Spot, PacketView]], asked: PacketView | None
) -> list[tuple[Spot, str, str, str]]:
    """What changed of one packet on its walk, and of an answer also since it was `asked`."""
    before = _Before({})
    found = []
    for spot, packet in views:
        changes = [*_of_headers(before, packet), *_of_frame(before.packet, packet)]
        if asked is not None and before.packet is None:
            changes += _of_frame(asked, packet, _ECHOED)
        found += [(spot, *change) for change in changes]
        before.packet = packet
    return found


def _along(trace: Trace, seen: Seen) -> list[tuple[Spot, PacketView]]:
    """A packet's views in the order of its walk."""
    visits: dict[Spot, int] = {}
    found = []
    for spot in _spots(trace):
        views, visit = seen.get(spot, ()), visits.get(spot, 0)
        if visit < len(views):
            found.append((spot, views[visit]))
        visits[spot] = visit + 1
    return found


def _of_headers(before: _Before, packet: PacketView) -> Iterator[tuple[str, str, str]]:
    """A header is the same one as long as it has the same source: also one that was off for a while."""
    count = len(packet.headers)
    for index, header in enumerate(packet.headers):
        place = count - 1 - index
        old = before.headers.get(place)
        before.headers[place] = header
        if old is None or old.source != header.source:
            continue
        for row in CARRIED_OF_HEADERS:
            was, now = row.read(packet, old), row.read(packet, header)
            if was != now and was is not None and now is not None:
                yield f"{prefix(index, count)}{row.name}", row.words(was), row.words(now)


def _of_frame(
    before: PacketView | None, packet: PacketView, names: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    if before is None:
        return
    for row in CARRIED_OF_FRAMES:
        if names and row.name not in names:
            continue
        was, now = row.read(before, before.innermost), row.read(packet, packet.innermost)
        if was != now and not (_left_to_a_nic(row, before, packet) or _as_a_time(row, before, packet)):
            yield row.name, _words(row, was), _words(row, now)


def _left_to_a_nic(row: PacketField, before: PacketView, packet: PacketView) -> bool:
    """A checksum that wasn't right yet, but the sum that a NIC goes on from, may have been computed since."""
    udp = before.udp
    if row.name != "udp.checksum" or udp is None or udp.checksum_status != WRONG:
        return False
    if packet.udp is None or packet.udp.checksum_status == WRONG:
        return False
    ip = before.innermost
    pseudo = ip.source.packed + ip.destination.packed + (udp.length or 0).to_bytes(4) + _UDP.to_bytes(4)
    total = sum(int.from_bytes(pseudo[at : at + 2]) for at in range(0, len(pseudo), 2))
    return udp.checksum == total % 0xFFFF


def _as_a_time(row: PacketField, before: PacketView, packet: PacketView) -> bool:
    """tshark takes the first bytes of an echo for a time where its frame is of about that time: then what is left of
    the payload has to be the same, and the checksum holds all of it."""
    if row.name not in ("payload", "echo_time") or bool(before.echo_time) == bool(packet.echo_time):
        return False
    one, other = sorted((before.payload, packet.payload), key=len)
    return other.endswith(one) and len(other) - len(one) in (8, 16)


def _words(row: PacketField, value: Any) -> str:
    return "none" if value is None else row.words(value)


def _change(spot: Spot, name: str, changes: Sequence[tuple[Identity, str, str]]) -> Item:
    identity, old, new = changes[0]
    old, new = _where_they_part(old, new) if name == "payload" else (old, new)
    more = f"; {len(changes)} packets have another" if len(changes) > 1 else ""
    return FieldDiffers(
        status=Status.FAIL,
        point=spot[0],
        direction=spot[1],
        field=name,
        predicted=f"{old} as before",
        captured=new,
        alone="captured",
        note=f"{_named(identity)} had it otherwise a hop earlier{more}",
    )


def _where_they_part(old: str, new: str) -> tuple[str, str]:
    """Bytes in hex from the first that differs, so that a line holds them."""
    at = next((n for n in range(0, min(len(old), len(new)), 2) if old[n : n + 2] != new[n : n + 2]), 0)
    return tuple(f"byte {at // 2}: {one[at : at + 8]}" for one in (old, new))  # type: ignore[return-value]
