"""Waiting for what happens elsewhere: it is asked for again and again, and never longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def wait_until(ask: Callable[[], Answer], patience: float, interval: float) -> Answer:
    """Ask until the answer is true, every `interval` seconds for `patience` seconds; the last answer. It is asked
    once at least, and once more when the time is over."""
    deadline = time.monotonic() + patience
    while True:
        late = time.monotonic() > deadline
        if (answer := ask()) or late:
            return answer
        time.sleep(interval)
