"""The first lab up, checked and taken away again and again: nothing grows, on this machine or in the process that does it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from srv6lab.live.lifecycle import destroy
from srv6lab.providers.state import Home
from tests.conftest import SITE, bring, need_root, silent
from tests.machine import nothing_left, settles

CYCLES = int(os.environ.get("SRV6LAB_CYCLES", "200"))
NAME = SITE.course()[0][0].name
MEMORY = 64 << 10  # kB that this process may grow by
# What a count of files can't see and a count of inodes can: of the file system with namespaces, none is kept by an open file.
HELD = ("mnt:", "net:", "pid:", "uts:", "ipc:", "cgroup:")


def held() -> dict[str, int]:
    """What this process has open, by kind, and its threads."""
    files = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return {
        "open files": len(files),
        "namespaces": sum(one.startswith(HELD) for one in files),
        "threads": threading.active_count(),
    }


def resident() -> int:
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])


def cycle(home: Home) -> None:
    reference = SITE.refer(NAME)
    one = bring(home, SITE.load(reference)[0], reference)
    (verdict,) = check(one.running, one.plan, [one.plan.exercises[0].name], silent)
    assert verdict.status is not Status.FAIL, verdict
    assert destroy(home, purge=True)
    assert not home.path.exists()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    need_root()
    one = Home(tmp_path / ".srv6lab" / "cycles")
    yield one
    destroy(one, purge=True)


@pytest.mark.parametrize("cycles", [2, pytest.param(CYCLES, marks=pytest.mark.prove)])
def test_nothing_grows(cycles: int, home: Home, record_property: Callable[[str, object], None]) -> None:
    cycle(home)  # what is imported and opened once is
    with nothing_left():
        before, memory = held(), resident()
        for _ in range(cycles):
            cycle(home)
        assert settles(lambda: held() == before), (before, held())
        grown = resident() - memory
    record_property("kB that the process grew by", grown)
    assert grown < MEMORY


def test_what_is_kept_open_is_seen() -> None:
    """A file of a namespace, as a driver that forgets to close it would keep."""
    before = held()
    with Path("/proc/self/ns/net").open("rb"):
        found = held()
    assert {name: found[name] - before[name] for name in found} == {
        "open files": 1,
        "namespaces": 1,
        "threads": 0,
    }
