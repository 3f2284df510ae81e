"""The NICs of a lab as one pcapng that grows, made of what its tracers write anyway.

The tracers aren't asked for anything, and no packet is captured a second time: so a lab behaves as without it, what is
shown is what `check` judges, and a slow reader loses nothing, for what it hasn't read waits in the tracers' files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from srv6lab.capture import bpf, pcapng
from srv6lab.errors import LabError, MachineError
from srv6lab.evidence.packets import Direction, Point
from srv6lab.host.interrupts import held
from srv6lab.live.instance import Instance
from srv6lab.live.stream_files import Follower, Header, Record
from srv6lab.live.stream_order import Window
from srv6lab.live.stream_out import Out
from srv6lab.providers.base import Trace

TICK = 0.05  # seconds from a look at the files to the next
WINDOW = 0.2  # seconds that a packet waits for older ones
HELD = 16 << 20  # bytes of packets that wait, at most
_LOOK = 1.0  # seconds from a look at the lab to the next
_LAST = 2.0  # seconds that a reader has for what is left at the end
_GRACE = 3.0  # seconds in which a lab of which nothing runs may still be taken away by somebody
_SOURCE = slice(6, 12)  # of an Ethernet frame: the MAC that sent it

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Nic:
    """A NIC to stream, and what is told of it. Without a `mac` its packets have no direction."""

    point: Point
    description: str = ""
    mac: str = ""

    @property
    def address(self) -> bytes:
        return bytes.fromhex(self.mac.replace(":", ""))


@dataclass(slots=True)
class _Source:
    """A NIC's trace: which number it has in the stream, up to when it was read, and how many of its packets there are."""

    nic: Nic
    follower: Follower
    header: Header | None = None
    number: int = -1
    behind: bool = False
    until: int = 0
    packets: int = 0

    def block(self, record: Record) -> tuple[int, bytes]:
        """A packet with its time. Of the two ends of a wire at one instant the one that sends comes first."""
        when, ticks, data, length = record
        direction = self._direction(data)
        block = pcapng.packet(self.number, ticks, data, length, direction=direction)
        return when + (direction is Direction.IN), block

    def _direction(self, data: bytes) -> Direction | None:
        if not self.nic.mac or self.header is None or self.header.link != bpf.ETHERNET:
            return None
        return Direction.OUT if data[_SOURCE] == self.nic.address else Direction.IN


