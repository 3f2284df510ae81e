"""A command run in a micro-VM from outside: `call.py FOLDER -- COMMAND …`, on this process's own streams.

FOLDER holds the sockets of the machine's ports, and a lock beside each that whoever uses it holds. What goes
over the wire is in agent.py.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from srv6lab.host.lock import is_free
from srv6lab.providers.vm.agent import CHUNK, HEAD, Frames, HungUp, read, write_all

NO_MACHINE = 125  # the exit code where no machine answers


class Call:
    """A free port of a machine, held until closed, with somebody listening at its other end."""

    def __init__(self, folder: str, patience: float) -> None:
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        number, self._lock = _free_port(folder)
        path = f"/proc/self/fd/{self._folder}/port{number}"  # a socket's path has 107 letters at most
        deadline = time.monotonic() + patience
        # An earlier user may have been cut off in the middle of a frame, and then the first hello is
        # taken for the rest of it.
        while not self._greeted(path, min(deadline, time.monotonic() + max(5.0, patience / 3))):
            if time.monotonic() > deadline:
                raise TimeoutError("no answer")

    def _greeted(self, path: str, until: float) -> bool:
        token = secrets.token_hex(16).encode()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.frames = Frames(lambda: self.socket.recv(CHUNK), self.socket.sendall)
        self.socket.sendall(b"\nhello " + token + b"\n")
        while (left := until - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                self.frames.more()
                if self.frames.skip_to(b"ready " + token + b"\n"):
                    return True
        self.socket.close()
        return False

    def close(self) -> None:
        self.socket.close()
        os.close(self._lock)
        os.close(self._folder)


def _free_port(folder: str) -> tuple[int, int]:
    """(number, lock) of a port that nobody uses; where all are in use, of the first that is free again."""
    names = [name for name in os.listdir(folder) if name.startswith("port")]
    while True:
        for number in range(len(names)):
            lock = os.open(f"{folder}/lock{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if is_free(lock):
                return number, lock
            os.close(lock)
        if not names:
            raise FileNotFoundError(f"{folder} holds no port of a machine")
        time.sleep(0.05)


def call(folder: str, argv: Sequence[str], env: Mapping[str, str], cwd: str = "/") -> int:
    """Run a command in the machine on this process's own streams; its exit code, as a shell tells it."""
    try:
        there = Call(folder, 60.0)
    except OSError as error:
        print(f"the machine doesn't answer: {error}", file=sys.stderr)
        return NO_MACHINE
    terminal = os.isatty(0) and os.isatty(1)
    request = {"argv": list(argv), "env": dict(env), "cwd": cwd, "size": _size() if terminal else None}
    there.frames.send(b"R", json.dumps(request).encode())
    with _raw() if terminal else nullcontext():
        try:
            code = _talk(there, terminal)
        except (HungUp, ConnectionError):
            print("the machine has gone", file=sys.stderr)
            return NO_MACHINE
        finally:
            there.close()
    return code if code >= 0 else 128 - code


def _talk(there: Call, terminal: bool) -> int:
    """Relay until the exit code comes. It may come while the machine no longer takes what is typed."""
    wire, typing, pending = there.socket, True, b""
    wire.setblocking(False)
    resized = _resizes() if terminal else None
    while True:
        reading: list[Any] = [wire, *([0] if typing and not pending else []), *([resized] if resized else [])]
        readable, writable, _ = select.select(reading, [wire] if pending else [], [])
        if writable:
            try:
                pending = pending[wire.send(pending) :]
            except ConnectionError:
                typing, pending = False, b""
        if 0 in readable:
            data = read(0)
            typing, pending = bool(data), HEAD.pack(b"I", len(data)) + data
        if resized in readable and resized:
            resized.recv(CHUNK)
            size = json.dumps(_size()).encode()
            pending += HEAD.pack(b"W", len(size)) + size
        if wire in readable:
            there.frames.more()
            for kind, content in there.frames.whole():
                if kind == b"X":
                    return int(content)
                write_all(1 if kind == b"O" else 2, content)


def _resizes() -> socket.socket:
    """Readable when the terminal's size has changed."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.detach())
    signal.signal(signal.SIGWINCH, lambda *_: None)
    return ours


def _size() -> tuple[int, int]:
    columns, rows = os.get_terminal_size(0)
    return rows, columns


@contextmanager
def _raw() -> Iterator[None]:
    """What is typed goes to the machine's terminal as it is, Ctrl-C too."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def main(folder: str, _: str, *argv: str) -> int:
    try:
        return call(folder, argv, {"TERM": os.environ.get("TERM", "dumb")})
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
