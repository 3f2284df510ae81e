"""The bytes of some frames, and where each field stands in them as tshark says (PDML): for people who look at them.

No byte is decoded here: what tshark doesn't say isn't shown.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import Element, ParseError, fromstring

from srv6lab.capture import pcap, pcapng
from srv6lab.capture.ahead import Pdml
from srv6lab.capture.asking import find
from srv6lab.capture.unpack import unpacked
from srv6lab.evidence.packets import PacketView
from srv6lab.host.scratch import Scratch

K = TypeVar("K", bound=Hashable)
Place = tuple[K, int]  # a file by its key, and the number of a frame in it

HEADERS = {
    "eth": "Ethernet",
    "ip": "IPv4",
    "ipv6": "IPv6",
    "ipv6.routing": "SRH",
    "icmp": "ICMP",
    "icmpv6": "ICMPv6",
    "udp": "UDP",
    "tcp": "TCP",
    "arp": "ARP",
    "data": "Payload",
}
_MICROSECONDS = 1_000_000
_NOT_OF_THE_FRAME = frozenset({"geninfo", "frame"})
_SAID_ENOUGH = frozenset({"eth.dst", "eth.src"})  # two bits of an address are of no interest here
_BITS = re.compile(r"^([01.][01. ]*) = ")
_PACKET = re.compile(rb"<packet>.*?</packet>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A header, or a field of one: `length` bytes from byte `at` on. `name` is Wireshark's (`ipv6.hlim`), `header` the
    name of the header that it is in, `bits` those that are meant, if they aren't all, `level` how deep it is nested."""

    name: str
    label: str
    value: str
    header: str
    at: int
    length: int
    level: int
    bits: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """All bytes of a frame that were captured, and its parts in the order in which tshark has them."""

    data: bytes
    parts: tuple[Part, ...] = ()

    def __hash__(self) -> int:
        return hash(self.data)


class Dissector:
    """Has a tshark that waits for frames: whoever knows that there will be some begins with it."""

    def __init__(self) -> None:
        self._tshark = Pdml(find())

    def __enter__(self) -> Dissector:
        return self

    def __exit__(self, *_: object) -> None:
        self._tshark.__exit__()

    def dissect(
        self, paths: Mapping[K, Path], wanted: Mapping[Place[K], PacketView]
    ) -> dict[Place[K], Frame]:
        """Frames of several captures, each with what is known of it, once. One that tshark doesn't understand has no
        parts, and one that isn't there is left out."""
        found = dict(_frames(paths, wanted))
        first: dict[tuple[int, bytes], PacketView] = {}  # what comes to a NIC is what has left another
        for place, frame in found.items():
            first.setdefault(frame, wanted[place])
        said = _PACKET.findall(self._tshark.said(_capture(first))) if first else []
        parts = {frame: tuple(_parts(packet)) for frame, packet in zip(first, said, strict=False)}
        return {place: Frame(frame[1], parts.get(frame, ())) for place, frame in found.items()}


def _frames(
    paths: Mapping[K, Path], wanted: Iterable[Place[K]]
) -> Iterator[tuple[Place[K], tuple[int, bytes]]]:
    """The type of each frame's link, and its bytes."""
    numbers: dict[K, set[int]] = {}
    for key, number in wanted:
        numbers.setdefault(key, set()).add(number)
    with Scratch() as folder:
        for key, those in numbers.items():
            try:
                plain, _ = unpacked(paths[key], Path(folder))
                frames = pcap.frames(plain, those)
            except (ValueError, OSError):
                continue
            yield from (((key, number), frame) for number, frame in frames.items())


def _capture(frames: Mapping[tuple[int, bytes], PacketView]) -> bytes:
    """All of them in one pcapng file, in their order."""
    links = list(dict.fromkeys(link for link, _ in frames))
    blocks = [pcapng.section(application="srv6lab"), *(_interface(link) for link in links)]
    for (link, data), packet in frames.items():
        length = max(packet.length, len(data))
        blocks.append(pcapng.packet(links.index(link), round(packet.time * _MICROSECONDS), data, length))
    return b"".join(blocks)


def _interface(link: int) -> bytes:
    return pcapng.interface(pcapng.Interface("", link))


def _parts(packet: bytes) -> Iterator[Part]:
    """Those of one packet of a PDML file, none of one that can't be read."""
    try:
        root = fromstring(packet)
    except ParseError:
        return
    for header in root.iterfind("proto"):
        if header.get("name") not in _NOT_OF_THE_FRAME:
            yield from _below(header, _called(header), 0)


def _called(element: Element) -> str:
    name = element.get("name", "")
    return HEADERS.get(name, name.upper())


def _below(element: Element, header: str, level: int) -> Iterator[Part]:
    """An element and what is in it, each part of the frame once: of what tshark hides there is another name, and of
    bytes that it tells in two ways the first is enough."""
    if part := _part(element, header, level):
        yield part
        level += 1
    if element.get("name") in _SAID_ENOUGH:
        return
    said: set[tuple[int, int, str]] = set()
    for one in element:
        inner = header if one.tag == "field" else _called(one)
        known = _part(one, inner, level)
        if one.get("hide") == "yes" or (known and (known.at, known.length, known.bits) in said):
            continue
        if known:
            said.add((known.at, known.length, known.bits))
        yield from _below(one, inner, level)


def _part(element: Element, header: str, level: int) -> Part | None:
    """None for what has no bytes of its own."""
    size, name = int(element.get("size") or 0), element.get("name", "")
    words = element.get("showname") or element.get("show") or ""
    if not size or not words:
        return None
    at = int(element.get("pos") or 0)
    if element.tag == "proto":
        return Part("", header, words, header, at, size, level)
    bits = found[1] if (found := _BITS.match(words)) else ""
    label, colon, value = words.removeprefix(f"{bits} = " if bits else "").partition(": ")
    if not colon:
        value = element.get("show") or ""
    return Part(name, _label(name, label), value, header, at, size, level, bits)


def _label(name: str, label: str) -> str:
    """A field's name as RFC 8754 has it, where tshark has another."""
    return label.replace("Address[", "Segment List[") if name == "ipv6.routing.srh.addr" else label
