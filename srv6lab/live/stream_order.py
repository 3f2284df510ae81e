"""Packets of several NICs in the order of their time, though each NIC's tracer writes them down when it can.

A packet is kept back for a moment, so that an older one of another NIC can still come before it. How long is counted
from when it was read, so the clocks of machines needn't agree with ours. What comes later than that goes out late.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from operator import itemgetter

_WHEN = itemgetter(0)


class Window:
    """Blocks with their time in nanoseconds. `seconds` is how long each is kept back, `most` how many bytes are."""

    def __init__(self, seconds: float, most: int) -> None:
        self.late = 0  # packets that came out behind a younger one
        self.bytes = 0
        self._seconds, self._most = seconds, most
        self._held: list[tuple[int, bytes]] = []
        self._ages: deque[tuple[float, int]] = deque()  # read at, and the newest time that was
        self._newest = self._out = 0
        self._ripe = 0

    def add(self, blocks: Iterable[tuple[int, bytes]], now: float) -> None:
        """What was read at a time of a clock that only goes forward, in seconds."""
        before = len(self._held)
        self._held.extend(blocks)
        if len(self._held) == before:
            return
        added = self._held[before:]
        self.bytes += sum(len(block) for _, block in added)
        self._newest = max(self._newest, max(map(_WHEN, added)))
        self._ages.append((now, self._newest))

    @property
    def full(self) -> bool:
        """Whether more is held than should be."""
        return self.bytes > self._most

    def take(self, now: float, limit: int | None = None) -> list[bytes]:
        """The blocks that have waited long enough, oldest first.

        Where files are read that have more to read, `limit` is the time up to which all of them were: what is older than
        that by the window goes out, however long it waited. Where too much is held, what is older than `limit` goes out.
        """
        while self._ages and self._ages[0][0] + self._seconds <= now:
            self._ripe = self._ages.popleft()[1]
        until = self._ripe
        if limit is not None:  # of one file, too, some are older by microseconds than what stands before them
            until = limit if self.full else limit - int(self._seconds * 1e9)
        elif self.full:
            until = self._newest
        return self._until(until)

    def rest(self) -> list[bytes]:
        """All that is held."""
        return self._until(self._newest)

    def _until(self, until: int) -> list[bytes]:
        self._held.sort(key=_WHEN)
        count = bisect_right(self._held, until, key=_WHEN)
        if not count:
            return []
        going, self._held = self._held[:count], self._held[count:]
        self.late += bisect_right(going, self._out - 1, key=_WHEN)
        self._out = max(self._out, going[-1][0])
        blocks = [block for _, block in going]
        self.bytes -= sum(map(len, blocks))
        return blocks
