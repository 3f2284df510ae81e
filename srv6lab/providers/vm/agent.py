"""The machine's end of the wire on which commands come in: PID 1 of a micro-VM, `agent.py PORTS`.

A wire is a virtio-serial port. It serves one command at a time, and whoever uses it holds its lock. Outside
says `hello TOKEN`, the agent answers `ready TOKEN`; what an earlier user left in the wire lies before that
answer. Then frames go both ways: a letter, a length, the content.

    → R request (JSON)   I standard input (empty: its end)   W window size
    ← O standard output   E standard error   X exit code

When outside hangs up, the command's process group is killed. The file runs alone, with the standard
library only, in machines that have no srv6lab. The other end is call.py.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

HEAD = struct.Struct("!cI")
CHUNK = 32768
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class HungUp(Exception):
    """The other end has gone."""


class Frames:
    """Frames over a pair of functions: one that reads some bytes (none: hung up), one that writes all."""

    def __init__(self, read: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
        self._read, self._write = read, write
        self._buffer = b""

    def send(self, kind: bytes, content: bytes = b"") -> None:
        self._write(HEAD.pack(kind, len(content)) + content)

    def more(self) -> None:
        data = self._read()
        if not data:
            raise HungUp
        self._buffer += data

    def skip_to(self, word: bytes) -> bool:
        """Drop everything up to and with `word`, if it has come."""
        _, found, after = self._buffer.partition(word)
        if found:
            self._buffer = after
        return bool(found)

    def line(self) -> bytes | None:
        line, found, after = self._buffer.partition(b"\n")
        if not found:
            return None
        self._buffer = after
        return line

    def whole(self) -> Iterator[tuple[bytes, bytes]]:
        """The frames that have come whole."""
        while len(self._buffer) >= HEAD.size:
            kind, length = HEAD.unpack_from(self._buffer)
            if kind not in b"RIWOEX" or len(self._buffer) < HEAD.size + length:
                if kind not in b"RIWOEX":
                    raise HungUp  # another one's hello: whoever was here before has gone
                return
            content = self._buffer[HEAD.size : HEAD.size + length]
            self._buffer = self._buffer[HEAD.size + length :]
            yield kind, content


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def serve(ports: int) -> NoReturn:
    """PID 1: a process a port, and every orphan reaped."""
    for number in range(1, ports + 1):
        if os.fork() == 0:
            (path,) = (
                f"/dev/{name}" for name in os.listdir("/dev") if re.fullmatch(rf"vport\d+p{number}", name)
            )
            _serve_port(path)
    while True:
        with suppress(ChildProcessError):
            os.wait()


def _serve_port(path: str) -> NoReturn:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO})
    while True:
        port = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            # The kernel says SIGIO when the other end comes or goes.
            fcntl.fcntl(port, fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(port, fcntl.F_SETFL, fcntl.fcntl(port, fcntl.F_GETFL) | os.O_ASYNC)
            Session(port).run()
        except (HungUp, OSError, ValueError, KeyError):
            pass
        finally:
            os.close(port)  # with what was still to be read from it


class Session:
    """One command for one caller."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._frames = Frames(lambda: os.read(port, CHUNK), lambda data: write_all(port, data))

    def run(self) -> None:
        self._greet()
        request: dict[str, Any] | None = None
        while request is None:
            self._frames.more()
            for kind, content in self._frames.whole():
                if kind == b"R":
                    request = json.loads(content)
                    break
        try:
            command = _Command(request)
        except OSError as error:
            self._frames.send(b"E", f"{request['argv'][0]}: {error.strerror}\n".encode())
            self._frames.send(b"X", b"127" if isinstance(error, FileNotFoundError) else b"126")
            return
        try:
            self._relay(command)
            self._frames.send(b"X", str(command.wait()).encode())
        finally:
            command.kill()

    def _greet(self) -> None:
        while True:
            line = self._frames.line()
            if line is None:
                self._wait_for_caller()
                self._frames.more()
            elif line.startswith(b"hello "):
                write_all(self._port, b"ready " + line.removeprefix(b"hello ") + b"\n")
                return

    def _wait_for_caller(self) -> None:
        """A port without a caller is ready to be read, and has nothing."""
        poll = select.poll()
        poll.register(self._port, select.POLLIN)
        while any(event & _GONE for _, event in poll.poll()):
            signal.sigwait({signal.SIGIO})

    def _relay(self, command: _Command) -> None:
        """Until the command has ended, and its output too. What it can't take yet is not read from the port."""
        self._take(command)  # what came along with the request
        while command.running:
            poll = select.poll()
            poll.register(self._port, 0 if command.pending else select.POLLIN)
            for descriptor, events in command.wanted().items():
                poll.register(descriptor, events)
            for descriptor, event in poll.poll():
                if descriptor != self._port:
                    for kind, data in command.serve(descriptor, event):
                        self._frames.send(kind, data)
                elif event & select.POLLIN:
                    self._frames.more()
                    self._take(command)
                elif event & _GONE:
                    raise HungUp

    def _take(self, command: _Command) -> None:
        for kind, content in self._frames.whole():
            if kind == b"I":
                command.give(content)
            elif kind == b"W":
                command.resize(*json.loads(content))


