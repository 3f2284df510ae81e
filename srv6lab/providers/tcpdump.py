"""One tcpdump a NIC: started, proven live, drained, read.

A tracer is live once it says that it listens. It is drained once it has written as many packets as
the kernel handed it: it says both numbers when it gets SIGUSR1, and says them after the packet that
it is at work on is on the disk. What was captured between two drained moments is a slice of its file.
"""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.capture.pcap import PCAP_HEADER, slice_pcap, whole
from srv6lab.errors import MachineError
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.host.waiting import wait_until
from srv6lab.providers import rootless
from srv6lab.providers.process import Process

# A tracer ends when its file reaches this size: a transfer that was left running can't fill the disk.
LIMIT = 256 * 2**20
# What the kernel keeps of what a tracer hasn't read yet, in KiB; all tracers of a lab together take no more than a part of
# the memory that is free when it comes up, unless each has the least: so a score of labs at once leave most of it.
_LEAST, _MOST, _PART = 2 << 10, 16 << 10, 128
_FREE = re.compile(r"^MemAvailable:\s+(\d+) kB", re.MULTILINE)
_PATIENCE = 10.0
_START_PATIENCE = 60.0  # in an emulated machine everything takes its time, and a dead one is seen at once
_COUNTS = re.compile(
    rb"(\d+) packets? captured.*?(\d+) packets? received by filter.*?(\d+) packets? dropped by kernel",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Tracing:
    """A tracer: the name of its files and the process."""

    trace: str
    process: Process

    def pcap(self, folder: Path) -> Path:
        return folder / f"{self.trace}.pcap"

    def log(self, folder: Path) -> Path:
        return folder / f"{self.trace}.log"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tracer to start: where, under which name, and the file of the network namespace."""

    point: Point
    trace: str
    netns: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a tracer has come: its file's size, and whether all that it was handed is in there."""

    size: int
    dropped: int = 0
    drained: bool = False
    note: str = ""


MEMORY = Path("/proc/meminfo")
BEGINNING = Reading(size=PCAP_HEADER, drained=True)


_END = "end-of-script"


def start(wanted: Sequence[Wanted], keeper: int, folder: Path) -> dict[Point, Tracing]:
    """Bring each NIC up with a tracer on it, as a child of the keeper; all are live on return.

    They end with the keeper. Each prints its place in `wanted` and the PID that the first PID
    namespace counts: /proc is that one's, whatever namespace the shell is in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = buffer_of(len(wanted))
    places: dict[str, list[str]] = {}
    for number, one in enumerate(wanted):
        pcap, log = (shlex.quote(str(folder / f"{one.trace}.{suffix}")) for suffix in ("pcap", "log"))
        places.setdefault(one.netns, []).append(
            f"ip link set dev {one.point.nic} up && ( read -r pid rest </proc/self/stat; echo {number} $pid; "
            f"exec tcpdump -i {one.point.nic} -n -U --immediate-mode -s 0 -B {buffer} -Z root -w {pcap} "
            f"</dev/null >/dev/null 2>{log} ) &"
        )
    lines = [f"ulimit -f {LIMIT // 512}"]
    for netns, starts in places.items():
        script = "\n".join(starts)
        lines.append(f"nsenter --net={shlex.quote(netns)} sh <<'{_END}' &\n{script}\n{_END}")
    result = subprocess.run(
        [*rootless.within(keeper), "nsenter", f"--pid=/proc/{keeper}/ns/pid", "sh"],
        input="\n".join([*lines, "wait\n"]),  # as an argument it would be too long for a large lab
        capture_output=True,
        text=True,
        start_new_session=True,  # Ctrl-C at the terminal is not meant for tracers
    )
    tracers = {}
    for line in result.stdout.splitlines():
        number_text, pid = line.split()
        one = wanted[int(number_text)]
        tracers[one.point] = Tracing(one.trace, Process.of(int(pid)) or Process(int(pid), 0))
    if result.returncode or len(tracers) != len(wanted):
        raise MachineError(f"the tracers can't be started: {result.stderr.strip()}")
    wait_until_live(tracers, folder)
    return tracers


def buffer_of(tracers: int) -> int:
    """KiB for each of so many tracers: every packet takes 64 of them, whatever its size, and a tracer that gets no
    processor meanwhile has to hold a whole transfer."""
    found = _FREE.search(MEMORY.read_text("ascii"))
    return max(_LEAST, min(_MOST, int(found[1]) // _PART // tracers if found else 0))


def mark(tracers: Mapping[Point, Tracing], folder: Path, patience: float = _PATIENCE) -> dict[Point, Reading]:
    """Drain all tracers; one that isn't after `patience` seconds has `drained` False and a note that says why."""
    return _Drain(tracers, folder).readings(patience)


def cut(
    tracers: Mapping[Point, Tracing],
    folder: Path,
    before: Mapping[Point, Reading] | None,
    now: Mapping[Point, Reading],
    into: Path,
) -> list[Tracer]:
    """What each tracer saw between two readings, or since it started, as pcaps of their own in `into`."""
    into.mkdir(parents=True, exist_ok=True)
    since = before or dict.fromkeys(tracers, BEGINNING)
    return [_cut_out(point, one, folder, since[point], now[point], into) for point, one in tracers.items()]


def _cut_out(point: Point, one: Tracing, folder: Path, before: Reading, now: Reading, into: Path) -> Tracer:
    state, note = ("live", "") if before.drained and now.drained else ("dead", now.note or before.note)
    try:
        data = slice_pcap(one.pcap(folder), before.size, now.size)
    except (OSError, ValueError) as error:
        return Tracer(point, "cut", note=f"{one.pcap(folder)}: {error}", trace=one.trace)
    one.pcap(into).write_bytes(data)
    return Tracer(point, state, whole(data).records, now.dropped - before.dropped, note, one.trace)


class _Drain:
    """Asks every tracer for its numbers, again and again, until each has caught up or ended."""

    def __init__(self, tracers: Mapping[Point, Tracing], folder: Path) -> None:
        self.folder = folder
        self.waiting = dict(tracers)
        self.heard = {point: _size(one.log(folder)) for point, one in tracers.items()}
        self.done: dict[Point, Reading] = {}

    def readings(self, patience: float = _PATIENCE) -> dict[Point, Reading]:
        for one in self.waiting.values():
            one.process.kill(signal.SIGUSR1)
        wait_until(self._all_done, patience, 0.002)
        for point, one in list(self.waiting.items()):
            self._finish(point, Reading(_size(one.pcap(self.folder)), note="tracer can't be drained"))
        return self.done

    def _all_done(self) -> bool:
        for point, one in list(self.waiting.items()):
            self._look(point, one)
        return not self.waiting

    def _look(self, point: Point, one: Tracing) -> None:
        log = one.log(self.folder)
        said = log.read_bytes()[self.heard[point] :] if log.exists() else b""
        if match := _COUNTS.search(said):
            captured, received, dropped = (int(number) for number in match.groups())
            if captured == received - dropped or captured == received:
                self._finish(point, Reading(_size(one.pcap(self.folder)), dropped, True))
                return
            self.heard[point] += match.end()
            one.process.kill(signal.SIGUSR1)
        elif not one.process.alive():
            self._finish(point, Reading(_size(one.pcap(self.folder)), note=why_dead(one, self.folder)))
        elif one.process.stopped():
            self._finish(point, Reading(_size(one.pcap(self.folder)), note="tracer is stopped (SIGSTOP)"))

    def _finish(self, point: Point, reading: Reading) -> None:
        self.done[point] = reading
        del self.waiting[point]


def why_dead(one: Tracing, folder: Path) -> str:
    """Why a tracer that doesn't run ended, as far as it is known."""
    if _size(one.pcap(folder)) >= LIMIT:
        return f"tracer stopped when {one.trace}.pcap reached {LIMIT >> 20} MiB"
    return "tracer is dead"


def wait_until_live(
    tracers: Mapping[Point, Tracing], folder: Path, patience: float = _START_PATIENCE
) -> None:
    """Until each has said that it listens; MachineError with the words of one that doesn't."""
    silent = dict(tracers)

    def said(one: Tracing) -> str:
        log = one.log(folder)
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def all_live_or_one_dead() -> bool:
        for point, one in list(silent.items()):
            alive = one.process.alive()  # before it is read: the last words of one that died count
            if "listening on" in said(one):
                del silent[point]
            elif not alive:
                return True
        return not silent

    wait_until(all_live_or_one_dead, patience, 0.002)
    if silent:  # of several, one that is dead says why
        point, one = min(silent.items(), key=lambda pair: pair[1].process.alive())
        raise MachineError(f"the tracer of {point} did not start: {said(one).strip() or 'no word'}")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
