"""A small lab of these tests, by the commands that a person types: two routers, two hosts, a probe and a change."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from srv6lab.evidence.runs import digest, read_run
from srv6lab.providers.state import Home
from tests.conftest import REPOSITORY
from tests.small import SMALL

EXERCISE = "across"
# Which passes; the tests' own has expectations that don't hold.
_WRONG = ("elsewhere: absent", "absent: true}")
TEXT = "\n".join(line for line in SMALL.splitlines() if not line.endswith(_WRONG)).replace(", count: 2", "")
INVOKE = [sys.executable, "-m", "invoke"]
Done = subprocess.CompletedProcess[str]


def ended(popen: subprocess.Popen[str]) -> Done:
    """What came of a command; a traceback fails the test."""
    with popen:
        out, err = popen.communicate(timeout=600)
    assert "Traceback" not in err and "internal error" not in err, err
    return Done(popen.args, popen.returncode, out, err)


@dataclass
class Typed:
    """A lab with a name of its own and the folder of its state; commands are processes of their own."""

    folder: Path
    words: tuple[str, ...] = ()  # how a command is started
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(TEXT)

    @property
    def file(self) -> Path:
        return self.folder / "topology.yml"

    @property
    def home(self) -> Home:
        return Home(REPOSITORY / ".srv6lab" / self.name)

    @property
    def results(self) -> bool:
        """Whether a run lies there as a check has left it: whole, and with its verdict."""
        folder = self.home.run(EXERCISE)
        run = read_run(folder)
        return run is not None and run.seen == digest(folder)

    def line(self, verb: str, *more: str) -> list[str]:
        return [*self.words, *INVOKE, verb, str(self.file), "--instance", self.name, *more]

    def begin(self, verb: str, *more: str) -> subprocess.Popen[str]:
        """It leads a group of processes."""
        return subprocess.Popen(
            self.line(verb, *more),
            cwd=REPOSITORY,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def type(self, verb: str, *more: str) -> Done:
        """Until it is done; a traceback fails the test."""
        return ended(self.begin(verb, *more))

    def left(self) -> list[str]:
        """What of the lab is still on this machine, but for the results of checks."""
        place = str(self.home.path).encode()
        found = [
            f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines() if self.name in line
        ]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if place in (process / "cmdline").read_bytes():
                    found.append(f"process {process.name}")
            except OSError:
                continue
        if self.home.path.is_dir():
            found += [one.name for one in self.home.path.iterdir() if one.name != "runs"]
        return found
