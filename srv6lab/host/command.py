"""A command on this machine, its output and its end; a late one is killed with all that it started."""

from __future__ import annotations

import math
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from srv6lab.errors import MachineError
from srv6lab.host.interrupts import held

_LAST = 5  # lines of what a command said that tell why it failed
_MOST = 64 << 20  # bytes that one may say: what a node answers is the lab's, and it may never end
_LOOK = 0.5  # seconds between two looks at how much it is


class Late(MachineError):
    """A command that was ended because its time was over."""


class Absent(MachineError):
    """There is no such command, or it can't be started."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command came to, on this machine or in a node."""

    exit_code: int
    stdout: str
    stderr: str


class Begun(Protocol):
    """A command under way, of which all is text; what a Popen is, too."""

    stdin: IO[str] | None

    @property
    def returncode(self) -> int | None: ...
    def communicate(self, input: None = None, timeout: float | None = None) -> tuple[str, str]: ...
    def poll(self) -> int | None: ...
    def kill(self) -> None: ...


def begin(
    argv: Sequence[str],
    *,
    given: bool = False,
    merged: bool = False,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    """Begin a command with pipes, as the first of a session of its own."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if given else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        cwd=folder,
        env={**os.environ, **environment} if environment else None,
    )


def run(
    argv: Sequence[str],
    timeout: float | None = None,
    given: str | None = None,
    shown: Sequence[str] | None = None,
    *,
    merged: bool = False,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Completed:
    """Run a command in a folder, with `given` as its standard input and `environment` over ours; its errors go
    to its output if `merged`. Late after `timeout` seconds, which names it as `shown` where the command line
    is longer than what somebody asked for."""
    given_any = given is not None
    start = partial(begin, argv, given=given_any, merged=merged, environment=environment, folder=folder)
    return to_the_end(start, shown or argv, timeout, given)


def to_the_end(
    start: Callable[[], Begun], shown: Sequence[str], timeout: float | None, given: str | None
) -> Completed:
    """Start a command, and see it through to its end as `run` does."""
    begun: Begun | None = None
    try:
        with held():  # an interrupt meanwhile would leave it running, and nobody knew of it
            begun = start()
        out, err = _said(begun, given, timeout)
    except BaseException as error:
        if begun:
            _end(begun)
        elif isinstance(error, OSError):
            raise Absent(f"{shown[0]} can't be started: {error.strerror}") from None
        if isinstance(error, subprocess.TimeoutExpired):
            raise Late(f"no answer in {timeout:g} s: {shlex.join(shown)}") from None
        if isinstance(error, OverflowError):
            raise MachineError(f"more than {_MOST >> 20} MiB said by: {shlex.join(shown)}") from None
        raise
    return Completed(begun.returncode or 0, out, err)


def output(
    argv: Sequence[str],
    timeout: float,
    given: str | None = None,
    *,
    mend: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """What a command that has to succeed says; MachineError with its last words, and how to mend them."""
    done = run(argv, timeout, given, environment=environment, folder=folder)
    if done.exit_code:
        lines = (done.stderr or done.stdout).strip().splitlines()[-_LAST:]
        name = " ".join(word for word in argv[:2] if not word.startswith("-"))
        said = "".join(f"\n  {line}" for line in lines) or f" with exit code {done.exit_code}"
        raise MachineError(f"{name} failed{':' if lines else ''}{said}", mend)
    return done.stdout


def _said(popen: Begun, given: str | None, timeout: float | None) -> tuple[str, str]:
    """What it says until its end; TimeoutExpired, or OverflowError once it has said more than anybody reads."""
    until = time.monotonic() + (math.inf if timeout is None else timeout)
    if popen.stdin and given:  # beside it, since it can't be looked at twice with something to give
        threading.Thread(target=_give, args=(popen.stdin, given), daemon=True).start()
        popen.stdin = None
    while True:
        try:
            out, err = popen.communicate(None, min(_LOOK, max(0.0, until - time.monotonic())))
            return out, err or ""
        except subprocess.TimeoutExpired as error:
            if sum(map(len, (error.output or b"", error.stderr or b""))) > _MOST:
                raise OverflowError from None
            if time.monotonic() >= until:
                raise


def _give(to: IO[str], given: str) -> None:
    with suppress(OSError), to:  # whoever has heard enough closes it
        to.write(given)


def _end(popen: Begun) -> None:
    """With what it started, where processes come in groups. One that the kernel holds may not die, so its end
    is waited for no longer than a moment."""
    with suppress(ProcessLookupError):
        if isinstance(popen, subprocess.Popen) and hasattr(os, "killpg"):
            os.killpg(popen.pid, signal.SIGKILL)
        else:
            popen.kill()
    with suppress(subprocess.TimeoutExpired):
        popen.communicate(None, 1)
