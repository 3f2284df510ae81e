"""Brings commands into nodes for the process that began it. Who enters a node forks first, which copies him: of a program
with all that it has imported that takes longer than most commands do, and of this one little.

It is begun as a script (`python3 -I -S usher.py`), so it imports no more than it needs. On its standard input, a socket, it
hears the PID of a node's first process, and is handed four descriptors: a socket for what is said of the command, and the
command's three streams. On that socket it reads the command and its environment, and writes how it ended, as waitpid tells. Who
closes the socket before that ends the command with all that it started.
"""

from __future__ import annotations

import os
import select
import sys
from _socket import CMSG_LEN, MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOL_SOCKET, socket

if __name__ == "__main__":
    sys.path.append(os.path.abspath(f"{os.path.dirname(__file__)}/../../.."))

from srv6lab.providers.node import enter, guard
from srv6lab.providers.node.lean import signal, suppress

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from typing import NoReturn

_HANDED = 4  # descriptors
STATUS = 4  # bytes of what waitpid tells
_DESCRIPTOR = 4  # bytes of one
_CHUNK = 1 << 16
_CANNOT_ENTER = 1 << 8  # as waitpid tells an exit code of 1


def request(argv: list[str], environment: dict[str, str]) -> bytes:
    """What is said of a command: no word has a zero in it."""
    words = [str(len(argv)), *argv, *(f"{name}={value}" for name, value in environment.items())]
    return b"\0".join(map(os.fsencode, words))


def _read_request(said: bytes) -> tuple[list[str], dict[str, str]]:
    count, *words = map(os.fsdecode, said.split(b"\0"))
    argv, rest = words[: int(count)], words[int(count) :]
    return argv, dict(word.split("=", 1) for word in rest)


class _Usher:
    def __init__(self, door: int) -> None:
        self._door = socket(fileno=door)
        self._poll = select.poll()
        self._poll.register(door, select.POLLIN)
        self._open = True
        self._running: dict[int, tuple[int, socket]] = {}  # by the descriptor of a process, it and who asked
        self._asked: dict[int, int] = {}  # by the descriptor of who asked, that of the process

    def serve(self) -> None:
        """Until whoever began it is gone, and all that he asked for."""
        while self._open or self._running:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._door.fileno():
                    self._ask()
                elif descriptor in self._running:
                    self._ended(descriptor)
                elif descriptor in self._asked:
                    self._kill(descriptor)

    def _ask(self) -> None:
        handed = bytearray()
        said, more, *_ = self._door.recvmsg(_CHUNK, CMSG_LEN(_HANDED * _DESCRIPTOR), MSG_CMSG_CLOEXEC)
        for level, kind, data in more:
            if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
                handed += data
        if not said:
            self._poll.unregister(self._door)
            self._open = False
            return
        node, descriptors = int(said), memoryview(bytes(handed)).cast("i").tolist()
        asking, streams = socket(fileno=descriptors[0]), descriptors[1:]
        try:
            child = enter.start(node, lambda: _command(node, asking, streams))
            process = os.pidfd_open(child)
        except OSError as error:
            os.write(streams[-1], f"{enter.cannot(error)}\n".encode())
            _tell(asking, _CANNOT_ENTER)
        else:
            self._running[process] = child, asking
            self._asked[asking.fileno()] = process
            self._poll.register(process, select.POLLIN)
            self._poll.register(asking, 0)  # of which the end is told anyway
        for stream in streams:
            os.close(stream)

    def _ended(self, process: int) -> None:
        child, asking = self._running.pop(process)
        _, status = os.waitpid(child, 0)
        self._forget(asking)
        self._poll.unregister(process)
        os.close(process)
        _tell(asking, status)

    def _kill(self, asked: int) -> None:
        child, asking = self._running[self._asked[asked]]
        self._forget(asking)
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:  # it has no group of its own yet
            os.kill(child, signal.SIGKILL)

    def _forget(self, asking: socket) -> None:
        if self._asked.pop(asking.fileno(), None) is not None:
            self._poll.unregister(asking)


def _tell(asking: socket, status: int) -> None:
    with suppress(OSError):  # whoever asked is gone
        asking.send(status.to_bytes(STATUS, "little"))
    asking.close()


def _command(node: int, asking: socket, streams: list[int]) -> NoReturn:
    os.setsid()
    said = b""
    while data := asking.recv(_CHUNK):
        said += data
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    enter.run(node, *_read_request(said))


if __name__ == "__main__":
    guard.hidden()
    _Usher(0).serve()
    os._exit(0)
