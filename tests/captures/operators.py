"""What may be wrong with a captured packet, one thing at a time: operators on the bytes of frames.

An operator takes a dice, the frames of a right run by trace (`Scene`), and gives the frames of traces that are others
now, or None where the run has nothing to change. Its `wants` are the verdicts that are right for it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

from srv6lab.evidence.verdict import Status
from tests.captures.frames import checksum

FAIL = frozenset({Status.FAIL})
UNREADABLE = frozenset({Status.FAIL, Status.INCONCLUSIVE})
EQUAL = frozenset({Status.PASS})

Frame = bytes
Frames = Mapping[str, tuple[Frame, ...]]
Edit = Callable[[Random, Frame, int], Frame]


@dataclass(frozen=True, slots=True)
class Layer:
    """A header in a frame: its name, and where it stands."""

    name: str
    at: int


def layers(frame: Frame) -> Iterator[Layer]:
    """The headers of a frame from the outside in; `payload` is what stands behind the last."""
    yield Layer("eth", 0)
    kind, at = {b"\x86\xdd": 41, b"\x08\x00": 4}.get(frame[12:14], -1), 14
    while at < len(frame):
        if kind == 41:
            yield Layer("ip6", at)
            kind, at = frame[at + 6], at + 40
        elif kind == 4:
            yield Layer("ip4", at)
            kind, at = frame[at + 9], at + (frame[at] & 15) * 4
        elif kind == 43:
            yield Layer("srh", at)
            kind, at = frame[at], at + 8 + frame[at + 1] * 8
        elif kind in (1, 17, 58):
            yield Layer({1: "icmp", 17: "udp", 58: "icmp6"}[kind], at)
            kind, at = -1, at + 8
        else:
            yield Layer("payload", at)
            return


@dataclass(frozen=True)
class Scene:
    """A right run: `frames` by trace, `probes` the numbers of those that are some probe's, and `tokens`."""

    frames: Frames
    probes: Mapping[str, tuple[int, ...]]
    tokens: tuple[bytes, ...]

    def places(self, layer: str) -> list[tuple[str, int]]:
        return self._places.get(layer, [])

    @cached_property
    def _places(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for trace, numbers in self.probes.items():
            for number in numbers:
                for name in dict.fromkeys(one.name for one in layers(self.frames[trace][number])):
                    found.setdefault(name, []).append((trace, number))
        return found


@dataclass(frozen=True, slots=True)
class Operator:
    """`at_one` says why one capture alone may not show it, `meanwhile` why a run in which the lab changes may not: then
    it is some right run's for all that is known."""

    name: str
    wants: frozenset[Status]
    change: Callable[[Random, Scene], dict[str, list[Frame]] | None]
    at_one: str = ""
    meanwhile: str = ""


# --- a field of one frame


def mend_ip4(frame: Frame, at: int) -> Frame:
    end = at + (frame[at] & 15) * 4
    blank = frame[at : at + 10] + b"\0\0" + frame[at + 12 : end]
    return frame[: at + 10] + struct.pack("!H", checksum(blank)) + frame[at + 12 :]


def mend_transport(frame: Frame) -> Frame:
    """The checksum of the innermost transport, over its pseudo header where it has one."""
    found = list(layers(frame))
    index = next((n for n, one in enumerate(found) if one.name in ("icmp", "icmp6", "udp")), None)
    if index is None:
        return frame
    one, ip = found[index], next(x for x in reversed(found[:index]) if x.name in ("ip4", "ip6"))
    end = ip.at + (
        40 + int.from_bytes(frame[ip.at + 4 : ip.at + 6])
        if ip.name == "ip6"
        else int.from_bytes(frame[ip.at + 2 : ip.at + 4])
    )
    spot = one.at + (6 if one.name == "udp" else 2)
    blank = frame[one.at : spot] + b"\0\0" + frame[spot + 2 : end]
    number = {"icmp": 1, "icmp6": 58, "udp": 17}[one.name]
    addresses = frame[ip.at + 8 : ip.at + 40] if ip.name == "ip6" else frame[ip.at + 12 : ip.at + 20]
    pseudo = b"" if one.name == "icmp" else addresses + struct.pack("!II", len(blank), number)
    return frame[:spot] + struct.pack("!H", checksum(pseudo + blank)) + frame[spot + 2 :]


def _flip(at: int, mask: bytes) -> Edit:
    """Turn some of the bits of a mask, `at` bytes behind where a layer begins."""

    def edit(dice: Random, frame: Frame, begin: int) -> Frame:
        whole = int.from_bytes(mask)
        turned = 0
        while not turned:
            turned = dice.getrandbits(whole.bit_length()) & whole
        spot = begin + at
        old = int.from_bytes(frame[spot : spot + len(mask)])
        return frame[:spot] + (old ^ turned).to_bytes(len(mask)) + frame[spot + len(mask) :]

    return edit


def _in_one(
    layer: str, edit: Edit, mend: str = ""
) -> Callable[[Random, Scene], dict[str, list[Frame]] | None]:
    def change(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
        places = scene.places(layer)
        if not places:
            return None
        trace, number = dice.choice(places)
        frame = scene.frames[trace][number]
        at = dice.choice([one.at for one in layers(frame) if one.name == layer])
        changed = edit(dice, frame, at)
        if "ip4" in mend:
            changed = mend_ip4(changed, at)
        if "transport" in mend:
            changed = mend_transport(changed)
        return None if changed == frame else _with(scene, trace, number, changed)

    return change


def _with(scene: Scene, trace: str, number: int, frame: Frame) -> dict[str, list[Frame]]:
    frames = list(scene.frames[trace])
    frames[number] = frame
    return {trace: frames}


_FIELDS: tuple[tuple[str, str, int, bytes, frozenset[Status]], ...] = (
    ("eth", "destination", 0, b"\x00" + b"\xff" * 5, FAIL),
    ("eth", "destination's group bit", 0, b"\x01", FAIL),
    ("eth", "source", 6, b"\x00" + b"\xff" * 5, FAIL),
    ("eth", "type", 12, b"\xff\xff", FAIL),
    ("ip6", "version", 0, b"\xf0", UNREADABLE),
    ("ip6", "DSCP", 0, b"\x0f\xc0", FAIL),
    ("ip6", "ECN", 1, b"\x30", FAIL),
    ("ip6", "flow label", 1, b"\x0f\xff\xff", FAIL),
    ("ip6", "payload length", 4, b"\xff\xff", UNREADABLE),
    ("ip6", "next header", 6, b"\xff", UNREADABLE),
    ("ip6", "hop limit", 7, b"\xff", FAIL),
    ("ip6", "hop limit by one", 7, b"\x01", FAIL),
    ("ip6", "source", 8, b"\xff" * 16, FAIL),
    ("ip6", "source's last bits", 22, b"\x00\x0f", FAIL),
    ("ip6", "destination", 24, b"\xff" * 16, FAIL),
    ("ip6", "destination's last bits", 38, b"\x00\x0f", FAIL),
    ("srh", "next header", 0, b"\xff", UNREADABLE),
    ("srh", "length", 1, b"\xff", UNREADABLE),
    ("srh", "length by one", 1, b"\x01", UNREADABLE),
    ("srh", "routing type", 2, b"\xff", UNREADABLE),
    ("srh", "segments left", 3, b"\xff", UNREADABLE),
    ("srh", "segments left by one", 3, b"\x01", UNREADABLE),
    ("srh", "last entry", 4, b"\xff", UNREADABLE),
    ("srh", "flags", 5, b"\xdf", FAIL),
    ("srh", "O-flag", 5, b"\x20", FAIL),
    ("srh", "tag", 6, b"\xff\xff", FAIL),
    ("srh", "first of the segment list", 8, b"\xff" * 16, FAIL),
    ("srh", "a function in the segment list", 16, b"\xff\xff", FAIL),
    ("ip4", "version", 0, b"\xf0", UNREADABLE),
    ("ip4", "header length", 0, b"\x0f", UNREADABLE),
    ("ip4", "DSCP", 1, b"\xfc", FAIL),
    ("ip4", "ECN", 1, b"\x03", FAIL),
    ("ip4", "total length", 2, b"\xff\xff", UNREADABLE),
    ("ip4", "ID", 4, b"\xff\xff", FAIL),
    ("ip4", "reserved flag", 6, b"\x80", FAIL),
    ("ip4", "DF", 6, b"\x40", FAIL),
    ("ip4", "MF", 6, b"\x20", UNREADABLE),
    ("ip4", "fragment offset", 6, b"\x1f\xff", UNREADABLE),
    ("ip4", "TTL", 8, b"\xff", FAIL),
    ("ip4", "TTL by one", 8, b"\x01", FAIL),
    ("ip4", "protocol", 9, b"\xff", UNREADABLE),
    ("ip4", "checksum", 10, b"\xff\xff", FAIL),
    ("ip4", "source", 12, b"\xff" * 4, FAIL),
    ("ip4", "destination", 16, b"\xff" * 4, FAIL),
    *(
        row
        for name in ("icmp", "icmp6")
        for row in (
            (name, "type", 0, b"\xff", UNREADABLE),
            (name, "code", 1, b"\xff", FAIL),
            (name, "checksum", 2, b"\xff\xff", FAIL),
            (name, "identifier", 4, b"\xff\xff", FAIL),
            (name, "sequence", 6, b"\xff\xff", FAIL),
        )
    ),
    ("udp", "source port", 0, b"\xff\xff", FAIL),
    ("udp", "destination port", 2, b"\xff\xff", FAIL),
    ("udp", "length", 4, b"\xff\xff", UNREADABLE),
    ("udp", "checksum", 6, b"\xff\xff", FAIL),
    ("payload", "first byte", 0, b"\xff", FAIL),
    ("payload", "ninth byte", 8, b"\xff", FAIL),
    ("payload", "17th byte", 16, b"\xff", FAIL),
    ("payload", "33rd byte", 32, b"\xff", FAIL),
)
_MENDED = {
    "ip4": "ip4",
    "icmp": "transport",
    "icmp6": "transport",
    "udp": "transport",
    "payload": "transport",
}


_FREE = "its sender chooses it, and this is the only place where it is seen"
_EARLIER = "what was lost on the way may have been lost a hop earlier"
_FEWER = "a ping of fewer packets and another's frame, or an ICMP error that wasn't sent"
_AT_BIRTH = {
    ("eth", "type"): _FEWER,
    ("ip6", "flow label"): _FREE,
    ("ip4", "ID"): _FREE,
    **{(layer, name): _FREE for layer in ("icmp", "icmp6") for name in ("identifier", "sequence")},
    ("udp", "source port"): _FREE,
    **{("payload", f"{name} byte"): _FREE for name in ("first", "ninth", "17th", "33rd")},
}


def _fields() -> Iterator[Operator]:
    """A change of each field; where a checksum covers it, with that left as it was and with it computed again."""
    for layer, name, at, mask, wants in _FIELDS:
        free = _AT_BIRTH.get((layer, name), "") if layer not in _MENDED else ""
        yield Operator(f"{layer} {name}", wants, _in_one(layer, _flip(at, mask)), free)
        if layer in _MENDED and name not in ("checksum", "version", "header length"):
            mended = _in_one(layer, _flip(at, mask), _MENDED[layer])
            yield Operator(
                f"{layer} {name}, checksum mended", wants, mended, _AT_BIRTH.get((layer, name), "")
            )
    for layer in ("ip6", "ip4"):  # of an address, with the checksum of what is in it
        at, size = (8, 16) if layer == "ip6" else (12, 4)
        change = _in_one(
            layer, _flip(at, b"\xff" * size * 2), "ip4 transport" if layer == "ip4" else "transport"
        )
        yield Operator(f"{layer} addresses, all checksums mended", FAIL, change)


# --- headers and payloads of other lengths


def _grow(frame: Frame, until: int, by: int) -> Frame:
    """The length fields of all IP headers that begin before an offset, with so many bytes more."""
    for one in list(layers(frame)):
        if one.at < until and one.name in ("ip6", "ip4"):
            spot = one.at + (4 if one.name == "ip6" else 2)
            size = int.from_bytes(frame[spot : spot + 2]) + by
            frame = frame[:spot] + size.to_bytes(2) + frame[spot + 2 :]
            frame = mend_ip4(frame, one.at) if one.name == "ip4" else frame
    return frame


def _put_in(frame: Frame, at: int, added: bytes, removed: int = 0) -> Frame:
    grown = _grow(frame, at, len(added) - removed)
    return grown[:at] + added + grown[at + removed :]


def _a_tlv(_: Random, frame: Frame, at: int) -> Frame:
    end = at + 8 + frame[at + 1] * 8
    longer = _put_in(frame, end, b"\x04\x06" + bytes(6))
    return longer[: at + 1] + bytes([frame[at + 1] + 1]) + longer[at + 2 :]


def _a_segment_more(dice: Random, frame: Frame, at: int) -> Frame:
    longer = _put_in(frame, at + 8, dice.randbytes(16))
    return longer[: at + 1] + bytes([frame[at + 1] + 2]) + longer[at + 2 : at + 4] + bytes([frame[at + 4] + 1]) + longer[at + 5 :]  # fmt: skip


def _segments_exchanged(dice: Random, frame: Frame, at: int) -> Frame:
    count = frame[at + 4] + 1
    if count < 2:
        return frame
    first = dice.randrange(count - 1)
    spot = at + 8 + first * 16
    return frame[:spot] + frame[spot + 16 : spot + 32] + frame[spot : spot + 16] + frame[spot + 32 :]


def _no_srh(_: Random, frame: Frame, at: int) -> Frame:
    ip = next((one.at for one in reversed(list(layers(frame))) if one.name == "ip6" and one.at < at), 0)
    shorter = _put_in(frame, at, b"", 8 + frame[at + 1] * 8)
    return shorter[: ip + 6] + frame[at : at + 1] + shorter[ip + 7 :] if frame[ip + 6] == 43 else frame


def _an_srh_more(_: Random, frame: Frame, at: int) -> Frame:
    srh = frame[at + 6 : at + 7] + bytes([2, 4, 0, 0, 0, 0, 0]) + frame[at + 24 : at + 40]
    longer = _put_in(frame, at + 40, srh)
    return longer[: at + 6] + b"\x2b" + longer[at + 7 :]


def _longer(dice: Random, frame: Frame, at: int) -> Frame:
    return mend_transport(_put_in(frame, len(frame), dice.randbytes(dice.randint(1, 40))))


def _shorter(dice: Random, frame: Frame, at: int) -> Frame:
    gone = dice.randint(1, max(1, min(30, len(frame) - at - 20)))
    return mend_transport(_put_in(frame, len(frame) - gone, b"", gone))


def _cut(dice: Random, frame: Frame, at: int) -> Frame:
    return frame[: dice.randint(40, len(frame) - 1)]


def _tail(dice: Random, frame: Frame, at: int) -> Frame:
    return frame + bytes(dice.randint(1, 40))


def _to_another_nic(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    trace, number = dice.choice(scene.places("eth"))
    frame = scene.frames[trace][number]
    others = sorted({one[6:12] for seen in scene.frames.values() for one in seen} - {frame[:6], frame[6:12]})
    return _with(scene, trace, number, dice.choice(others) + frame[6:]) if others else None


def _turned_round(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    trace, number = dice.choice(scene.places("eth"))
    frame = scene.frames[trace][number]
    return _with(scene, trace, number, frame[6:12] + frame[:6] + frame[12:])


# --- packets


def _dropped(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    trace, number = dice.choice(scene.places("eth"))
    frames = scene.frames[trace]
    return {trace: [*frames[:number], *frames[number + 1 :]]}


def _doubled(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    trace, number = dice.choice(scene.places("eth"))
    frames = scene.frames[trace]
    return {trace: [*frames[: number + 1], *frames[number:]]}


def _replaced_by_its_sibling(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    """One lost and another doubled: as many as there must be."""
    trace, number = dice.choice(scene.places("eth"))
    frame = scene.frames[trace][number]
    alike = [
        scene.frames[trace][n]
        for n in scene.probes[trace]
        if scene.frames[trace][n][:14] == frame[:14] and len(scene.frames[trace][n]) == len(frame)
    ]
    others = [one for one in alike if one != frame]
    return _with(scene, trace, number, dice.choice(others)) if others else None


def _another_probe_s(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    """The same packet with another probe's token."""
    trace, number = dice.choice(scene.places("eth"))
    frame = scene.frames[trace][number]
    mine = [token for token in scene.tokens if token in frame]
    others = [token for token in scene.tokens if token not in mine]
    if not others or not mine:
        return None
    return _with(scene, trace, number, mend_transport(frame.replace(mine[0], dice.choice(others))))


def _all_gone(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    trace = dice.choice([one for one, numbers in scene.probes.items() if numbers])
    gone = set(scene.probes[trace])
    return {trace: [frame for n, frame in enumerate(scene.frames[trace]) if n not in gone]}


def _two_places(dice: Random, scene: Scene) -> tuple[tuple[str, int], tuple[str, int]] | None:
    """Two frames of two traces that differ behind their Ethernet headers or in them."""
    places = scene.places("eth")
    one = dice.choice(places)
    frame = scene.frames[one[0]][one[1]]
    others = [(t, n) for t, n in places if t != one[0] and scene.frames[t][n] != frame]
    return (one, dice.choice(others)) if others else None


def _exchanged(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    if (found := _two_places(dice, scene)) is None:
        return None
    (a, m), (b, n) = found
    first, second = scene.frames[a][m], scene.frames[b][n]
    return _with(scene, a, m, second) | _with(scene, b, n, first)


def _moved(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    if (found := _two_places(dice, scene)) is None:
        return None
    (a, m), (b, _) = found
    frames = scene.frames[a]
    return {a: [*frames[:m], *frames[m + 1 :]], b: [*scene.frames[b], frames[m]]}


def _copied(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    if (found := _two_places(dice, scene)) is None:
        return None
    (a, m), (b, _) = found
    return {b: [*scene.frames[b], scene.frames[a][m]]}


def _a_hop_late(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    """A frame as it looks elsewhere, in the place of what it is here."""
    if (found := _two_places(dice, scene)) is None:
        return None
    (a, m), (b, n) = found
    theirs = scene.frames[b][n]
    mine = scene.frames[a][m]
    if theirs[12:] == mine[12:]:
        return None
    return _with(scene, a, m, mine[:12] + theirs[12:])


def _reordered(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    """The frames of each probe, but the probes one after the other as they were sent."""
    trace = dice.choice(list(scene.frames))
    groups: dict[bytes, list[Frame]] = {}
    for frame in scene.frames[trace]:
        groups.setdefault(next((one for one in scene.tokens if one in frame), b""), []).append(frame)
    for group in groups.values():
        dice.shuffle(group)
    return {trace: [frame for group in groups.values() for frame in group]}


def _foreign(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    """What is no probe's: a datagram between addresses that no lab has."""
    trace, number = dice.choice(scene.places("eth"))
    body = struct.pack("!HHHH", 9, 9, 40, 0) + dice.randbytes(32)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 60, dice.getrandbits(16), 0, 64, 17, 0) + b"\xc0\0\2\1\xc0\0\2\2"
    frame = scene.frames[trace][number][:12] + b"\x08\x00" + mend_ip4(head + body, 0)
    return {trace: [*scene.frames[trace], frame]}


def _tagged(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    trace = dice.choice(list(scene.frames))
    tag = b"\x81\x00" + dice.randrange(1, 4095).to_bytes(2)
    return {trace: [frame[:12] + tag + frame[12:] for frame in scene.frames[trace]]}


def _same(dice: Random, scene: Scene) -> dict[str, list[Frame]] | None:
    """The same frames, read again."""
    trace = dice.choice(list(scene.frames))
    return {trace: list(scene.frames[trace])}


OPERATORS = (
    *_fields(),
    Operator("srh with a TLV more", FAIL, _in_one("srh", _a_tlv)),
    Operator("srh with a segment more", UNREADABLE, _in_one("srh", _a_segment_more)),
    Operator("srh with two segments exchanged", FAIL, _in_one("srh", _segments_exchanged)),
    Operator("srh taken off", FAIL, _in_one("srh", _no_srh)),
    Operator("srh put in", FAIL, _in_one("ip6", _an_srh_more)),
    Operator("payload longer", FAIL, _in_one("payload", _longer)),
    Operator("payload shorter", FAIL, _in_one("payload", _shorter)),
    Operator("frame cut on the wire", UNREADABLE, _in_one("eth", _cut)),
    Operator("addressed to another NIC of the lab", FAIL, _to_another_nic),
    Operator("MACs exchanged", FAIL, _turned_round),
    Operator("packet dropped", FAIL, _dropped, _FEWER, _EARLIER),
    Operator("packet doubled", FAIL, _doubled),
    Operator("one lost, one doubled", FAIL, _replaced_by_its_sibling),
    Operator("replaced by another probe's", FAIL, _another_probe_s, _FREE),
    Operator("all packets of a NIC gone", FAIL, _all_gone, meanwhile=_EARLIER),
    Operator("packets of two NICs exchanged", FAIL, _exchanged),
    Operator("packet moved to another NIC", FAIL, _moved),
    Operator("packet copied to another NIC", FAIL, _copied),
    Operator("packet as it looks elsewhere", FAIL, _a_hop_late),
    Operator("frames reordered", EQUAL, _reordered),
    Operator("a foreign packet more", EQUAL, _foreign),
    Operator("padding behind the IP packet", EQUAL, _in_one("eth", _tail)),
    Operator("all frames tagged", EQUAL, _tagged),
    Operator("read again, at another time", EQUAL, _same),
)
