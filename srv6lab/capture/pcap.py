"""The framing of capture files: where records begin and end, and nothing of what is in them.

A tracer's file may be cut short in its last record while the tracer runs, a run needs only the
part of a file that was written during it, and starting tshark costs more than reading a small
capture: so files are trimmed, cut and joined here before tshark sees them. No packet is decoded
in this module; what a packet says is for `capture` to ask tshark.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from srv6lab.host.files import opened

Buffer = bytes | mmap.mmap
_Visit = Callable[[int, int], None]

PCAP_HEADER = 24
_PCAP_RECORD = 16
_PCAP_ORDERS = {
    b"\xd4\xc3\xb2\xa1": "<",  # microseconds
    b"\x4d\x3c\xb2\xa1": "<",  # nanoseconds
    b"\x34\xcd\xb2\xa1": "<",  # modified: what follows a record's lengths is 8 bytes more
    b"\xa1\xb2\xc3\xd4": ">",
    b"\xa1\xb2\x3c\x4d": ">",
    b"\xa1\xb2\xcd\x34": ">",
}
_NANOSECONDS = frozenset({b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"})
_MODIFIED = frozenset({b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34"})
_SECTION, _INTERFACE = 0x0A0D0D0A, 1
_SECTION_BYTES = struct.pack("<I", _SECTION)  # a palindrome: the same in both byte orders
_SECTION_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_IF_NAME = 2  # the option with an interface's name
_PACKET_BLOCKS = {2: "H", 3: "", 6: "I"}  # obsolete, simple, enhanced packet: how each names its interface
_PACKET_DATA = {
    2: (20, 28),
    3: (8, 12),
    6: (20, 28),
}  # where it says how many bytes it has, and where they begin
_LEAST_LENGTHS = {
    _SECTION: 28,
    _INTERFACE: 20,
    2: 32,
    3: 16,
    6: 32,
}  # of a block with nothing in it but what it must say
_KEPT_BLOCKS = frozenset({_SECTION, _INTERFACE, *_PACKET_BLOCKS})
MOST_BYTES = 1 << 30  # of a capture that somebody hands in
_LONGEST_RECORD = 256 * 1024  # Wireshark's own bound: a longer record is damage, and tshark stops there
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Framing:
    """What a capture file holds, without a look into its packets.

    `end` is where the last whole record ends; `fault` says why nothing can be read behind it,
    or is empty when that is the end of the file. `links` are the link types (LINKTYPE_ of tcpdump.org) that
    it says its packets have.
    """

    kind: str
    size: int
    end: int
    records: int
    fault: str = ""
    links: tuple[int, ...] = ()

    @property
    def cut_short(self) -> bool:
        return bool(self.fault)


def whole(data: Buffer, most: int = sys.maxsize) -> Framing:
    """Find where the last whole record ends, or the last one of so many; ValueError if this is no capture.

    A file that stops within its own header is a capture of nothing, cut short: a tracer that
    was killed early leaves one.
    """
    count = end = 0

    def visit(offset: int, records: int) -> None:
        nonlocal count, end
        if records > most or (offset > MOST_BYTES and most < sys.maxsize):
            raise _EnoughError
        count, end = records, offset

    try:
        kind, end, fault = _walk(data, visit)
    except _EnoughError:
        kind = "pcap" if data[:4] in _PCAP_ORDERS else "pcapng"
        fault = f"it is larger than what is read of a capture, which is its first {count} frames"
    return Framing(kind, len(data), end, count, fault, tuple(dict.fromkeys(_links(data, kind, end))))


def whole_file(path: Path, most: int = sys.maxsize) -> Framing:
    """`whole` for a file of any size."""
    with mapped(path) as data:
        return whole(data, most)


def slice_pcap(path: Path, start: int, end: int | None = None) -> bytes:
    """The file's header and the whole records between two byte offsets.

    `start` has to be where a record begins (or the end of the last one), or 0, which is what a
    tracer's file measures before its header is written; anything else is a ValueError, for
    reading on from there would make packets out of noise. What `end` cuts through is left out.
    """
    with mapped(path) as data:
        cut = _Cut(data, start, len(data) if end is None else end)
        _, last, _ = _walk(data, cut.visit)
        return cut.taken(last)


def packets(path: Path) -> Iterator[bytes]:
    """The bytes of each packet of a pcap, whole records only; ValueError for a file that is none."""
    with mapped(path) as data:
        if whole(data).kind == "pcap":
            yield from (packet for _, packet in _packets(data))


def frames(path: Path, numbers: Collection[int]) -> dict[int, tuple[int, bytes]]:
    """The packets with these numbers, which count from 1: the type of the link that each was captured on (LINKTYPE_),
    and its bytes. ValueError for a file that is none."""
    wanted = set(numbers)
    with mapped(path) as data:
        first = enumerate(islice(_packets(data), max(wanted, default=0)), 1)
        return {number: packet for number, packet in first if number in wanted}


def _packets(data: Buffer) -> Iterator[tuple[int, bytes]]:
    """Each packet of a pcap or pcapng file, with the type of its link."""
    if (framing := whole(data)).kind == "pcap":
        order, head = _PCAP_ORDERS[bytes(data[:4])], _record_header(data[:4])
        offset = PCAP_HEADER
        while offset < framing.end:
            (length,) = struct.unpack_from(order + "I", data, offset + 8)
            offset += head + length
            yield framing.links[0], bytes(data[offset - length : offset])
    elif framing.kind == "pcapng":
        yield from _packets_of_blocks(data)


def _packets_of_blocks(data: Buffer) -> Iterator[tuple[int, bytes]]:
    order, links = "<", list[int]()
    with suppress(_DamageError):
        for kind, start, following in _blocks(data):
            if kind == _SECTION:
                order, links = _SECTION_ORDERS[bytes(data[start + 8 : start + 12])], []
            elif kind == _INTERFACE:
                links += struct.unpack_from(order + "H", data, start + 8)
            elif kind in _PACKET_BLOCKS:
                at, begin = _PACKET_DATA[kind]
                (length,) = struct.unpack_from(order + "I", data, start + at)
                number = struct.unpack_from(order + _PACKET_BLOCKS[kind], data, start + 8) or (0,)
                end = min(start + begin + length, following - 4)
                yield links[number[0]], bytes(data[start + begin : end])


def packets_from(path: Path, start: int, most: int = _CHUNK) -> tuple[list[tuple[int, bytes]], int]:
    """The packets of a pcap's whole records from a byte offset on, each with its time in nanoseconds since 1970, and the
    offset to go on from; of about so many bytes at a time. `start` is where a record begins, or 0. ValueError for what is no pcap,
    or damaged."""
    with path.open("rb") as source:
        magic = source.read(4)
        if len(magic) < 4:
            return [], 0
        if magic not in _PCAP_ORDERS:
            raise ValueError(f"it begins with {magic!r}, as no pcap does")
        head = struct.Struct(f"{_PCAP_ORDERS[magic]}III{_record_header(magic) - 12}x")
        scale = 1 if magic in _NANOSECONDS else 1000
        source.seek(offset := max(start, PCAP_HEADER))
        data = source.read(max(most, _LONGEST_RECORD))
    found = []
    at = 0
    while at + head.size <= len(data):
        seconds, fraction, length = head.unpack_from(data, at)
        if length > _LONGEST_RECORD:
            raise ValueError(f"a record claims {length} bytes, which is damage")
        if (following := at + head.size + length) > len(data):
            break
        found.append((seconds * 10**9 + fraction * scale, data[at + head.size : following]))
        at = following
    return found, offset + at


def twins(path: Path, end: int) -> frozenset[int]:
    """The numbers of the records that repeat another's bytes and time, if each record of the file up to its `end` has such
    a twin: then the file was written twice, for no link doubles all packets within one microsecond."""
    seen: Counter[bytes] = Counter()
    again: set[int] = set()
    begin = 0
    with mapped(path) as data:

        def visit(offset: int, records: int) -> None:
            nonlocal begin
            if offset > end:
                raise _EnoughError
            if records:
                record = blake2b(data[begin:offset], digest_size=16).digest()
                seen[record] += 1
                if seen[record] % 2 == 0:
                    again.add(records)
            begin = offset

        with suppress(_EnoughError):
            if data[:4] in _PCAP_ORDERS:
                _walk(data, visit)
    return frozenset(again) if all(count % 2 == 0 for count in seen.values()) else frozenset()


def joinable(data: Buffer) -> bytes | None:
    """A key that is equal for captures that `join` may put into one file, None for any other."""
    if data[:4] == _SECTION_BYTES:
        return _SECTION_BYTES
    if data[:4] not in _PCAP_ORDERS or len(data) < PCAP_HEADER:
        return None
    return bytes(data[0:8]) + bytes(data[20:24])


def joinable_file(path: Path) -> bytes | None:
    """`joinable` for a file of any size."""
    with path.open("rb") as source:
        return joinable(source.read(PCAP_HEADER))


def join(parts: Sequence[tuple[Path, int]], target: BinaryIO) -> None:
    """Write one file with the records of several, in their order, each file up to its offset.

    The files have one `joinable` key. Of pcaps the joined header takes the largest snapshot length; of pcapng files
    only sections, interfaces and packets are kept, since tshark counts some other blocks as frames.
    """
    with parts[0][0].open("rb") as first:
        header = first.read(PCAP_HEADER)
    if header[:4] == _SECTION_BYTES:
        for path, end in parts:
            _join_blocks(path, end, target)
        return
    order = _PCAP_ORDERS[header[:4]]
    longest = max(_snapshot_length(path, order) for path, _ in parts)
    target.write(header[:16] + struct.pack(order + "I", longest) + header[20:])
    for path, end in parts:
        with path.open("rb") as source:
            source.seek(PCAP_HEADER)
            _copy(source, target, end - PCAP_HEADER)


def _join_blocks(path: Path, end: int, target: BinaryIO) -> None:
    with mapped(path) as data, suppress(_DamageError):  # which begins at the end
        for kind, start, following in _blocks(data):
            if following > end:
                break
            if kind == _SECTION:  # its length isn't what it was
                target.write(data[start : start + 16] + b"\xff" * 8 + data[start + 24 : following])
            elif kind in _KEPT_BLOCKS:
                target.write(data[start:following])


class _EnoughError(Exception):
    """All that is to be read was seen."""


class _DamageError(ValueError):
    """A block that tshark would stop at; its message says why."""


class _Cut:
    """Collects what `slice_pcap` needs while the file is walked once."""

    def __init__(self, data: Buffer, start: int, end: int) -> None:
        self.data, self.start, self.end = data, start, end
        self.head = b""
        self.begin: int | None = None
        self.last = 0

    def visit(self, offset: int, _records: int) -> None:
        """Called with each place where something whole ends and the next thing begins."""
        if self.begin is None and offset >= self.start:
            if self.start not in (0, offset):
                raise ValueError(f"{self.start} is not where a record begins: the nearest is {offset}")
            self.begin = self.last = offset
            self.head = _preamble(self.data, offset)
        elif self.begin is not None and offset <= self.end:
            self.last = offset

    def taken(self, last: int) -> bytes:
        if self.begin is None:
            if self.start:
                raise ValueError(f"{self.start} is not where a record begins: the last ends at {last}")
            return b""
        return self.head + self.data[self.begin : self.last]


def interfaces(path: Path, end: int) -> tuple[str, ...]:
    """The names of the interfaces that a pcapng file has frames of; none for those without a name, and for a pcap."""
    found: dict[str, None] = {}
    with mapped(path) as data, suppress(_DamageError):
        names: list[str] = []
        for kind, start, following in _blocks(data) if data[:4] == _SECTION_BYTES else ():
            if following > end:
                break
            if kind == _SECTION:
                order, names = _SECTION_ORDERS[bytes(data[start + 8 : start + 12])], []
            elif kind == _INTERFACE:
                names.append(_name(bytes(data[start + 16 : following - 4]), order))
            elif kind in _PACKET_BLOCKS:
                number = struct.unpack_from(order + _PACKET_BLOCKS[kind], data, start + 8)
                found[names[number[0] if number else 0]] = None
    return tuple(name for name in found if name)


def _name(options: bytes, order: str) -> str:
    """What an interface's options call it."""
    while len(options) >= 4:
        code, length = struct.unpack_from(order + "HH", options)
        if code == _IF_NAME:
            return options[4 : 4 + length].decode("utf-8", "replace").rstrip("\0")
        options = options[4 + length + -length % 4 :] if code else b""
    return ""


