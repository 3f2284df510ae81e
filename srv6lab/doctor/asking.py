"""Ask tools for their versions, all at once; what they answer is read elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: `code` is None if there is no such command, and `late` says that it was ended
    because it didn't end."""

    code: int | None
    out: str = ""
    late: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0


ABSENT = Answer(None)


def ask(questions: Mapping[str, Sequence[str]]) -> dict[str, Answer]:
    """The answer to each question, a command line; a command that hangs gets five seconds."""
    if not questions:
        return {}
    with ThreadPoolExecutor(len(questions)) as pool:
        return dict(zip(questions, pool.map(_ask, questions.values()), strict=True))


def _ask(command: Sequence[str]) -> Answer:
    pipe, null, both = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
    try:
        popen = subprocess.Popen(
            command, stdin=null, stdout=pipe, stderr=both, text=True, errors="replace", start_new_session=True
        )
    except OSError:
        return ABSENT
    try:
        out, _ = popen.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        _end(popen)  # not waited for: one that the kernel holds doesn't end
        return Answer(-1, late=True)
    return Answer(popen.returncode, out)


def _end(popen: subprocess.Popen[str]) -> None:
    """With what it started, where processes come in groups."""
    if hasattr(os, "killpg"):
        os.killpg(popen.pid, signal.SIGKILL)
    else:
        popen.kill()
