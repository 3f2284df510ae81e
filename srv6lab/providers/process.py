"""A process that is still the same one: (PID, start time) within one boot."""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """`start` is field 22 of /proc/PID/stat: clock ticks since boot, so a reused PID is not taken
    for the process that had it before."""

    pid: int
    start: int

    @property
    def pair(self) -> tuple[int, int]:
        return self.pid, self.start

    @classmethod
    def of(cls, pid: int) -> Process | None:
        found = _stat(pid)
        return cls(pid, found[1]) if found else None

    def alive(self) -> bool:
        found = _stat(self.pid)
        return found is not None and found[1] == self.start and found[0] not in "ZX"

    def stopped(self) -> bool:
        """Whether it waits for SIGCONT."""
        return (found := _stat(self.pid)) is not None and found == ("T", self.start)

    def kill(self, number: int = signal.SIGKILL, wait: float = 10.0) -> None:
        """Send a signal to this process and no other; with SIGKILL wait for its end."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive():  # looked at after the pidfd is held: the PID can't change hands now
                signal.pidfd_send_signal(descriptor, number)
                if number == signal.SIGKILL:
                    select.select([descriptor], [], [], wait)
        except ProcessLookupError:
            pass
        finally:
            os.close(descriptor)


def _stat(pid: int) -> tuple[str, int] | None:
    """(state, start time), or None where no such process is."""
    try:
        return stat_fields(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def stat_fields(text: str) -> tuple[str, int]:
    """(state, start time) of a /proc/PID/stat."""
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def listed(text: str) -> set[Process]:
    """The living processes among several /proc/PID/stat, one after the other."""
    found = set()
    for line in text.splitlines():
        state, start = stat_fields(line)
        if state not in "ZX":
            found.add(Process(int(line.split(" ", 1)[0]), start))
    return found


@lru_cache(maxsize=1)
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
