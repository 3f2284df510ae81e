"""Commands in nodes, all of them begun by one small process (node/usher.py)."""

from __future__ import annotations

import atexit
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from srv6lab.errors import MachineError
from srv6lab.host.interrupts import held
from srv6lab.providers.node import usher
from srv6lab.providers.node.enter import told
from srv6lab.providers.process import Process

_CHUNK = 1 << 16


class Ushered:
    """A command in a node under way; it is spoken with as with a Popen."""

    def __init__(self, node: Process, argv: Sequence[str], *, given: bool = False) -> None:
        self.args = argv
        self.returncode: int | None = None
        self.stdin: IO[str] | None = None
        self._asking, theirs = socket.socketpair()
        reading, writing = os.pipe() if given else (os.open(os.devnull, os.O_RDONLY), -1)
        if given:
            self.stdin = os.fdopen(writing, "w", encoding="utf-8")
        (self._output, output), (self._errors, errors) = os.pipe(), os.pipe()
        self._said: dict[int, bytearray] = {self._output: bytearray(), self._errors: bytearray()}
        self._open = {*self._said}
        handed = [theirs.fileno(), reading, output, errors]
        try:
            _hand_over(node, handed)
            self._asking.sendall(usher.request([*argv], told()))
            self._asking.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.kill()
            raise MachineError(f"no command can be brought into nodes: {error.strerror}") from None
        finally:
            theirs.close()
            for descriptor in handed[1:]:
                os.close(descriptor)

    def communicate(self, _: None = None, timeout: float | None = None) -> tuple[str, str]:
        """What it has said, once it has ended and nobody can say more; TimeoutExpired with what it said so far."""
        until = None if timeout is None else time.monotonic() + timeout
        while self._open or self.returncode is None:
            left = None if until is None else max(0, round((until - time.monotonic()) * 1000))
            if not self._hear(left):
                output, errors = map(bytes, self._said.values())
                raise subprocess.TimeoutExpired(self.args, timeout or 0, output, errors)
        return self._text(self._output), self._text(self._errors)

    def _text(self, descriptor: int) -> str:
        text = self._said[descriptor].decode(errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def poll(self) -> int | None:
        """How it has ended, None of one that hasn't."""
        if self.returncode is None:
            self._hear(0)
        return self.returncode

    def kill(self) -> None:
        """End it, with all that it has started."""
        self._asking.close()
        self.returncode = -9 if self.returncode is None else self.returncode
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()

    def _hear(self, milliseconds: int | None) -> bool:
        """Whether it has said anything in that time."""
        poll = select.poll()
        for descriptor in self._open:
            poll.register(descriptor, select.POLLIN)
        if self.returncode is None:
            poll.register(self._asking, select.POLLIN)
        ready = poll.poll(milliseconds)
        for descriptor, _ in ready:
            if descriptor not in self._open:
                self._end()
            elif data := os.read(descriptor, _CHUNK):
                self._said[descriptor] += data
            else:
                os.close(descriptor)
                self._open.remove(descriptor)
        return bool(ready)

    def _end(self) -> None:
        status = b""
        with suppress(ConnectionResetError):
            status = self._asking.recv(usher.STATUS)
        if not status:
            self.kill()
            raise MachineError("what brings commands into nodes was ended")
        self.returncode = os.waitstatus_to_exitcode(int.from_bytes(status, "little"))
        self._asking.close()


class _Usher:
    """The process, and our end of its door."""

    def __init__(self) -> None:
        self.door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", usher.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # Ctrl-C at the terminal is not meant for it
            )

    def leave(self) -> None:
        self.door.close()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(1)


_usher: _Usher | None = None
_begins = threading.Lock()


def begin() -> None:
    """Begin the process, if there is none: who does that early finds it ready."""
    global _usher
    with held(), _begins:
        if _usher is None:
            _usher = _Usher()
            atexit.register(end)


def end() -> None:
    """End the process, if there is one: the next command begins another."""
    global _usher
    if _usher:
        _usher.leave()
    _usher = None


def _hand_over(node: Process, descriptors: Sequence[int]) -> None:
    try:
        _send(node, descriptors)
    except (BrokenPipeError, ConnectionResetError):  # somebody has ended it: so one more
        end()
        _send(node, descriptors)


def _send(node: Process, descriptors: Sequence[int]) -> None:
    begin()
    assert _usher
    socket.send_fds(_usher.door, [str(node.pid).encode()], descriptors)
