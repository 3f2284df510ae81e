"""What tshark saw in a pcap, as PacketViews.

It asks tshark and never looks into a packet itself: a decoder of our own would agree with a model of
our own. `tshark` starts it, `fields` reads its answer.
Several captures are joined into one file before tshark reads them, because starting tshark costs
0.15 s and a lab has some seventeen small pcaps; frame numbers tell whose a packet is.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from srv6lab.capture import fields, pcap
from srv6lab.capture.ahead import Ahead, Waiting
from srv6lab.capture.asking import Failure, find
from srv6lab.capture.complaints import complaint
from srv6lab.capture.unpack import unpacked
from srv6lab.errors import MachineError, UsageError
from srv6lab.evidence.packets import Address, Message, PacketView
from srv6lab.host.progress import Progress
from srv6lab.host.scratch import Scratch, place

MOST = 250_000  # frames of all files that are read at once: each takes tshark a millisecond, and here 2 kB
_TOLD = 10_000  # frames, after which it is said how many were read
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Capture:
    """What tshark saw in one pcap.

    `packets` are the frames with an IP header that were read whole; `bindings` are the (MAC, address) pairs that ARP
    senders and neighbor discovery announce; `records` counts every whole record of the file.
    `note` says, for people, what could not be read, so that what isn't among the packets proves nothing. `messages`
    are those of routing protocols, if they were asked for. `others` are the numbers and senders' MACs of frames without an
    IP header, such as ARP's.
    """

    packets: tuple[PacketView, ...] = ()
    bindings: tuple[tuple[str, Address], ...] = ()
    records: int = 0
    note: str = ""
    messages: tuple[Message, ...] = ()
    others: tuple[tuple[int, str], ...] = ()


def read(path: Path, *, display_filter: str = "") -> Capture:
    """Read one pcap. A display filter holds for the bindings too."""
    return read_all({path: path}, display_filter=display_filter)[path]


def read_all(
    paths: Mapping[K, Path],
    *,
    display_filter: str = "",
    messages: Sequence[str] = (),
    ahead: Ahead | Waiting | None = None,
    progress: Progress = lambda _: None,
) -> dict[K, Capture]:
    """Read several pcaps at once, with as few tsharks as can be; and what the routing
    protocols in `messages` say. What one reads `ahead` needs no other. Of more frames than MOST the rest isn't read,
    which each file's note says."""
    with Scratch() as folder:
        left, parts = MOST, list[_Part]()
        for index, path in enumerate(paths.values()):
            parts.append(_part(path, Path(folder, str(index)), left))
            left -= parts[-1].framing.records
        batches = _batches([part for part in parts if part.framing.records])
        if batches:
            program = find()
            told = None if display_filter or messages else ahead
            # Threads, also for a single batch: the caller may be inside an event loop of its own.
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
                jobs = [
                    pool.submit(_read_batch, program, batch, display_filter, messages, progress, told)
                    for batch in batches
                ]
                for job in jobs:
                    job.result()
    return {key: part.capture() for key, part in zip(paths, parts, strict=True)}


def _part(path: Path, folder: Path, most: int) -> _Part:
    """A file that is no capture, or can't be unpacked, is a capture of nothing that says why; no more than so many frames
    are read of another."""
    try:
        plain, fault = unpacked(path, folder)
        framing = pcap.whole_file(plain, most)
        twins, nics = pcap.twins(plain, framing.end), pcap.interfaces(plain, framing.end)
    except ValueError as error:
        why = f"it is no capture that can be read: {error}; hand in a pcap or pcapng file"
        return _Part(path, path, pcap.Framing("none", 0, 0, 0, why))
    except OSError as error:
        if error.errno is not None:
            raise UsageError(f"{path} can't be read: {error.strerror}") from None
        return _Part(path, path, pcap.Framing("none", 0, 0, 0, f"{error}; hand in the file itself"))
    if len(nics) > 1:
        shown = ", ".join(nics[:4]) + (", …" if len(nics) > 4 else "")
        why = f"its frames are of {len(nics)} interfaces ({shown}), and a capture is of one NIC; hand in a file for each"
        return _Part(path, path, pcap.Framing("none", 0, 0, 0, why))
    if twins:
        fault = f"all of its {framing.records} frames stand in it twice, as if it had been written twice"
    return _Part(path, plain, replace(framing, fault=fault or framing.fault), twins)


