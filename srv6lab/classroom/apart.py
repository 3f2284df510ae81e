"""Work on what somebody else has made, each piece in a process of its own: one that hangs, crashes or takes all of the
memory is a piece without a result, and none of the others'.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_MEMORY = 4 << 30  # bytes of addresses, tshark's too, each for itself
MOST_WRITTEN = 512 << 20  # bytes of a file


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a piece of work has no result, for people."""

    why: str


@dataclass(slots=True)
class _Begun(Generic[T]):
    number: int
    process: BaseProcess
    answer: Connection
    folder: tempfile.TemporaryDirectory[str]
    until: float


def apart(pieces: Sequence[Callable[[], T]], at_once: int, seconds: float) -> Iterator[tuple[int, T | Lost]]:
    """The number of each piece and its result, as they come; so many at once, each for so many seconds at most. What a
    piece writes into the folder for temporary files is removed after it."""
    waiting = list(enumerate(pieces))[::-1]
    begun: list[_Begun[T]] = []
    try:
        while waiting or begun:
            while waiting and len(begun) < at_once:
                begun.append(_begin(*waiting.pop(), seconds))
            for one in _over(begun):
                begun.remove(one)
                result = _result(one, seconds)
                yield one.number, result
    finally:
        for one in begun:
            _end(one)


def _begin(number: int, piece: Callable[[], T], seconds: float) -> _Begun[T]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    folder = tempfile.TemporaryDirectory(prefix="srv6lab-")
    process = multiprocessing.get_context("fork").Process(target=_work, args=(piece, theirs, folder.name))
    process.start()
    theirs.close()
    return _Begun(number, process, ours, folder, time.monotonic() + seconds)


def _work(piece: Callable[[], object], answer: Connection, folder: str) -> None:
    """In the child: a session of its own, so that whatever it starts ends with it."""
    os.setsid()
    for signal_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_, signal.SIG_DFL)
    for limit, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_FSIZE, MOST_WRITTEN)):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        answer.send(piece())
    except Exception as error:  # whatever it is, it is of this piece alone
        answer.send(Lost(f"grading it failed: {error!r}"))


def _over(begun: Sequence[_Begun[T]]) -> Iterable[_Begun[T]]:
    """Those that have answered, ended, or had their time."""
    left = max(0.0, min(one.until for one in begun) - time.monotonic())
    ready = set(map(id, wait([one.answer for one in begun], left)))
    now = time.monotonic()
    return [one for one in begun if id(one.answer) in ready or one.until <= now]


def _result(one: _Begun[T], seconds: float) -> T | Lost:
    try:
        if one.answer.poll():
            found: T = one.answer.recv()
            return found
        return Lost(f"it isn't done after {seconds:.0f} s")
    except (EOFError, OSError):
        return Lost("whoever graded it ended on the way")
    finally:
        _end(one)


def _end(one: _Begun[T]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if one.process.pid and os.getsid(one.process.pid) == one.process.pid:
            os.killpg(one.process.pid, signal.SIGKILL)
    one.process.kill()
    one.process.join()
    one.answer.close()
    one.folder.cleanup()


def own_folder() -> Path:
    """Where a piece of work may write: it is removed with it."""
    return Path(tempfile.gettempdir())
