"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it has begun is taken back first.

A signal may reach any thread of this process, but Python hears it in the main one: so what must not be cut in two is
`held` together here, and not by a mask of the thread's own.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from srv6lab.errors import Stopped

_STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Heard:
    """What this process has heard: signals that wait until nothing is held any more, and whether it was stopped."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.holding = 0
        self.stopped = False

    def __call__(self, number: int, _: FrameType | None = None) -> None:
        if self.holding:
            self.waiting.append(number)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        elif not self.stopped:  # who stops a command often says so twice, such as timeout(1)
            self.stopped = True
            _leave_a_dead_terminal()
            raise Stopped(number)


_heard = _Heard()


def listen() -> None:
    """From here on; a signal that whoever started this process ignores, as nohup does, stays ignored."""
    for number in (signal.SIGINT, *_STOPS):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _heard)


def over() -> None:
    """All is done or cleaned up, and its exit code stands. While Python ends it leaves signals to the system, and one more
    would be the end by that signal. Not before: commands inherit what is ignored."""
    for number in (signal.SIGINT, *_STOPS):
        signal.signal(number, signal.SIG_IGN)
    # Where Ctrl-C reached a text that was being executed, as those of dataclasses are, Python would end by the signal, however
    # it was answered. The next text that is executed makes it forget that.
    exec("")


@contextmanager
def held() -> Iterator[None]:
    """Signals wait until the block's end, such as until what is being made there is known. No other thread than the main one
    hears any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _heard.holding += 1
    try:
        yield
    finally:
        _heard.holding -= 1
        if not _heard.holding and _heard.waiting:
            number = _heard.waiting[0]  # who stops a command often says so twice
            _heard.waiting.clear()
            _heard(number)


def _leave_a_dead_terminal() -> None:
    """What is said to a terminal that was closed is an error, and the cleaning up would end by it."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
