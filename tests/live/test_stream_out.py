"""Bytes that go to somebody who takes them when he likes: whole, whatever interrupts it."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from srv6lab.host import interrupts
from srv6lab.live.stream_out import Out

DATA = os.urandom(1 << 20)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Signals are heard as in `invoke`."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    interrupts.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def drained(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 16):
        parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


@pytest.mark.parametrize("kind", ["pipe", "socket", "file"])
def test_all_of_it_arrives(kind: str, tmp_path: Path) -> None:
    if kind == "file":
        with (tmp_path / "x").open("wb") as file:
            out = Out(file.fileno())
            out.put(DATA)
            assert out.flush()
            out.wait(0)
        assert (tmp_path / "x").read_bytes() == DATA
        return
    ours, theirs = os.pipe() if kind == "pipe" else [one.detach() for one in socket.socketpair()]
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(drained(ours)))
    reader.start()
    out = Out(theirs)
    out.put(DATA)
    out.put(b"end")
    assert out.flush()
    os.close(theirs)
    reader.join()
    assert got == [DATA + b"end"]


def test_an_interrupt_is_heard_while_nobody_reads_and_cuts_nothing(interruptible: None) -> None:
    ours, theirs = os.pipe()
    out = Out(theirs)
    out.put(DATA)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        out.flush()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(drained(ours)))
    reader.start()
    assert out.flush()
    os.close(theirs)
    reader.join()
    assert got == [DATA]


def test_a_reader_who_takes_too_long_is_left() -> None:
    ours, theirs = os.pipe()
    out = Out(theirs)
    out.put(DATA)
    assert not out.flush(0.05)
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("what", ["wait", "flush"])
def test_a_reader_who_has_gone_is_noticed(what: str) -> None:
    ours, theirs = os.pipe()
    out = Out(theirs)
    os.close(ours)
    out.put(b"x")
    with pytest.raises(BrokenPipeError):
        out.wait(60) if what == "wait" else out.flush()
    os.close(theirs)
