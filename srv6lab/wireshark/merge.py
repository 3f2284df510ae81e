"""Captures of many NICs → one pcapng file, in order of time. A record at a time, whatever their size.

Of two packets at the same instant the one that is earlier on its walk comes first, of one file the one that stands first
there. Runs of several exercises may hold the same packet of a NIC: it is written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappushpop, merge
from ipaddress import IPv4Address, IPv6Address
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

from srv6lab.capture import pcapng
from srv6lab.capture.records import Record, records
from srv6lab.evidence.packets import Direction, Point


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a packet: its `comment`, its direction, and its `rank` among packets of the same instant."""

    comment: str = ""
    direction: Direction | None = None
    rank: int = -1


@dataclass(frozen=True, slots=True)
class Source:
    """A capture file of a NIC, unpacked: of which `run`, and notes by the number of a record."""

    point: Point
    path: Path
    run: str = ""
    notes: Mapping[int, Note] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NicWords:
    """What the file says of a NIC beside its name."""

    description: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the packets."""

    application: str
    comment: str
    nics: Mapping[Point, NicWords]
    names: Sequence[tuple[IPv4Address | IPv6Address, str]] = ()


Key = tuple[Point, int]  # a NIC and a link type of its
_Item = tuple[int, int, int, Record]  # time, rank, index of the source, record
_NONE = Note()
_LATE = 256  # records


def write(
    target: BinaryIO, header: Header, sources: Sequence[Source], links: Sequence[Key], digits: int
) -> int:
    """Write the file; how many packets it has. `links` are the NICs' link types, each an interface of the file; `digits`
    those of a second in all times."""
    target.write(pcapng.section(application=header.application, comment=header.comment))
    for point, link in links:
        words = header.nics.get(point, NicWords())
        target.write(
            pcapng.interface(pcapng.Interface(str(point), link, words.description, words.mac, digits))
        )
    target.write(pcapng.names(header.names))
    numbers = {key: number for number, key in enumerate(links)}
    count, tick = 0, 10 ** (9 - digits)
    for source, record, note in _each_once(sources):
        number = numbers[source.point, record.link]
        target.write(
            pcapng.packet(
                number,
                record.time // tick,
                record.data,
                record.length,
                comment=note.comment,
                direction=note.direction,
            )
        )
        count += 1
    return count


def in_order(sources: Sequence[Source]) -> Iterator[_Item]:
    """The records of all files by time, of the same instant by rank."""
    return merge(*(_items(index, source) for index, source in enumerate(sources)), key=lambda item: item[:3])


def _items(index: int, source: Source) -> Iterator[_Item]:
    notes = source.notes
    for record in _sorted(records(source.path)):
        yield record.time, notes.get(record.number, _NONE).rank, index, record


def _sorted(found: Iterator[Record]) -> Iterator[Record]:
    """By time, as far as a record isn't later than many others: a tracer on several processors is late by a few."""
    waiting = list(islice(found, _LATE))
    heapify(waiting)
    for record in found:
        yield heappushpop(waiting, record)
    yield from sorted(waiting)


def _each_once(sources: Sequence[Source]) -> Iterator[tuple[Source, Record, Note]]:
    """Each packet with all that is known of it, by whichever run."""
    if len({source.run for source in sources}) == 1:  # nothing waits, however many packets are of one instant
        for _, _, index, record in in_order(sources):
            yield sources[index], record, sources[index].notes.get(record.number, _NONE)
        return
    for _, items in groupby(in_order(sources), key=lambda item: item[0]):
        found: dict[object, tuple[Source, Record, Note]] = {}
        seen: dict[tuple[int, bytes], int] = {}
        for _, _, index, record in items:
            source = sources[index]
            note = source.notes.get(record.number, _NONE)
            # A link may double a packet: the first of one run is the first of the other.
            copy = seen[index, record.data] = seen.get((index, record.data), 0) + 1
            key = (source.point, record.data, copy)
            found[key] = (source, record, _both(found[key][2], note) if key in found else note)
        yield from found.values()


def _both(one: Note, other: Note) -> Note:
    comment = "\n\n".join(dict.fromkeys(filter(None, (one.comment, other.comment))))
    return Note(comment, one.direction or other.direction, max(one.rank, other.rank))
