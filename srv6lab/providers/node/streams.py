"""What a command in a node reads and writes: pipes, and a terminal of its own.

Root in a node opens anew whatever it is handed open, for writing, too; may change its mode and its owner; and keeps a terminal for
as long as it likes. So this machine's files, devices and terminals stay with a process outside, which carries what is read
and written.
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
import sys
import termios
import tty

from .kernel import call
from .lean import signal, suppress

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

_CHUNK = 65536
_MOST_FILES = 65536
_NULL = os.makedev(1, 3)
_PR_SET_PDEATHSIG = 1
_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_UNTIL_IT_IS_LOOKED = 0.2  # seconds in which nobody misses that a terminal is ours again: no signal tells


def own_null() -> None:
    """In a node: the node's device in the place of this machine's."""
    for number in (0, 1, 2):
        with suppress(OSError):  # it is closed
            found = os.fstat(number)
            if stat.S_ISCHR(found.st_mode) and found.st_rdev == _NULL:
                null = os.open("/dev/null", os.O_RDWR)
                os.dup2(null, number)
                os.close(null)


def end_with_parent() -> None:
    """Whoever kills the process outside means the command."""
    call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL)


def carried(work: Callable[[], NoReturn]) -> NoReturn:
    """Do the work in a process with streams of its own, and end as that does."""
    streams = _Streams()
    shell = os.fork()
    if shell == 0:
        os.setsid()
        end_with_parent()
        streams.take()
        _be_its_shell(work)
    streams.carry(shell)


def _be_its_shell(work: Callable[[], NoReturn]) -> NoReturn:
    """Do the work in a job of its own; stop when it stops, and end as it ends."""
    job = os.fork()
    if job == 0:
        end_with_parent()
        os.setpgid(0, 0)
        if os.isatty(0):
            _to_the_foreground()
        work()
    _hand_on(job, (*_HANDED_ON, signal.SIGTSTP))
    os.closerange(0, _MOST_FILES)  # who reads and writes at the other ends waits for the job alone
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            _end(status)
        os.kill(os.getpid(), signal.SIGSTOP)
        _tell(job, signal.SIGCONT)


def _to_the_foreground() -> None:
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


class _Streams:
    """`theirs` are the descriptors that take the place of ours, `flows` what is read here and where it goes."""

    def __init__(self) -> None:
        self.theirs: dict[int, int] = {}
        self.flows: dict[int, int] = {}
        self.pending = b""
        self.master = self.slave = self.input = -1
        self.kept: list[Any] | None = None  # how our terminal was before it was told to hand on every key
        if _is_ours(0) and os.isatty(1):
            self.master, self.slave = os.openpty()
            self._resize()
        for number in (0, 1, 2):
            if self.slave >= 0 and os.isatty(number):
                self.theirs[number] = self.slave
            elif _leads_out(number):
                reading, writing = os.pipe()
                self.theirs[number] = reading if number == 0 else writing
                self.flows[0 if number == 0 else reading] = writing if number == 0 else number
        if self.master >= 0:
            self.flows |= {0: self.master, self.master: 1}
        if 0 in self.flows:
            self.input = self.flows[0]
            os.set_blocking(self.input, False)
            if os.isatty(0) and not _is_ours(0):  # in the background nobody reads a terminal
                os.close(self.flows.pop(0))

    def take(self) -> None:
        """In the child: these are its streams."""
        for number, descriptor in self.theirs.items():
            os.dup2(descriptor, number)
        if self.slave >= 0:
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def carry(self, shell: int) -> NoReturn:
        for descriptor in {*self.theirs.values()} - {self.theirs.get(0)} | {self.slave} - {-1}:
            os.close(descriptor)
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGWINCH, lambda *_: self._resize())
        _hand_on(shell)
        if self.master >= 0:  # else whoever carries stops at once, and what the command says meanwhile waits
            _hand_on(shell, (signal.SIGTSTP,))
        try:
            status = self._until_the_end(shell, woken)
        finally:
            self._put_back()
        self._give_back()
        _end(status)

    def _until_the_end(self, shell: int, woken: int) -> int:
        status = None
        while True:
            ours = self._is_at_hand()
            sources = [woken, *(one for one in self.flows if one or (ours and not self.pending))]
            patience = 0 if status is not None else None if ours else _UNTIL_IT_IS_LOOKED
            ready, writable, _ = select.select(sources, [self.input] if self.pending else [], [], patience)
            if writable:
                self._feed()
            for source in ready:
                os.read(woken, _CHUNK) if source == woken else self._move(source)
            if status is not None and not [one for one in ready if one not in (0, woken)]:
                return status
            if status is None:
                changed, said = os.waitpid(shell, os.WNOHANG | os.WUNTRACED)
                if changed and os.WIFSTOPPED(said):
                    self._stop(shell)
                elif changed:
                    status = said

    def _is_at_hand(self) -> bool:
        """Whether keys are for us; a terminal is told to hand on every one of them."""
        if self.master < 0:
            return True
        if (ours := _is_ours(0)) and self.kept is None:
            self.kept = termios.tcgetattr(0)
            tty.setraw(0, termios.TCSADRAIN)
        return ours

    def _put_back(self) -> None:
        if self.kept is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self.kept)
            self.kept = None

    def _stop(self, shell: int) -> None:
        """Until somebody goes on: with all that was started together with this process, where there is a terminal to do so
        at. Nobody else is stopped because a node's command wants it."""
        if self.master >= 0:
            self._put_back()
            heard = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(0, signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, heard)
            self._resize()
        _tell(shell, signal.SIGCONT)

    def _move(self, source: int) -> None:
        try:
            data = os.read(source, _CHUNK)
        except OSError:  # the last one that had the terminal is gone
            data = b""
        if source == 0 and data:
            self.pending = data
        elif not data:
            sink = self.flows.pop(source)
            if source == 0 and sink != self.master:
                os.close(sink)
        else:
            _write(self.flows[source], data)

    def _feed(self) -> None:
        try:
            self.pending = self.pending[os.write(self.input, self.pending) :]
        except BlockingIOError:
            return
        except OSError:
            self.pending = b""

    def _give_back(self) -> None:
        """What of a file nobody has read is the next one's to read."""
        if 0 in self.theirs and self.theirs[0] != self.slave and stat.S_ISREG(os.fstat(0).st_mode):
            left = int.from_bytes(fcntl.ioctl(self.theirs[0], termios.FIONREAD, bytes(4)), sys.byteorder)
            os.lseek(0, -left - len(self.pending), os.SEEK_CUR)

    def _resize(self) -> None:
        if self.master >= 0:
            with suppress(OSError):
                size = fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)


def _leads_out(number: int) -> bool:
    """Whether it is more than a pipe, a socket or nothing."""
    try:
        found = os.fstat(number)
        name = os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        return False
    null = stat.S_ISCHR(found.st_mode) and found.st_rdev == _NULL
    return not null and not name.startswith(("pipe:", "socket:"))


def _is_ours(number: int) -> bool:
    """Whether it is a terminal that this process may read now."""
    try:
        return os.isatty(number) and os.tcgetpgrp(number) == os.getpgrp()
    except OSError:  # one that isn't the terminal of our session
        return os.isatty(number)


def _hand_on(job: int, numbers: Sequence[int] = _HANDED_ON) -> None:
    """What reaches this process is for the job."""
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: _tell(job, number))


def _tell(child: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child, number)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError as error:
            os.write(2, f"what the node's command says can't be written: {error.strerror}\n".encode())
            os._exit(1)


def die_by(number: int) -> None:
    """As somebody who doesn't listen to it would."""
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        die_by(os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))
