"""The bytes of some frames, and where each field stands in them as tshark says (PDML): for people who look at them.

No byte is decoded here: what tshark doesn't say isn't shown.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Generic, TypeVar
from xml.etree.ElementTree import Element, ParseError, fromstring

from srv6lab.capture import pcap, tshark
from srv6lab.capture.unpack import unpacked

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


def dissect(paths: Mapping[K, Path], wanted: Iterable[Place[K]]) -> dict[Place[K], Frame]:
    """Frames of several pcaps with as few tsharks as can be. One that tshark doesn't understand has no parts, and one
    that isn't there is left out."""
    numbers: dict[K, set[int]] = {}
    for key, number in wanted:
        numbers.setdefault(key, set()).add(number)
    found: dict[Place[K], Frame] = {}
    with tempfile.TemporaryDirectory(prefix="srv6lab-") as name:
        folder = Path(name)
        batches: dict[object, list[_File[K]]] = {}
        for index, (key, those) in enumerate(numbers.items()):
            if file := _file(key, paths[key], those, folder / str(index)):
                batches.setdefault(pcap.joinable_file(file.plain), []).append(file)
        for index, batch in enumerate(batches.values()):
            found |= _read(batch, folder / f"joined{index}")
    return found


@dataclass(frozen=True, slots=True)
class _File(Generic[K]):
    """A file: its frames that are wanted by their numbers, `records` up to the last of them, and where that ends."""

    key: K
    plain: Path
    frames: Mapping[int, bytes]
    records: int
    end: int


def _file(key: K, path: Path, numbers: Collection[int], folder: Path) -> _File[K] | None:
    """None for what is no capture that can be read."""
    folder.mkdir()
    try:
        plain, _ = unpacked(path, folder)
        end, records, frames = pcap.frames(plain, numbers)
    except (ValueError, OSError):
        return None
    return _File(key, plain, frames, records, end) if frames else None


def _read(batch: Sequence[_File[K]], joined: Path) -> Iterator[tuple[Place[K], Frame]]:
    """One tshark reads what is wanted of several files."""
    with joined.open("wb") as target:
        pcap.join([(one.plain, one.end) for one in batch], target)
    begins = [0, *accumulate(one.records for one in batch)]
    first: dict[bytes, int] = {}  # what leaves a NIC comes to the next one as it was: tshark reads it once
    for begin, one in zip(begins, batch, strict=False):
        for number in sorted(one.frames):
            first.setdefault(one.frames[number], begin + number)
    said = _PACKET.findall(tshark.pdml(tshark.find(), joined, [*first.values()]))
    parts = {data: tuple(_parts(packet)) for data, packet in zip(first, said, strict=False)}
    for one in batch:
        for number, data in one.frames.items():
            yield (one.key, number), Frame(data, parts.get(data, ()))


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
