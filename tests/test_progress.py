"""Long work says what it is at."""

from __future__ import annotations

import io
import threading

from srv6lab.report.progress import Progress


class Heard(io.StringIO):
    """It lets go whoever waits for a second line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = threading.Semaphore(0)

    def write(self, text: str) -> int:
        if text == "\n":
            self.lines.release()
        return super().write(text)


def test_a_step_that_lasts_is_named_again() -> None:
    out = Heard()
    with Progress("check", out, silence=0.01) as progress:
        progress("asking a")
        assert all(out.lines.acquire(timeout=10) for _ in range(3))
    first, second, third, *_ = (line.partition("]  ")[2] for line in out.getvalue().splitlines())
    assert (first, second, third) == ("asking a", "still at it: asking a", "still at it: asking a")


def test_who_speaks_in_time_is_not_spoken_for() -> None:
    out = io.StringIO()
    with Progress("check", out) as progress:
        progress("asking a")
    assert [line.partition("]  ")[2] for line in out.getvalue().splitlines()] == ["asking a", "check: done"]
