"""The fields of a packet: a row each, from Ethernet to the payload, which says what a hop may do to it.

A row says how a field is read off a packet and how it is worded; an author's value is worded by the same row. Of which
header an author may name it, the topology's model says: `PacketExpectation` of the outermost, `Middle` and `Inner` of
those within. Headers are counted from the innermost where a packet is held against itself a hop earlier, so that
pushing and popping outer ones keeps the pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from srv6lab.evidence.packets import RIGHT, WRONG, Icmp, IpHeader, PacketView, Srh, Tcp, Udp
from srv6lab.topology.expectations import Inner, Middle, PacketExpectation

NONE = "none"
O_FLAG = 0x20  # of an SRH (RFC 9259 section 2.1)

Read = Callable[[PacketView, IpHeader], Any]


class Hop(StrEnum):
    """What a hop may do to a field."""

    PREDICTED = "as the model says"
    CARRIED = "nothing: it must be what it was a hop earlier"


@dataclass(frozen=True, slots=True)
class PacketField:
    """`read` takes the packet and the one of its IP headers that is meant; None for what isn't there. Of what is
    carried the model says nothing: it is the sender's own affair."""

    name: str
    read: Read
    words: Callable[[Any], str] = str
    hop: Hop = Hop.PREDICTED

    def describe(self, packet: PacketView, header: IpHeader | None) -> str:
        value = None if header is None else self.read(packet, header)
        return NONE if value is None else self.words(value)


def _frame(read: Callable[[PacketView], Any]) -> Read:
    return lambda packet, header: read(packet)


def _ip(read: Callable[[IpHeader], Any]) -> Read:
    return lambda packet, header: read(header)


def _srh(read: Callable[[Srh], Any]) -> Read:
    return lambda packet, header: None if header.srh is None else read(header.srh)


def _icmp(read: Callable[[Icmp], Any]) -> Read:
    return lambda packet, header: None if packet.icmp is None else read(packet.icmp)


def _udp(read: Callable[[Udp], Any]) -> Read:
    return lambda packet, header: None if packet.udp is None else read(packet.udp)


def _tcp(read: Callable[[Tcp], Any]) -> Read:
    return lambda packet, header: None if packet.tcp is None else read(packet.tcp)


def _listed(segments: tuple[object, ...]) -> str:
    return ", ".join(map(str, segments)) or NONE


def _flag(value: bool) -> str:
    return "set" if value else "not set"


def _judged(status: int | None) -> str | None:
    """Nothing of a checksum that tshark hasn't computed."""
    return {RIGHT: "right", WRONG: "wrong"}.get(-1 if status is None else status)


# What an author may name, in the order in which it is judged.
NAMED = (
    PacketField("source", _ip(lambda header: header.source)),
    PacketField("destination", _ip(lambda header: header.destination)),
    PacketField("hop_limit", _ip(lambda header: header.hop_limit)),
    PacketField("protocol", _ip(lambda header: header.protocol)),
    PacketField("segment_list", _srh(lambda srh: srh.segment_list), _listed),
    PacketField("segments_left", _srh(lambda srh: srh.segments_left)),
    PacketField("next_header", _ip(lambda header: header.next_header)),
    PacketField("length", _frame(lambda packet: packet.ip_length or None)),
    PacketField("oam", _srh(lambda srh: bool(srh.flags & O_FLAG)), _flag),
    PacketField("tag", _srh(lambda srh: srh.tag)),
    PacketField("hmac", _srh(lambda srh: srh.hmac)),
    PacketField("flow_label", _ip(lambda header: header.flow_label), hop=Hop.CARRIED),
)
# The rest of each IP header and of its SRH; of what isn't there nothing is said.
OF_HEADERS = (
    PacketField("version", _ip(lambda header: header.version)),
    PacketField("header_length", _ip(lambda header: header.header_length)),
    PacketField("traffic_class", _ip(lambda header: header.traffic_class), hex),
    PacketField("length_field", _ip(lambda header: header.length_field)),
    PacketField("flags", _ip(lambda header: header.flags), "{:03b}".format),
    PacketField("fragment_offset", _ip(lambda header: header.fragment_offset)),
    PacketField("checksum", _ip(lambda header: _judged(header.checksum_status))),
    PacketField("identification", _ip(lambda header: header.identification), hop=Hop.CARRIED),
    PacketField("frame.source_mac", _ip(lambda header: header.frame_source)),
    PacketField("frame.destination_mac", _ip(lambda header: header.frame_destination)),
    PacketField("srh.hdr_ext_len", _srh(lambda srh: srh.hdr_ext_len)),
    PacketField("srh.last_entry", _srh(lambda srh: srh.last_entry)),
    PacketField("srh.flags", _srh(lambda srh: srh.flags), hex),
    PacketField("srh.tag", _srh(lambda srh: srh.tag)),
    PacketField("srh.tlvs", _srh(lambda srh: srh.tlvs), bytes.hex),
)
# What a frame has once, in front of its IP headers and behind them.
OF_FRAMES = (
    PacketField("source_mac", _frame(lambda packet: packet.source_mac or None)),
    PacketField("destination_mac", _frame(lambda packet: packet.destination_mac or None)),
    PacketField("icmp.type", _icmp(lambda icmp: icmp.type)),
    PacketField("icmp.code", _icmp(lambda icmp: icmp.code)),
    PacketField("icmp.checksum", _icmp(lambda icmp: _judged(icmp.checksum_status))),
    PacketField("icmp.identifier", _icmp(lambda icmp: icmp.identifier), hop=Hop.CARRIED),
    PacketField("icmp.sequence", _icmp(lambda icmp: icmp.sequence), hop=Hop.CARRIED),
    PacketField("icmp.checksum", _icmp(lambda icmp: icmp.checksum), hex, Hop.CARRIED),
    PacketField("udp.destination_port", _udp(lambda udp: udp.destination_port)),
    PacketField("udp.length", _udp(lambda udp: udp.length)),
    PacketField("udp.source_port", _udp(lambda udp: udp.source_port), hop=Hop.CARRIED),
    PacketField("udp.checksum", _udp(lambda udp: udp.checksum), hex, Hop.CARRIED),
    PacketField("tcp.source_port", _tcp(lambda tcp: tcp.source_port)),
    PacketField("tcp.destination_port", _tcp(lambda tcp: tcp.destination_port)),
    PacketField("echo_time", _frame(lambda packet: packet.echo_time or None), hop=Hop.CARRIED),
    PacketField("payload", _frame(lambda packet: packet.payload), bytes.hex, Hop.CARRIED),
)

