"""`invoke` without a process of its own, for what needs no lab that runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from invoke import main

import tasks  # noqa: F401  # which makes invoke's program ours
from srv6lab.cli.labs import LabsFolder

REPOSITORY = Path(__file__).resolve().parent.parent
Done = subprocess.CompletedProcess[str]
Typed = Callable[..., Done]

COURSE_ONCE = cache(LabsFolder.course)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """`run` without a process of its own, which reads the course once: half a second less for what needs no lab, and
    more for what lists them all."""

    def run_here(*words: str) -> Done:
        line = ["invoke", *words]
        monkeypatch.chdir(REPOSITORY)
        monkeypatch.setattr(sys, "argv", line)
        monkeypatch.setattr(LabsFolder, "course", COURSE_ONCE)
        for signals in ("listen", "over"):  # they are pytest's own
            monkeypatch.setattr(f"srv6lab.host.interrupts.{signals}", lambda: None)
        with pytest.raises(SystemExit) as ended:
            main.program.run(line)
            raise SystemExit(0)
        out, err = capsys.readouterr()
        return Done(line, int(ended.value.code or 0), out, err)

    return run_here
