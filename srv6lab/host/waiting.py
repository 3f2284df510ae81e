"""Waiting for what happens elsewhere: it is asked for again and again, and never longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def at_once(ask: Callable[[Asked], Answer], whom: Sequence[Asked]) -> list[Answer]:
    """What each answers, in their order; all are asked at the same time, so the slowest says how long it takes."""
    with ThreadPoolExecutor(max_workers=max(1, len(whom))) as pool:
        return list(pool.map(ask, whom))


def wait_until(ask: Callable[[], Answer], patience: float, interval: float) -> Answer:
    """Ask until the answer is true, every `interval` seconds for `patience` seconds; the last answer. It is asked
    once at least, and once more when the time is over."""
    deadline = time.monotonic() + patience
    while True:
        late = time.monotonic() > deadline
        if (answer := ask()) or late:
            return answer
        time.sleep(interval)
