"""Questions that take longer than a glance, asked in threads beside whoever watches."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

Key = tuple[str, str]


class Questions:
    """Each key is asked once at a time; `wake` is called when an answer has come, from another thread. The threads don't
    hold up the end of the program."""

    def __init__(self, wake: Callable[[], None], workers: int) -> None:
        self._wake = wake
        self._asked: queue.SimpleQueue[tuple[Key, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[tuple[Key, Any]] = queue.SimpleQueue()
        self._open: set[Key] = set()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for one in self._threads:
            one.start()

    def ask(self, key: Key, question: Callable[[], Any]) -> bool:
        """False if that is being asked already."""
        if key in self._open:
            return False
        self._open.add(key)
        self._asked.put((key, question))
        return True

    def answers(self) -> Iterator[tuple[Key, Any]]:
        """Those that have come; an exception is an answer too."""
        while not self._answered.empty():
            key, answer = self._answered.get()
            self._open.discard(key)
            yield key, answer

    def end(self, patience: float) -> None:
        """No more; what is being asked has so many seconds."""
        while not self._asked.empty():
            self._asked.get()
        for _ in self._threads:
            self._asked.put(None)
        for one in self._threads:
            one.join(patience / len(self._threads))

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            key, question = asked
            answer: Any
            try:
                answer = question()
            except Exception as error:
                answer = error
            self._answered.put((key, answer))
            self._wake()