def _walk(data: Buffer, visit: _Visit) -> tuple[str, int, str]:
    """Walk the records; returns kind, where the last whole one ends, and what is wrong there."""
    magic = data[:4]
    if not magic:
        return "empty", 0, "the file is empty"
    if magic in _PCAP_ORDERS:
        return "pcap", *_walk_pcap(data, _PCAP_ORDERS[magic], visit)
    if magic == _SECTION_BYTES:
        return "pcapng", *_walk_blocks(data, visit)
    if len(magic) < 4 and any(known.startswith(magic) for known in (*_PCAP_ORDERS, _SECTION_BYTES)):
        return "empty", 0, "the file ends within its header"
    raise ValueError(f"it begins with {bytes(magic)!r}, as neither pcap nor pcapng does")


def _record_header(magic: bytes) -> int:
    return _PCAP_RECORD + (8 if bytes(magic) in _MODIFIED else 0)


def _links(data: Buffer, kind: str, end: int) -> Iterator[int]:
    """The link type of a pcap, or those of a pcapng file's interfaces up to an end."""
    if kind == "pcap" and len(data) >= PCAP_HEADER:
        order = _PCAP_ORDERS[bytes(data[:4])]
        yield struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF  # above it may stand the length of an FCS
    elif kind == "pcapng":
        order = "<"
        with suppress(_DamageError):
            for block, start, following in _blocks(data):
                if following > end:
                    return
                if block == _SECTION:
                    order = _SECTION_ORDERS[bytes(data[start + 8 : start + 12])]
                elif block == _INTERFACE:
                    yield struct.unpack_from(order + "H", data, start + 8)[0]


