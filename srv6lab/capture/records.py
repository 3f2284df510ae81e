"""The records of a capture file, each with its time: for whoever puts several files into one. No frame is looked into.

Files are read a record at a time, so that their size doesn't matter.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from srv6lab.capture.pcap import PCAP_HEADER, Buffer, Framing, mapped, whole

MOST = 1_000_000  # frames of a file, which are 1 GiB at most
_NANOSECONDS = frozenset({b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"})
_MODIFIED = frozenset({b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34"})
_BIG = frozenset({b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d", b"\xa1\xb2\xcd\x34"})
_SECTION, _INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_RESOLUTION, _OFFSET = 9, 14  # options of an Interface Description Block
_SECOND = 10**9


class Record(NamedTuple):
    """A frame: `time` in nanoseconds since the epoch, `link` its LINKTYPE_, `length` its bytes on the wire, `data` those
    that were kept. `number` counts from 1."""

    time: int
    number: int
    link: int
    length: int
    data: bytes


@dataclass(slots=True)
class _Interface:
    link: int
    ticks: int  # a second
    offset: int  # seconds

    def time(self, ticks: int) -> int:
        return self.offset * _SECOND + ticks * _SECOND // self.ticks


def framing(path: Path) -> Framing:
    """What the file holds; ValueError if it is no capture."""
    with mapped(path) as data:
        return whole(data, MOST)


def fine(path: Path) -> bool:
    """Whether its times may have more digits than microseconds have."""
    with path.open("rb") as source:
        magic = source.read(4)
    return magic in _NANOSECONDS or (
        magic == _SECTION.to_bytes(4) and any(r.time % 1000 for r in records(path))
    )


def records(path: Path) -> Iterator[Record]:
    """Each whole record, in the order of the file; what is damaged or cut short ends them. ValueError for a file that is
    no capture."""
    with mapped(path) as data:
        found = whole(data, MOST)
        read = {"pcap": _of_pcap, "pcapng": _of_pcapng}.get(found.kind)
        with suppress(struct.error):  # a header or a block that is too short for what it says it is
            yield from read(data, found.end) if read else ()


def _of_pcap(data: Buffer, end: int) -> Iterator[Record]:
    magic = bytes(data[:4])
    order = ">" if magic in _BIG else "<"
    fraction = 1 if magic in _NANOSECONDS else 1000
    head = struct.Struct(order + "IIII" + ("8x" if magic in _MODIFIED else ""))
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    offset, number = PCAP_HEADER, 0
    while offset < end:
        seconds, parts, kept, length = head.unpack_from(data, offset)
        offset += head.size
        number += 1
        yield Record(seconds * _SECOND + parts * fraction, number, link, length, data[offset : offset + kept])
        offset += kept


def _of_pcapng(data: Buffer, end: int) -> Iterator[Record]:
    offset, number, order, time = 0, 0, "<", 0
    interfaces: list[_Interface] = []
    while offset < end:
        if int.from_bytes(data[offset : offset + 4]) == _SECTION:
            order = "<" if data[offset + 8 : offset + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, offset)
        block = data[offset + 8 : offset + size - 4]
        offset += size
        if kind == _INTERFACE:
            interfaces.append(_interface(block, order))
        elif kind in (_OBSOLETE, _ENHANCED):
            named = struct.unpack_from(order + ("H" if kind == _OBSOLETE else "I"), block)[0]
            high, low, kept, length = struct.unpack_from(order + "IIII", block, 4)
            time = interfaces[named].time(high << 32 | low)
            number += 1
            yield Record(time, number, interfaces[named].link, length, block[20 : 20 + kept])
        elif kind == _SIMPLE:  # it has no time: that of the record before
            (length,) = struct.unpack_from(order + "I", block)
            number += 1
            yield Record(time, number, interfaces[0].link, length, block[4 : 4 + length])


def _interface(block: bytes, order: str) -> _Interface:
    found = _Interface(struct.unpack_from(order + "H", block)[0], 10**6, 0)
    at = 8
    while at + 4 <= len(block):
        code, size = struct.unpack_from(order + "HH", block, at)
        value = block[at + 4 : at + 4 + size]
        at += 4 + size + (-size % 4)
        if code == _RESOLUTION and value:
            power = value[0] & 0x7F
            found.ticks = 2**power if value[0] & 0x80 else 10**power
        elif code == _OFFSET and len(value) == 8:
            (found.offset,) = struct.unpack(order + "q", value)
    return found