@dataclass(slots=True)
class _Part:
    """One pcap while it is read: what its frames said so far. `plain` is where it is unpacked, `twins` are the
    numbers of frames that are there again."""

    path: Path
    plain: Path
    framing: pcap.Framing
    twins: frozenset[int] = frozenset()
    packets: list[PacketView] = field(default_factory=list)
    bindings: dict[tuple[str, Address], None] = field(default_factory=dict)
    malformed: dict[int, str] = field(default_factory=dict)
    clipped: dict[int, int] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    others: list[tuple[int, str]] = field(default_factory=list)

    def take(self, number: int, layers: fields.Layer) -> None:
        """Add a frame. Whatever a frame holds, it never ends the reading of the others."""
        try:
            self._take(number, layers)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            self.unread.append(number)

    def _take(self, number: int, layers: fields.Layer) -> None:
        if number in self.twins:
            return
        walk = fields.walk(layers)
        if walk.malformed:
            self.malformed[number] = complaint(layers)
        if walk.clipped:
            self.clipped[number] = walk.clipped
        self.bindings |= dict.fromkeys(fields.bindings(layers, walk))
        if walk.headers and not walk.clipped:
            self.packets.append(fields.packet(number, layers, walk))
        elif not walk.headers and (sender := fields.sender(layers)):
            self.others.append((number, sender))
        self.messages += fields.messages(number, layers)

    def forget(self) -> None:
        """Start again, after a tshark that failed on the way."""
        lists = (
            self.packets,
            self.bindings,
            self.malformed,
            self.clipped,
            self.unread,
            self.messages,
            self.others,
        )
        for seen in lists:
            seen.clear()

    def capture(self) -> Capture:
        malformed = sorted(self.malformed)
        lengths = sorted(set(self.clipped.values()))
        bounds = " or ".join(map(str, lengths[:2])) + (" or more" if len(lengths) > 2 else "")
        notes = (
            self.framing.fault,
            _unread_links(self.framing.links),
            _numbered("malformed", malformed) + (f": {self.malformed[malformed[0]]}" if malformed else ""),
            _numbered(f"clipped at {bounds} bytes by the tracer's snapshot length", sorted(self.clipped)),
            _numbered("not understood", self.unread),
        )
        note = "; ".join(note for note in notes if note)
        return Capture(
            packets=tuple(self.packets),
            bindings=tuple(self.bindings),
            records=self.framing.records,
            note=note,
            messages=tuple(self.messages),
            others=tuple(self.others),
        )


def _unread_links(links: Sequence[int]) -> str:
    strange = [str(link) for link in links if link not in fields.LINKS]
    known = ", ".join(dict.fromkeys(fields.LINKS.values()))
    return f"its link type is {' and '.join(strange)}; those that are read are {known}" if strange else ""


def _numbered(what: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")
    return f"{len(numbers)} frame{'s' * (len(numbers) > 1)} {what} ({shown})"


def _batches(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Which captures one tshark reads: all that can be joined.

    A large batch isn't split: while tshark describes packets, this process reads what it said, and
    that keeps two cores at work already (measured: two tsharks are no faster than one).
    """
    alike: dict[Hashable, list[_Part]] = {}
    for part in parts:
        alike.setdefault(pcap.joinable_file(part.plain), []).append(part)
    return list(alike.values())


def _read_batch(
    program: Path,
    batch: Sequence[_Part],
    display_filter: str,
    messages: Sequence[str],
    progress: Progress,
    ahead: Ahead | Waiting | None = None,
) -> None:
    """Fill the parts. Where tshark fails on several, it reads each alone, to name the one."""
    if ahead and (said := ahead.said([(part.plain, part.framing) for part in batch])) is not None:
        for part, frames in zip(batch, said, strict=True):
            for frame in frames:
                part.take(*frame)
        return
    try:
        failure = _read_joined(program, batch, display_filter, messages, progress)
    except OSError as error:
        raise MachineError(
            f"captures can't be handed to tshark: {error}",
            f"tshark reads a copy in {place()}: it needs room there",
        ) from error
    if failure is None:
        return
    if len(batch) == 1 and failure.of_the_file:
        batch[0].framing = replace(batch[0].framing, fault=f"tshark can't read it: {failure.said}")
        return
    if len(batch) == 1:
        raise failure.explained(batch[0].path, display_filter)
    for part in batch:
        part.forget()
        _read_batch(program, [part], display_filter, messages, progress)


def _read_joined(
    program: Path, batch: Sequence[_Part], display_filter: str, messages: Sequence[str], progress: Progress
) -> Failure | None:
    """Let one tshark read a copy: it holds whole records only, and doesn't grow while it is read."""
    ends, said = list(accumulate(part.framing.records for part in batch)), 0

    def take(layers: fields.Layer) -> None:
        nonlocal said
        number = fields.frame_number(layers)
        if number >= said + _TOLD:
            said = number
            progress(f"read {number} of {ends[-1]} frames")
        index = min(bisect_left(ends, number), len(batch) - 1)
        batch[index].take(number - (ends[index - 1] if index else 0), layers)

    with Scratch() as folder:
        copy = Path(folder, "capture")
        with copy.open("wb") as target:
            pcap.join([(part.plain, part.framing.end) for part in batch], target)
        from srv6lab.capture import tshark  # pyshark takes long to import

        return tshark.describe(program, copy, display_filter, messages, take)
