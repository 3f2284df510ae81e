"""Progress of long work on stderr: a line a step with the time since the start, and one whenever a step lasts."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TextIO

from srv6lab.errors import printable

SILENCE = 8.0  # seconds without a word


class Progress:
    """Called with each step's name; says how long all took, or where it stopped, and names the step again after
    `silence` seconds without a word."""

    def __init__(self, what: str, out: TextIO, silence: float = SILENCE) -> None:
        self._what, self._out, self._silence = what, out, silence
        self._start, self._step = time.monotonic(), what
        self._spoken, self._over = threading.Event(), False
        self._thread = threading.Thread(target=self._never_silent, daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __call__(self, step: str) -> None:
        self._step = step
        self.line(f"{self._elapsed()}  {step}")
        self._spoken.set()

    def _never_silent(self) -> None:
        while not self._over:
            if self._spoken.wait(self._silence):
                self._spoken.clear()
            elif not self._over:
                self.line(f"{self._elapsed()}  still at it: {self._step}")

    def line(self, text: str) -> None:
        print(printable(text), file=self._out, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._spoken.set()
        self._thread.join()
        if kind is None:
            self(f"{self._what}: done")
        elif issubclass(kind, KeyboardInterrupt):
            self(f"{self._what}: interrupted")

    def _elapsed(self) -> str:
        return f"[{time.monotonic() - self._start:5.2f} s]"
