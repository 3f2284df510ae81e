"""When a tracer is drained, read from what tcpdump says; with tracers that say what the test wants."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.evidence.packets import Point
from srv6lab.host.waiting import wait_until
from srv6lab.providers import tcpdump
from srv6lab.providers.process import Process
from srv6lab.providers.tcpdump import Reading, Tracing

POINT = Point("gate", "eth1")
HEAD = "tcpdump: listening on eth1, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n"

# Answers each SIGUSR1 with the next of its numbers (the last one again and again), as tcpdump does.
TRACER = """
import signal, sys
answers = [tuple(one.split(',')) for one in sys.argv[2:]]
log = open(sys.argv[1], 'a')
def answer(*_):
    captured, received, dropped = answers.pop(0) if len(answers) > 1 else answers[0]
    log.write(f'{captured} packets captured\\n{received} packets received by filter\\n'
              f'{dropped} packets dropped by kernel\\n')
    log.flush()
signal.signal(signal.SIGUSR1, answer if answers else signal.SIG_IGN)
print('ready', flush=True)
while True:
    signal.pause()
"""

Start = Callable[..., Tracing]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[subprocess.Popen[str]] = []

    def begin(*answers: str, name: str = "trace", log: str = HEAD) -> Tracing:
        (tmp_path / f"{name}.log").write_text(log)
        (tmp_path / f"{name}.pcap").write_bytes(bytes(100))
        command = [sys.executable, "-c", TRACER, str(tmp_path / f"{name}.log"), *answers]
        popen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        begun.append(popen)
        assert popen.stdout and popen.stdout.readline() == "ready\n"
        process = Process.of(popen.pid)
        assert process
        return Tracing(name, process)

    yield begin
    for popen in begun:
        popen.kill()
        popen.communicate()


def mark(folder: Path, tracing: Tracing, patience: float = 10.0) -> Reading:
    return tcpdump.mark({POINT: tracing}, folder, patience)[POINT]


def test_one_that_wrote_all_is_drained(start: Start, tmp_path: Path) -> None:
    assert mark(tmp_path, start("5,5,0")) == Reading(size=100, dropped=0, drained=True)


def test_one_that_lags_is_asked_again(start: Start, tmp_path: Path) -> None:
    tracing = start("3,5,0", "4,5,0", "5,5,0")
    assert mark(tmp_path, tracing).drained
    assert tracing.log(tmp_path).read_text().count("captured") == 3


@pytest.mark.parametrize("numbers", ["3,5,2", "5,5,2"])
def test_what_was_dropped_is_counted(start: Start, tmp_path: Path, numbers: str) -> None:
    """Kernels differ in whether what was dropped was received."""
    assert mark(tmp_path, start(numbers)) == Reading(size=100, dropped=2, drained=True)


def test_what_it_said_before_does_not_count(start: Start, tmp_path: Path) -> None:
    before = f"{HEAD}5 packets captured\n5 packets received by filter\n0 packets dropped by kernel\n"
    tracing = start("6,7,0", "7,7,0", log=before)
    assert mark(tmp_path, tracing).drained
    assert "7 packets captured" in tracing.log(tmp_path).read_text()


def test_one_packet_is_spelled_without_an_s(start: Start, tmp_path: Path) -> None:
    tracing = start("1,1,0")
    tracing.log(tmp_path).write_text(HEAD)
    assert mark(tmp_path, tracing).drained
    assert tcpdump._COUNTS.search(
        b"1 packet captured\n1 packet received by filter\n0 packets dropped by kernel\n"
    )


def test_the_dead_can_not_be_drained(start: Start, tmp_path: Path) -> None:
    tracing = start("5,5,0")
    tracing.process.kill()
    assert mark(tmp_path, tracing) == Reading(size=100, note="tracer is dead")


def test_one_that_is_stopped_is_not_waited_for(start: Start, tmp_path: Path) -> None:
    tracing = start("5,5,0")
    tracing.process.kill(signal.SIGSTOP)
    wait_until(tracing.process.stopped, 10.0, 0.001)
    began = time.monotonic()
    assert mark(tmp_path, tracing) == Reading(size=100, note="tracer is stopped (SIGSTOP)")
    assert time.monotonic() - began < 5


def test_one_that_ends_while_it_is_asked_is_dead(start: Start, tmp_path: Path) -> None:
    tracing = start("3,5,0")
    drain = tcpdump._Drain({POINT: tracing}, tmp_path)
    tracing.process.kill()
    assert drain.readings()[POINT].note == "tracer is dead"


def test_one_whose_file_is_full_says_so(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcpdump, "LIMIT", 100)
    tracing = start("5,5,0")
    tracing.process.kill()
    assert "tracer stopped when trace.pcap reached" in mark(tmp_path, tracing).note


def test_one_that_never_answers_is_given_up(start: Start, tmp_path: Path) -> None:
    assert mark(tmp_path, start(), 0.1).note == "tracer can't be drained"


def test_one_that_never_catches_up_is_given_up(start: Start, tmp_path: Path) -> None:
    assert not mark(tmp_path, start("3,5,0"), 0.1).drained


def test_files_that_were_taken_away_are_told_as_dead(start: Start, tmp_path: Path) -> None:
    tracing = start("5,5,0")
    tracing.process.kill()
    tracing.log(tmp_path).unlink()
    tracing.pcap(tmp_path).unlink()
    assert mark(tmp_path, tracing) == Reading(size=0, note="tracer is dead")


def test_one_tracer_does_not_wait_for_another(start: Start, tmp_path: Path) -> None:
    other = Point("gate", "eth2")
    tracers = {POINT: start("5,5,0"), other: start("1,2,0", "2,2,1", name="second")}
    readings = tcpdump.mark(tracers, tmp_path)
    assert [readings[point].drained for point in tracers] == [True, True]
    assert readings[other].dropped == 1


class TestLive:
    def test_one_that_listens_is_live(self, start: Start, tmp_path: Path) -> None:
        tcpdump.wait_until_live({POINT: start()}, tmp_path)

    def test_one_that_died_is_told_with_its_words(self, start: Start, tmp_path: Path) -> None:
        tracing = start(log="tcpdump: eth1: No such device exists\n")
        tracing.process.kill()
        with pytest.raises(MachineError, match="gate:eth1 did not start: tcpdump: eth1: No such device"):
            tcpdump.wait_until_live({POINT: tracing}, tmp_path)

    def test_one_that_says_nothing_is_told(self, start: Start, tmp_path: Path) -> None:
        with pytest.raises(MachineError, match="no word"):
            tcpdump.wait_until_live({POINT: start(log="")}, tmp_path, 0.05)


def test_few_tracers_keep_more_and_all_together_a_small_part_of_the_free_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def sizes(gigabytes: int) -> list[int]:
        (tmp_path / "meminfo").write_text(f"MemFree: 1 kB\nMemAvailable: {gigabytes << 20} kB\n")
        monkeypatch.setattr(tcpdump, "MEMORY", tmp_path / "meminfo")
        return [tcpdump.buffer_of(count) >> 10 for count in (1, 14, 50, 800)]

    assert sizes(64) == [16, 16, 10, 2]
    assert sizes(16) == [16, 9, 2, 2]
    assert sizes(1) == [8, 2, 2, 2]
