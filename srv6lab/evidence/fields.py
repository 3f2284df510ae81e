"""The fields by which witnesses compare a packet: a row each.

A row says how a field is read off a packet and how it is worded; an author's value is worded by the same row. Of which
header an author may name it, the topology's model says: `PacketExpectation` of the outermost, `Middle` and `Inner` of
those within.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from srv6lab.evidence.packets import IpHeader, PacketView, Srh
from srv6lab.topology.expectations import Inner, Middle, PacketExpectation

NONE = "none"
O_FLAG = 0x20  # of an SRH (RFC 9259 section 2.1)

Read = Callable[[PacketView, IpHeader], Any]


@dataclass(frozen=True, slots=True)
class PacketField:
    """`read` takes the packet and the one of its IP headers that is meant; None for what isn't there. What isn't
    `modeled` depends on more than the model knows: of it only the author and the captures speak."""

    name: str
    read: Read
    words: Callable[[Any], str] = str
    modeled: bool = True

    def describe(self, packet: PacketView, header: IpHeader | None) -> str:
        value = None if header is None else self.read(packet, header)
        return NONE if value is None else self.words(value)


def _frame(read: Callable[[PacketView], Any]) -> Read:
    return lambda packet, header: read(packet)


def _ip(read: Callable[[IpHeader], Any]) -> Read:
    return lambda packet, header: read(header)


def _srh(read: Callable[[Srh], Any]) -> Read:
    return lambda packet, header: None if header.srh is None else read(header.srh)


def _listed(segments: tuple[object, ...]) -> str:
    return ", ".join(map(str, segments)) or NONE


def _flag(value: bool) -> str:
    return "set" if value else "not set"


FIELDS = (
    PacketField("source", _ip(lambda header: header.source)),
    PacketField("destination", _ip(lambda header: header.destination)),
    PacketField("hop_limit", _ip(lambda header: header.hop_limit)),
    PacketField("protocol", _ip(lambda header: header.protocol)),
    PacketField("segment_list", _srh(lambda srh: srh.segment_list), _listed),
    PacketField("segments_left", _srh(lambda srh: srh.segments_left)),
    PacketField("next_header", _ip(lambda header: header.next_header)),
    PacketField("length", _frame(lambda packet: packet.ip_length)),
    PacketField("oam", _srh(lambda srh: bool(srh.flags & O_FLAG)), _flag),
    PacketField("tag", _srh(lambda srh: srh.tag)),
    PacketField("flow_label", _ip(lambda header: header.flow_label), modeled=False),
)


def _of(model: type[PacketExpectation | Inner]) -> tuple[PacketField, ...]:
    return tuple(row for row in FIELDS if row.name in model.model_fields)


OUTER, MIDDLE, INNER = _of(PacketExpectation), _of(Middle), _of(Inner)


def described(packet: PacketView, *, modeled: bool = False) -> Iterator[tuple[str, str]]:
    """Every field of a packet, or those that are modeled: the outermost header's, those of the second of three and of
    the innermost of several, `none` for a header that isn't there."""
    count = len(packet.headers)
    middle = packet.headers[1] if count > 2 else None
    inner = packet.innermost if count > 1 else None
    for prefix, rows, header in (
        ("", OUTER, packet.outer),
        ("middle.", MIDDLE, middle),
        ("inner.", INNER, inner),
    ):
        for row in rows:
            if row.modeled or not modeled:
                yield f"{prefix}{row.name}", row.describe(packet, header)


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
