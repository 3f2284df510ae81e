"""A command on this machine, its output and its end; a late one is killed with all that it started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from srv6lab.errors import MachineError


def run(
    argv: Sequence[str],
    timeout: float | None = None,
    given: str | None = None,
    shown: Sequence[str] | None = None,
) -> Completed:
    """Run a command with `given` as its standard input; MachineError after `timeout` seconds, which names
    it as `shown` where the command line is longer than what somebody asked for."""
    popen = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, err = popen.communicate(given, timeout)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)  # nsenter and what it started
        popen.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise MachineError(f"no answer in {timeout:g} s: {shlex.join(shown or argv)}") from None
        raise
    return Completed(popen.returncode, out, err)


if TYPE_CHECKING:  # a plan takes longest to import, and most of what a provider does needs none
    pass


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command in a node came to."""

    exit_code: int
    stdout: str
    stderr: str
