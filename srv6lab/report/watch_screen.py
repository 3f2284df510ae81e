"""The screen of `watch` on a terminal, by rich, which only this file knows. However it ends, the terminal is as it was."""

from __future__ import annotations

import os
import signal
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO

from rich.console import Console, Group
from rich.control import Control
from rich.screen import Screen as Full
from rich.text import Text

from srv6lab.host import interrupts
from srv6lab.live.watch import Watcher
from srv6lab.live.watch_state import UP
from srv6lab.report.watch_frame import History, Line, frame

_QUIT = (b"q", b"Q", b"\x04")
_SIGNALS = (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)


class Screen:
    """Draws what a watcher sees until somebody types q."""

    def __init__(self, watcher: Watcher, keys: TextIO, out: TextIO, node: str = "") -> None:
        self.watcher, self.out, self.node = watcher, out, node
        self.keys = keys.fileno() if keys.isatty() else None
        self.history = History()
        self.console = console(out)
        self.before: list[Any] | None = None
        self.drawn: tuple[tuple[int, int], list[Line]] | None = None
        self.said: list[int] = []

    def run(self) -> None:
        with self._signals():
            try:
                self._enter()
                while not self._quit():
                    self._look()
                    self._heed()
            finally:
                with interrupts.held():
                    self._leave()

    def _look(self) -> None:
        known, _ = self.watcher.look()
        self.history.add(time.monotonic(), known.packets)
        slow = known.lab.state == UP and self.watcher.watched is not None and not self.watcher.watched.here
        note = f"nodes aren't on this machine: asked every {self.watcher.interval:g} s" if slow else ""
        size = size_of(self.out)
        lines = frame(known, self.history, *size, self.node, note)
        if (size, lines) != self.drawn:
            draw(self.console, lines, size)
            self.drawn = size, lines

    def _quit(self) -> bool:
        if self.drawn is None:
            return False
        ready = self.watcher.wait([] if self.keys is None else [self.keys])
        if self.keys is None or self.keys not in ready:
            return False
        typed = os.read(self.keys, 64)
        if not typed:  # nobody types any more
            self.keys = None
        return any(one in typed for one in _QUIT)

    # --- signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """A signal is noted, and heeded between two looks."""

        def note(number: int, _: FrameType | None) -> None:
            self.said.append(number)
            self.watcher.wake()

        before = {number: signal.signal(number, note) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _heed(self) -> None:
        said, self.said = self.said, []
        if signal.SIGTSTP in said:
            self._leave()
            self.watcher.release()  # what is stopped must not keep a namespace
            os.kill(os.getpid(), signal.SIGSTOP)
            self.said = []
            self._enter()
        elif signal.SIGCONT in said:
            self._enter()
        if signal.SIGWINCH in said:
            self.drawn = None

    # --- the terminal

    def _enter(self) -> None:
        if self.keys is not None:
            self.before = self.before or termios.tcgetattr(self.keys)
            tty.setcbreak(self.keys)
        self.console.control(Control.alt_screen(True), Control.show_cursor(False))
        self.drawn = None

    def _leave(self) -> None:
        """The terminal may be gone."""
        with suppress(OSError):
            self.console.control(Control.show_cursor(True), Control.alt_screen(False))
            self.out.flush()
        if self.keys is not None and self.before is not None:
            with suppress(OSError, termios.error):
                termios.tcsetattr(self.keys, termios.TCSADRAIN, self.before)


def console(out: TextIO) -> Console:
    """A terminal; without colors where $NO_COLOR says so."""
    plain = "NO_COLOR" in os.environ
    return Console(file=out, force_terminal=True, no_color=plain, markup=False, emoji=False, highlight=False)


def draw(on: Console, lines: list[Line], size: tuple[int, int]) -> None:
    """The whole screen at once; words are words, whatever stands in them."""
    on.size = size
    texts = [Text.assemble(*line, no_wrap=True, overflow="crop") for line in lines]
    on.control(Control.home())
    on.print(Full(Group(*texts)), end="")
    on.file.flush()


def size_of(out: TextIO) -> tuple[int, int]:
    """Columns and lines; those of an old terminal where it doesn't say."""
    with suppress(OSError):
        width, height = os.get_terminal_size(out.fileno())
        if width > 0 and height > 0:
            return width, height
    return 80, 24
