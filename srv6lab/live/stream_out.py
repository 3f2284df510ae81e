"""Where a stream goes: written in pieces that don't block, so that a signal is heard also while nobody reads, and never
cuts what is written."""

from __future__ import annotations

import os
import select
import stat
import time
from collections import deque
from math import inf

from srv6lab.host.interrupts import held

_FILE = 1 << 20  # bytes that a file takes at once
_PIPE = getattr(
    select, "PIPE_BUF", 4096
)  # what a pipe takes without blocking, once it says that it takes anything


class Out:
    """A descriptor of a pipe, socket, or file. BrokenPipeError once nobody reads it any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._poll = None if regular or not hasattr(select, "poll") else select.poll()
        self._left: deque[memoryview] = deque()

    def put(self, data: bytes) -> None:
        """Have it written by the next `flush`."""
        if data:
            self._left.append(memoryview(data))

    def flush(self, patience: float = inf) -> bool:
        """Write all that was put, however long the reader takes; False if that is longer than `patience` seconds. After an
        interrupt the next call goes on where this one was."""
        deadline = time.monotonic() + patience
        while self._left:
            if self._takes(min(1.0, deadline - time.monotonic())):
                self._write()
            elif time.monotonic() >= deadline:
                return False
        return True

    def _write(self) -> None:
        with held():  # what was written and what is left to write go together
            piece = self._left[0]
            count = os.write(self.descriptor, piece[: _PIPE if self._poll else _FILE])
            if count < len(piece):
                self._left[0] = piece[count:]
            else:
                self._left.popleft()

    def wait(self, seconds: float) -> None:
        """Do nothing for a while; that the reader has gone is noticed at once."""
        if self._poll:
            self._poll.register(self.descriptor, 0)
            self._told(seconds)
        else:
            time.sleep(seconds)

    def _takes(self, seconds: float) -> bool:
        if not self._poll:
            return True
        self._poll.register(self.descriptor, select.POLLOUT)
        return self._told(seconds)

    def _told(self, seconds: float) -> bool:
        assert self._poll
        events = self._poll.poll(max(0.0, seconds) * 1000)
        if any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in events):
            raise BrokenPipeError
        return bool(events)
