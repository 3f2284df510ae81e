"""A pcap file that a tracer is at work on, read as it grows; and the filter that says which of its packets count.

Nothing is asked of the tracer, and nothing is opened for longer than a read: a lab of hundreds of NICs needs no more
open files than one of two. Whatever hasn't been read yet waits in the file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from srv6lab.capture.pcap import PCAP_HEADER

CHUNK = 1 << 19  # bytes of one read; the longest record has to fit
_LONGEST_RECORD = 256 * 1024
_RECORD = 16
_DIGITS = {
    b"\xd4\xc3\xb2\xa1": ("<", 6),
    b"\x4d\x3c\xb2\xa1": ("<", 9),
    b"\xa1\xb2\xc3\xd4": (">", 6),
    b"\xa1\xb2\x3c\x4d": (">", 9),
}

# When (nanoseconds since the epoch), the ticks of its file's resolution, the bytes that were kept, how many there were.
Record = tuple[int, int, bytes, int]
Keeps = Callable[[bytes, int], bool]  # whether a packet counts, by its bytes and how many there were
Filtering = Callable[[int], Keeps]  # the same for packets of a LINKTYPE_


@dataclass(frozen=True, slots=True)
class Header:
    """What a pcap says of its records: byte order, digits of a second, the most bytes of a packet, LINKTYPE_."""

    order: str
    digits: int
    snapshot: int
    link: int

    @classmethod
    def of(cls, data: bytes) -> Header:
        """ValueError for what is no header of a pcap."""
        if data[:4] not in _DIGITS:
            raise ValueError(f"it begins with {data[:4]!r}, as no pcap of a tracer does")
        order, digits = _DIGITS[data[:4]]
        snapshot, link = struct.unpack_from(order + "II", data, 16)
        return cls(order, digits, snapshot, link & 0xFFFF)  # above it may stand the length of an FCS

    def nanoseconds(self, data: bytes, offset: int) -> int:
        """When the record at an offset was captured."""
        second, fraction = struct.unpack_from(self.order + "II", data, offset)
        return int(second * 10**9 + fraction * 10 ** (9 - self.digits))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read gave. `until` is when the last record was captured, whether the filter kept it or not (0: there was
    none); `behind`: there may be more in the file; `anew`: the bytes that were never read of a file that its tracer
    began anew, None if it didn't."""

    records: tuple[Record, ...] = ()
    until: int = 0
    behind: bool = False
    anew: int | None = None


@dataclass(slots=True)
class Follower:
    """Reads a file as it grows, whole records only.

    A tracer that is restarted begins its file anew. That is seen by the file's number, or by the last record that was
    read, which isn't where it was any more. `filtering` says which packets are kept.
    """

    path: Path
    filtering: Filtering | None = None
    header: Header | None = None
    _keeps: Keeps | None = None
    _file: int = 0
    _size: int = 0
    _at: int = 0  # where the last record that was read begins, or the header
    _mark: bytes = b""  # its first bytes
    _next: int = 0

    def skip(self) -> None:
        """Go to the end of the last whole record. ValueError for a file that is no pcap; one that isn't there yet is read
        from its beginning."""
        with suppress(FileNotFoundError):
            size = self.path.stat().st_size
            while self._next < size and self._read(size - self._at, scan=True).behind:
                pass

    def read(self) -> Batch:
        """What has come since the last read and is kept, at most CHUNK bytes of it. ValueError for a file that is no pcap."""
        try:
            seen = self.path.stat()
            if (seen.st_ino, seen.st_size) == (self._file, self._size) and self._next >= seen.st_size:
                return Batch()
            return self._read(CHUNK)
        except FileNotFoundError:
            return Batch()

    def _read(self, most: int, *, scan: bool = False) -> Batch:
        anew = None
        most = min(most, CHUNK)
        with self.path.open("rb", buffering=0) as file:
            seen = os.fstat(file.fileno())
            data = _piece(file, self._at, most)
            if self._mark and (seen.st_ino != self._file or not data.startswith(self._mark)):
                anew = max(0, self._size - self._next)
                self.header, self._mark, self._at, self._next = None, b"", 0, 0
                data = _piece(file, 0, most)
        self._file, self._size = seen.st_ino, seen.st_size
        if self.header is None:
            if len(data) < PCAP_HEADER:
                return Batch(anew=anew)
            self.header = Header.of(data)
            self._mark, self._next = data[:PCAP_HEADER], PCAP_HEADER
            self._keeps = self.filtering(self.header.link) if self.filtering else None
        begin = self._at
        if scan:
            records: list[Record] = []
            last, end = _scanned(data, self._next - begin, self.header)
        else:
            records, last, end = _records(data, self._next - begin, self.header, self._keeps)
        until = 0
        if last >= 0:
            self._at, self._mark = begin + last, data[last : last + _RECORD]
            until = self.header.nanoseconds(data, last)
        self._next = begin + end
        return Batch(tuple(records), until, len(data) == CHUNK, anew)


def _piece(file: FileIO, at: int, most: int) -> bytes:
    file.seek(at)
    return file.read(most)


def _records(data: bytes, offset: int, header: Header, keeps: Keeps | None) -> tuple[list[Record], int, int]:
    """The whole records from an offset on; where the last one begins (-1: there is none), and where it ends. A loop with
    few calls: thousands of packets a second go through here."""
    unpack = struct.Struct(header.order + "IIII").unpack_from
    per_second, scale = 10**header.digits, 10 ** (9 - header.digits)
    found: list[Record] = []
    last, size = -1, len(data)
    while offset + _RECORD <= size:
        second, fraction, kept, length = unpack(data, offset)
        end = offset + _RECORD + kept
        if kept > _LONGEST_RECORD:
            raise ValueError(f"a record claims {kept} bytes, which is damage")
        if end > size:
            break
        packet = data[offset + _RECORD : end]
        if keeps is None or keeps(packet, length):
            ticks = second * per_second + fraction
            found.append((ticks * scale, ticks, packet, length))
        last, offset = offset, end
    return found, last, offset


def _scanned(data: bytes, offset: int, header: Header) -> tuple[int, int]:
    """Where the last whole record begins (-1: there is none), and where it ends."""
    read_length = struct.Struct(header.order + "I").unpack_from
    last, size = -1, len(data)
    while offset + _RECORD <= size:
        end = offset + _RECORD + read_length(data, offset + 8)[0]
        if end > size:
            break
        last, offset = offset, end
    return last, offset