# What a question may ask for (topology/questions.py): in words of its own where those above have others.
_ASKED = {row.name.removeprefix("srh."): row for row in (*OF_HEADERS, *NAMED)} | {
    "payload_length": PacketField(
        "payload_length", _ip(lambda header: header.length_field if header.version == 6 else None)
    ),
    "source_mac": PacketField(
        "source_mac", lambda packet, header: _mac(packet, header, packet.source_mac, header.frame_source)
    ),
    "destination_mac": PacketField(
        "destination_mac",
        lambda packet, header: _mac(packet, header, packet.destination_mac, header.frame_destination),
    ),
}


def _mac(packet: PacketView, header: IpHeader, outer: str, held: str | None) -> str | None:
    """Of the frame, or of the one that a packet holds."""
    return (outer if header is packet.outer else held) or None


def asked(packet: PacketView, name: str) -> Any:
    """The value that a packet has for a question: `hop_limit`, `middle.tag`, `inner.source`; None for what isn't there."""
    within, _, name = name.rpartition(".")
    count = len(packet.headers)
    index = {"": 0, "middle": 1 if count > 2 else count, "inner": count - 1 if count > 1 else count}[within]
    return _ASKED[name].read(packet, packet.headers[index]) if index < count else None


def _of(model: type[PacketExpectation | Inner]) -> tuple[PacketField, ...]:
    return tuple(row for row in NAMED if row.name in model.model_fields)


OUTER, MIDDLE, INNER = _of(PacketExpectation), _of(Middle), _of(Inner)
_NOT_OF_AUTHORS = tuple(row for row in MIDDLE if row not in INNER and row.hop is Hop.PREDICTED)
_MODELED_OF_HEADERS = tuple(row for row in OF_HEADERS if row.hop is Hop.PREDICTED)
_BY_OTHER_NAMES = ("length_field", "srh.tag")  # the outermost header's are length and tag
_MODELED_OF_OUTER = tuple(row for row in _MODELED_OF_HEADERS if row.name not in _BY_OTHER_NAMES)
_MODELED_OF_FRAMES = tuple(row for row in OF_FRAMES if row.hop is Hop.PREDICTED)
CARRIED_OF_HEADERS = tuple(row for row in (*NAMED, *OF_HEADERS) if row.hop is Hop.CARRIED)
CARRIED_OF_FRAMES = tuple(row for row in OF_FRAMES if row.hop is Hop.CARRIED)


def prefix(index: int, count: int) -> str:
    """What stands before the name of a field of the header with that index, of so many."""
    if index == 0:
        return ""
    return "inner." if index == count - 1 else "middle." if index == 1 else f"header {index + 1}."


def described(packet: PacketView, *, modeled: bool = False) -> Iterator[tuple[str, str]]:
    """Every field of a packet, or those that are modeled: first what an author may name, `none` for a header that
    isn't there; then whatever else the packet has."""
    count = len(packet.headers)
    middle = packet.headers[1] if count > 2 else None
    inner = packet.innermost if count > 1 else None
    for before, rows, header in (
        ("", OUTER, packet.outer),
        ("middle.", MIDDLE, middle),
        ("inner.", INNER, inner),
    ):
        for row in rows:
            any_length = modeled and row.name == "length" and not packet.ip_length
            if not any_length and (row.hop is Hop.PREDICTED or not modeled):
                yield f"{before}{row.name}", row.describe(packet, header)
    for row in _NOT_OF_AUTHORS if inner else ():
        yield f"inner.{row.name}", row.describe(packet, inner)
    for index, header in enumerate(packet.headers):
        before = prefix(index, count)
        further = (*MIDDLE, *_MODELED_OF_HEADERS) if 1 < index < count - 1 else _MODELED_OF_HEADERS
        rows = further if index else _MODELED_OF_OUTER
        yield from _there(packet, header, before, rows)
    yield from _there(packet, packet.innermost, "", _MODELED_OF_FRAMES)


def _there(
    packet: PacketView, header: IpHeader, before: str, rows: tuple[PacketField, ...]
) -> Iterator[tuple[str, str]]:
    for row in rows:
        if (value := row.read(packet, header)) is not None:
            yield f"{before}{row.name}", row.words(value)


def differing(foretold: Mapping[str, str], seen: Mapping[str, str]) -> list[str]:
    """The fields in which a packet isn't the foretold one; of what isn't seen nothing is known."""
    if foretold.items() <= seen.items():
        return []
    return [name for name, value in foretold.items() if seen.get(name, value) != value]


def expected(author: PacketExpectation) -> Iterator[tuple[str, str]]:
    """The fields that an author named, as the same packet would be described."""
    for prefix, rows, header in (
        ("", OUTER, author),
        ("middle.", MIDDLE, author.middle),
        ("inner.", INNER, author.inner),
    ):
        for row in rows if header else ():
            if (value := getattr(header, row.name)) is not None:
                yield f"{prefix}{row.name}", row.words(value)