class _Command:
    """The process of a request, and its streams: pipes, or a terminal of its own."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._size: Sequence[int] | None = request["size"]
        files = self._terminal() if self._size else (subprocess.PIPE,) * 3
        environment = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", **request["env"]}
        try:
            self._popen = subprocess.Popen(
                request["argv"],
                stdin=files[0],
                stdout=files[1],
                stderr=files[2],
                env=environment,
                cwd=request["cwd"],
                bufsize=0,
                start_new_session=True,
                preexec_fn=_own_terminal if self._size else None,
            )
        finally:
            if self._size:
                os.close(files[0])
        if not self._size:
            out, err, into = self._popen.stdout, self._popen.stderr, self._popen.stdin
            assert out and err and into
            self._outputs = {os.dup(out.fileno()): b"O", os.dup(err.fileno()): b"E"}
            self._input: int | None = os.dup(into.fileno())
            for file in (out, err, into):
                file.close()
            os.set_blocking(self._input, False)
        self._ended = os.pidfd_open(self._popen.pid)
        self.pending, self._last, self._exited = b"", False, False

    def _terminal(self) -> tuple[int, int, int]:
        ours, theirs = os.openpty()
        os.set_blocking(ours, False)
        self._outputs, self._input = {ours: b"O"}, ours
        assert self._size
        self.resize(*self._size)
        return theirs, theirs, theirs

    @property
    def running(self) -> bool:
        return not self._exited or bool(self._outputs)

    def wanted(self) -> dict[int, int]:
        found = dict.fromkeys(self._outputs, select.POLLIN)
        if not self._exited:
            found[self._ended] = select.POLLIN
        if self._input is not None and self.pending:
            found[self._input] = found.get(self._input, 0) | select.POLLOUT
        return found

    def serve(self, descriptor: int, event: int) -> Iterator[tuple[bytes, bytes]]:
        if descriptor == self._ended:
            self._exited = True
        if descriptor == self._input and event & (select.POLLOUT | _GONE):
            self._feed()
        if descriptor in self._outputs and event & (select.POLLIN | _GONE):
            if data := read(descriptor):
                yield self._outputs[descriptor], data
            else:
                self._close(descriptor)

    def give(self, content: bytes) -> None:
        """Standard input for the command; nothing is its end."""
        if content:
            self.pending += content
        elif self._size:
            self.pending += b"\x04"
        else:
            self._last = True
        self._feed()

    def resize(self, rows: int, columns: int) -> None:
        if self._size and self._input is not None:
            fcntl.ioctl(self._input, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self) -> int:
        return self._popen.wait()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        for descriptor in {*self._outputs, self._ended, *([] if self._input is None else [self._input])}:
            os.close(descriptor)

    def _feed(self) -> None:
        if self._input is None:
            self.pending = b""
            return
        try:
            if self.pending:
                self.pending = self.pending[os.write(self._input, self.pending) :]
        except BlockingIOError:
            return
        except OSError:  # nobody reads it any more
            self.pending, self._last = b"", True
        if self._last and not self.pending:
            self._close(self._input)

    def _close(self, descriptor: int) -> None:
        os.close(descriptor)
        self._outputs.pop(descriptor, None)
        if descriptor == self._input:
            self._input, self.pending = None, b""


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read(descriptor: int) -> bytes:
    """What can be read now; nothing at the end, which a terminal tells by an error."""
    try:
        return os.read(descriptor, CHUNK)
    except OSError:
        return b""


if __name__ == "__main__":
    serve(int(sys.argv[1]))
