"""A machine that is suspended while a lab works, and one whose memory goes out to a disk: a verdict is never wrong, and nothing is
left. All that stops is what belongs to the lab and to the command: who really sleeps stops the clock as well."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from srv6lab.providers.node import cgroups
from tests.guests.lab import Typed, ended

VERBS = ("up", "check")
NIGHTS, ASLEEP = 3, 8.0  # of each verb, and seconds: longer than all that `check` waits for in one place
PUSH = {"memory.force_empty": "0", "memory.reclaim": "1G"}  # of the two kinds of control groups


def of_the_lab(lab: Typed) -> set[int]:
    """Processes in its control group."""
    group = cgroups.group(str(lab.home.path.resolve()))
    found: set[int] = set()
    for place in Path("/sys/fs/cgroup").glob(f"**/{group}/cgroup.procs"):
        found |= {*map(int, place.read_text().split())}
    return found


def below(pid: int) -> set[int]:
    """A process and all that it has started."""
    found, more = set[int](), {pid}
    while more:
        found |= more
        parents = {}
        for place in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
        more = {one for one, parent in parents.items() if parent in found} - found
    return found


def sleep(lab: Typed, pid: int) -> None:
    processes = below(pid) | of_the_lab(lab)
    for number, pause in ((signal.SIGSTOP, ASLEEP), (signal.SIGCONT, 0)):
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(pause)


@pytest.mark.prove
@pytest.mark.parametrize("verb", VERBS)
def test_a_machine_that_sleeps(verb: str, lab: Typed) -> None:
    dice = random.Random(f"sleeps while {verb}")
    for _ in range(NIGHTS):
        if verb != "up":
            assert lab.type("up").returncode == 0
        popen = lab.begin(verb)
        time.sleep(dice.uniform(0.3, 1.5))
        slept = popen.poll() is None
        sleep(lab, popen.pid)
        done = ended(popen)
        assert done.returncode in (0, *([3] if verb == "check" else [])), done
        assert slept, "it was done before"
        again = lab.type("check")
        assert again.returncode == 0, again
        assert lab.type("destroy").returncode == 0


@contextmanager
def swap() -> Iterator[None]:
    """A file of 256 MiB that memory can go to."""
    with tempfile.NamedTemporaryFile(prefix="srv6lab-swap-", dir="/var/tmp") as file:
        for words in (("fallocate", "--length", "256M"), ("mkswap", "--quiet"), ("swapon",)):
            subprocess.run([*words, file.name], check=True, capture_output=True)
        try:
            yield
        finally:
            subprocess.run(["swapoff", file.name], check=True)


def push_out(lab: Typed) -> int:
    """Ask the kernel to take the lab's memory away: how many KiB of its processes are on the disk then."""
    group = cgroups.group(str(lab.home.path.resolve()))
    for name, words in PUSH.items():
        for place in Path("/sys/fs/cgroup").glob(f"**/{group}/{name}"):
            with suppress(OSError):  # it could not find as much as was asked for
                place.write_text(words)
    out = 0
    for pid in of_the_lab(lab):
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            out += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSwap:"))
    return out


@pytest.mark.prove
def test_a_lab_whose_memory_is_on_the_disk(lab: Typed) -> None:
    """Before a check, and again and again while one is at work."""
    with swap():
        assert lab.type("up").returncode == 0
        assert push_out(lab) > 1000
        done = lab.type("check")
        assert done.returncode == 0, done
        over = threading.Event()

        def go_on() -> None:
            while not over.wait(0.1):
                push_out(lab)

        pusher = threading.Thread(target=go_on)
        pusher.start()
        try:
            done = lab.type("check")
        finally:
            over.set()
            pusher.join()
        assert done.returncode in (0, 3), done
        assert lab.type("destroy").returncode == 0
