"""Progress of long work on stderr: a line a step with the time since the start."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO


class Progress:
    """Called with each step's name; says how long all took, or where it stopped."""

    def __init__(self, what: str, out: TextIO) -> None:
        self._what, self._out = what, out
        self._start = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __call__(self, step: str) -> None:
        self.line(f"{self._elapsed()}  {step}")

    def line(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self(f"{self._what}: done")
        elif kind is KeyboardInterrupt:
            self(f"{self._what}: interrupted")

    def _elapsed(self) -> str:
        return f"[{time.monotonic() - self._start:5.2f} s]"