class Stream:
    """What goes on while NICs are streamed. `say` is told what a person should know of; `filter` is tcpdump's."""

    def __init__(self, lab: Instance, out: Out, say: Say, filter: str = "") -> None:
        self.lab, self.window = lab, Window(WINDOW, HELD)
        self._out, self._say = out, say
        self._filtering = partial(bpf.compiled, filter) if filter else None
        self._sources: dict[Point, _Source] = {}
        self._interfaces = 0
        self._notes: dict[tuple[Point, str], str] = {}
        self._looked = time.monotonic()
        self._dead_since = inf

    @property
    def packets(self) -> int:
        """How many were written, or wait to be."""
        return sum(source.packets for source in self._sources.values())

    @property
    def nics(self) -> int:
        return len(self._sources)

    def begin(self, nics: Sequence[Nic], head: bytes) -> None:
        """From now on; `head` is what stands before the NICs. MachineError if none of them can be streamed."""
        traces = {trace.point: trace for trace in self.lab.traces()}
        for nic in nics:
            trace = traces.get(nic.point, Trace(nic.point, None, "it is not traced"))
            self._note(nic.point, "tracer", trace.note)
            if trace.path is not None:
                self._sources[nic.point] = _Source(nic, Follower(trace.path, self._filtering))
        if not self._sources:
            raise MachineError("\n".join(f"{point}: {note}" for (point, _), note in self._notes.items()))
        self._out.put(head)
        self._out.flush()
        for source in self._sources.values():
            with self._told_of(source):
                source.follower.skip()
            self._introduce(source)
        self._out.flush()

    def run(self, each: Callable[[], None] = lambda: None) -> None:
        """Until the lab is taken away; MachineError if it ended otherwise. `each` is called after each look at the files.

        Also where an interrupt ends it, all that was captured before is written, unless the reader takes too long.
        """
        try:
            while self._goes_on():
                behind = self._round()
                each()
                if not behind:
                    self._out.wait(TICK)
        except (KeyboardInterrupt, LabError):
            self._finish()
            raise
        self._finish()

    def _round(self) -> bool:
        """Read what came, and write what has waited; whether there is more to read."""
        with held():  # an interrupt must not lose what was read and isn't written
            behind = self._read()
            self._out.put(b"".join(self.window.take(time.monotonic(), self._limit())))
        self._out.flush()
        return behind

    def _read(self) -> bool:
        """From every NIC, that which was read least far first; once too much waits, no further than one that gave
        something."""
        gave = False
        for source in sorted(self._sources.values(), key=lambda one: one.until):
            if gave and self.window.full:
                source.behind = True
            else:
                gave = self._take(source) or gave
        return any(source.behind for source in self._sources.values())

    def _limit(self) -> int | None:
        """Up to when all were read of which there is more to read."""
        return min((source.until for source in self._sources.values() if source.behind), default=None)

    def _take(self, source: _Source) -> bool:
        with self._told_of(source):
            batch = source.follower.read()
            if batch.anew:
                self._say(
                    f"{source.nic.point}: its trace began anew, and {batch.anew} bytes of the old one weren't read"
                )
            self._introduce(source)
            source.behind, source.until = batch.behind, batch.until or source.until
            source.packets += len(batch.records)
            self.window.add(map(source.block, batch.records), time.monotonic())
            return bool(batch.until)
        return False

    def _introduce(self, source: _Source) -> None:
        """Write a NIC's block once its file says what is in it."""
        header = source.follower.header
        if header is None or header == source.header:
            return
        source.header, source.number = header, self._interfaces
        self._interfaces += 1
        told = pcapng.Interface(
            str(source.nic.point),
            header.link,
            source.nic.description,
            source.nic.mac,
            digits=header.digits,
            snapshot=header.snapshot,
        )
        self._out.put(pcapng.interface(told))

    @contextmanager
    def _told_of(self, source: _Source) -> Iterator[None]:
        """What is wrong with its file, told once."""
        try:
            yield
        except ValueError as error:
            source.behind = False
            self._note(source.nic.point, "file", f"{source.follower.path.name}: {error}")

    def _note(self, point: Point, of: str, note: str) -> None:
        """Say what is wrong with a NIC's tracer or file, unless that was said last of it."""
        if note and self._notes.get((point, of)) != note:
            self._say(f"{point}: {note}")
        self._notes[point, of] = note

    def _goes_on(self) -> bool:
        """Look at the lab now and then: it may have been taken away, built anew, or died."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return True
        self._looked = now
        state = self.lab.home.read()
        if state is None:
            self._say(f"{self.lab.name} was taken away: that is the end of the capture")
            return False
        self.lab = replace(self.lab, state=state)
        if state.phase == "ready":
            try:
                self._look()
                self._dead_since = inf
            except MachineError:
                self._dead_since = min(self._dead_since, now)
                if now - self._dead_since > _GRACE:
                    raise
        return True

    def _look(self) -> None:
        for trace in self.lab.traces():
            if trace.point in self._sources:
                self._note(trace.point, "tracer", trace.note)

    def _finish(self) -> None:
        """Write all that was captured, as far as the reader takes it. One that has gone is no matter any more."""
        deadline = time.monotonic() + _LAST
        with suppress(BrokenPipeError):
            while (
                self._out.flush(deadline - time.monotonic()) and self._read() and time.monotonic() < deadline
            ):
                self._out.put(b"".join(self.window.take(time.monotonic(), self._limit())))
            self._out.put(b"".join(self.window.rest()))
            self._out.flush(deadline - time.monotonic())