def _walk_pcap(data: Buffer, order: str, visit: _Visit) -> tuple[int, str]:
    size = len(data)
    if size < PCAP_HEADER:
        return 0, "the file ends within its header"
    offset, records, head = PCAP_HEADER, 0, _record_header(data[:4])
    read_length = struct.Struct(order + "I").unpack_from
    visit(offset, records)
    while offset + head <= size:
        (length,) = read_length(data, offset + 8)
        following = offset + head + length
        if length > _LONGEST_RECORD:
            return offset, f"record {records + 1} claims {length} bytes, which is damage"
        if following > size:
            break
        offset = following
        records += 1
        visit(offset, records)
    return offset, "" if offset == size else f"cut short in record {records + 1}"


def _walk_blocks(data: Buffer, visit: _Visit) -> tuple[int, str]:
    size, offset, records = len(data), 0, 0
    try:
        for kind, _, following in _blocks(data):
            offset = following
            records += kind in _PACKET_BLOCKS
            visit(offset, records)
    except _DamageError as damage:
        return offset, f"record {records + 1} {damage}"
    if offset == size:
        return offset, ""
    if offset == 0:
        return 0, "the file ends within its header"
    return offset, f"cut short or damaged behind record {records}"


def _blocks(data: Buffer) -> Iterator[tuple[int, int, int]]:
    """The type, start and end of each whole pcapng block; a section may change the byte order."""
    size, offset, order, interfaces = len(data), 0, "<", 0
    while offset + 12 <= size:
        if data[offset : offset + 4] == _SECTION_BYTES:
            order, interfaces = _SECTION_ORDERS.get(bytes(data[offset + 8 : offset + 12]), ""), 0
        if not order:
            return
        kind, length = struct.unpack_from(order + "II", data, offset)
        following = offset + length
        if length < _LEAST_LENGTHS.get(kind, 12) or length % 4 or following > size:
            return
        if struct.unpack_from(order + "I", data, following - 4)[0] != length:
            return
        interfaces += kind == _INTERFACE
        if kind in _PACKET_BLOCKS:
            named = struct.unpack_from(order + _PACKET_BLOCKS[kind], data, offset + 8)
            if (named or (0,))[0] >= interfaces:
                raise _DamageError(f"is of interface {(named or (0,))[0]}, which its section doesn't have")
        yield kind, offset, following
        offset = following


def _preamble(data: Buffer, offset: int) -> bytes:
    """What has to stand before the records from an offset on: the header, or section and interfaces."""
    if data[:4] in _PCAP_ORDERS:
        return bytes(data[:PCAP_HEADER])
    kept: list[bytes] = []
    with suppress(_DamageError):  # behind the offset
        for kind, start, following in _blocks(data):
            if following > offset:
                break
            if kind == _SECTION:
                kept = []
            if kind in (_SECTION, _INTERFACE):
                kept.append(bytes(data[start:following]))
    return b"".join(kept)


def _snapshot_length(path: Path, order: str) -> int:
    with path.open("rb") as source:
        source.seek(16)
        length: int = struct.unpack(order + "I", source.read(4))[0]
    return length


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    while length > 0 and (chunk := source.read(min(length, _CHUNK))):
        target.write(chunk)
        length -= len(chunk)


@contextmanager
def mapped(path: Path) -> Iterator[Buffer]:
    """The file's bytes without reading them; an empty file can't be mapped."""
    with opened(path) as source:
        if not os.fstat(source.fileno()).st_size:
            yield b""
            return
        with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
