"""NICs streamed from files that grow, as tshark reads them; and how a stream ends."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.capture import pcapng
from srv6lab.errors import MachineError
from srv6lab.evidence.packets import Point
from srv6lab.live import stream
from srv6lab.live.instance import Instance
from srv6lab.live.stream import Nic, Stream
from srv6lab.live.stream_out import Out
from srv6lab.providers.base import Trace
from tests.captures import frames
from tests.conftest import tool
from tests.fake_provider import Fake

HEAD = pcapng.section(application="test")
MAC = "02:00:00:00:00:01"
FRAME = frames.ether(frames.ipv4("10.0.0.1", "10.0.1.1", 17, frames.udp(1, 2, b"x")), source=MAC)
EMPTY = frames.pcap([])


def record(second: float, frame: bytes = FRAME) -> bytes:
    whole = int(second)
    fraction = round((second - whole) * 10**6)
    return struct.pack("<IIII", whole, fraction, len(frame), len(frame)) + frame


class Streamed:
    """A stream of the fake lab into a pipe, the other end of which is read when the test says so."""

    def __init__(self, lab: Instance, fake: Fake, folder: Path, nics: int) -> None:
        self.files = {Point("gate", f"eth{number}"): folder / f"{number}.pcap" for number in range(nics)}
        for path in self.files.values():
            path.write_bytes(EMPTY)
        fake.growing = [Trace(point, path) for point, path in self.files.items()]
        self.lab, self.said, self.parts = lab, list[str](), list[bytes]()
        lab.home.path.mkdir(parents=True, exist_ok=True)
        lab.home.write(lab.state)
        self._ours, self.theirs = os.pipe()
        self._reader = threading.Thread(target=self._read)

    def begin(self, filter: str = "") -> Stream:
        made = Stream(self.lab, Out(self.theirs), self.said.append, filter)
        made.begin([Nic(point, "a link", MAC if point.nic == "eth0" else "") for point in self.files], HEAD)
        return made

    def read(self) -> None:
        if not self._reader.ident:
            self._reader.start()

    def _read(self) -> None:
        while part := os.read(self._ours, 1 << 16):
            self.parts.append(part)

    def close(self) -> None:
        self.read()
        os.close(self.theirs)
        self._reader.join()
        os.close(self._ours)

    def told(self, *fields: str) -> list[list[str]]:
        """What tshark reads of it."""
        wanted = [word for field in fields for word in ("-e", field)]
        done = subprocess.run(
            [tool("tshark"), "-n", "-r", "-", "-T", "fields", *wanted],
            input=b"".join(self.parts),
            capture_output=True,
            check=True,
        )
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def grow(self, number: int, *records: bytes) -> None:
        with self.files[Point("gate", f"eth{number}")].open("ab") as file:
            file.write(b"".join(records))

    def end_after(self, rounds: int, each: Callable[[int], None] = lambda _: None) -> Callable[[], None]:
        """Called after each look at the files: takes the lab away after so many."""
        count = 0

        def called() -> None:
            nonlocal count
            each(count)
            count += 1
            if count == rounds:
                self.lab.home.forget(keep_runs=False)

        return called


Begin = Callable[..., Streamed]


@pytest.fixture
def streamed(one: Instance, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """The lab is looked at in each round."""
    monkeypatch.setattr(stream, "_LOOK", 0.0)
    return lambda nics=2: Streamed(one, fake, tmp_path, nics)


def test_packets_of_all_nics_come_in_order_with_their_nic_and_direction(streamed: Begin) -> None:
    lab = streamed(3)
    lab.grow(0, record(1))
    made = lab.begin()
    other = frames.ether(FRAME[14:], source="02:00:00:00:00:02")
    lab.grow(2, record(5), record(9.25))
    lab.grow(0, record(3), record(7, other), record(9.250001))
    made.run(lab.end_after(3))
    lab.close()
    assert lab.told("frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction") == [
        ["3.000000000", "gate:eth0", "0x00000002"],
        ["5.000000000", "gate:eth2", ""],
        ["7.000000000", "gate:eth0", "0x00000001"],
        ["9.250000000", "gate:eth2", ""],
        ["9.250001000", "gate:eth0", "0x00000002"],
    ]
    assert lab.said == ["mine was taken away: that is the end of the capture"]
    assert (made.packets, made.nics) == (5, 3)


def test_only_what_the_filter_keeps_is_streamed(streamed: Begin) -> None:
    lab = streamed()
    made = lab.begin("ip6")
    lab.grow(0, record(1), record(2, frames.ping(1)))
    made.run(lab.end_after(2))
    lab.close()
    assert lab.told("frame.time_epoch") == [["2.000000000"]]


def test_a_file_without_a_header_yet_gets_its_nic_when_it_has_one(streamed: Begin) -> None:
    lab = streamed()
    lab.files[Point("gate", "eth1")].write_bytes(b"")
    made = lab.begin()

    def each(count: int) -> None:
        if count == 1:
            lab.files[Point("gate", "eth1")].write_bytes(frames.pcap([b"raw"], nano=True, link=101))

    made.run(lab.end_after(4, each))
    lab.close()
    assert lab.told("frame.interface_name", "frame.time_epoch") == [["gate:eth1", "1700000000.500000000"]]


def test_a_tracer_that_begins_anew_is_followed_and_what_it_lost_is_told(streamed: Begin) -> None:
    lab = streamed()
    made = lab.begin()

    def each(count: int) -> None:
        if count == 0:
            lab.grow(0, record(1))
        if count == 2:
            lab.files[Point("gate", "eth0")].write_bytes(EMPTY + record(2) + record(3))

    made.run(lab.end_after(5, each))
    lab.close()
    assert [row[0] for row in lab.told("frame.time_epoch")] == ["1.000000000", "2.000000000", "3.000000000"]


def test_a_slow_reader_loses_nothing_and_little_is_held(
    streamed: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10 MiB wait in the files while nobody reads; no more than a part of it is held."""
    monkeypatch.setattr(stream, "HELD", 1 << 20)
    lab = streamed(4)
    made = lab.begin()
    big = FRAME + bytes(1400)
    for number in range(4):
        lab.grow(number, *(record(second + number / 10, big) for second in range(1800)))
    most = 0

    def each(count: int) -> None:
        nonlocal most
        most = max(most, made.window.bytes)

    threading.Timer(0.5, lab.read).start()
    ending = lab.end_after(100, each)
    made.run(ending)
    lab.close()
    times = [float(row[0]) for row in lab.told("frame.time_epoch")]
    assert len(times) == 4 * 1800
    assert times == sorted(times)
    assert made.window.late == 0
    assert most < 3 << 20


def test_what_is_in_the_files_is_written_also_where_an_interrupt_ends_it(streamed: Begin) -> None:
    lab = streamed()
    made = lab.begin()

    def interrupt() -> None:
        lab.grow(1, record(2))
        lab.grow(0, record(1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made.run(interrupt)
    lab.close()
    assert [row[0] for row in lab.told("frame.time_epoch")] == ["1.000000000", "2.000000000"]


def test_a_reader_who_has_gone_ends_it(streamed: Begin) -> None:
    lab = streamed()
    made = lab.begin()
    os.close(lab._ours)
    with pytest.raises(BrokenPipeError):
        made.run()
    os.close(lab.theirs)


def test_a_lab_of_which_nothing_runs_any_more_ends_it_unless_it_is_being_taken_away(
    streamed: Begin, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = streamed()
    made = lab.begin()
    died = MachineError("nothing of mine runs any more", "invoke up brings the lab back")
    monkeypatch.setattr(stream, "_GRACE", -1.0)
    lab.grow(0, record(1))
    fake.fail("traces", died)
    with pytest.raises(MachineError, match="nothing of mine"):
        made.run()
    monkeypatch.setattr(stream, "_GRACE", 60.0)
    fake.fail("traces", died)
    made.run(lab.end_after(3))
    lab.close()
    assert [row[0] for row in lab.told("frame.time_epoch")] == ["1.000000000"]
    assert lab.said == ["mine was taken away: that is the end of the capture"]


def test_what_is_wrong_with_a_trace_is_told_once_and_the_others_go_on(streamed: Begin, fake: Fake) -> None:
    lab = streamed(3)
    first, second, third = lab.files
    fake.growing = [
        Trace(first, lab.files[first], "its tracer is dead: invoke up restarts it"),
        Trace(second, None, "it is traced elsewhere"),
        Trace(third, lab.files[third]),
    ]
    lab.files[first].write_bytes(bytes(100))
    made = lab.begin()
    lab.grow(2, record(1))
    made.run(lab.end_after(4))
    lab.close()
    assert [row[0] for row in lab.told("frame.interface_name")] == ["gate:eth2"]
    assert lab.said == [
        "gate:eth0: its tracer is dead: invoke up restarts it",
        "gate:eth1: it is traced elsewhere",
        f"gate:eth0: 0.pcap: it begins with {bytes(4)!r}, as no pcap of a tracer does",
        "mine was taken away: that is the end of the capture",
    ]


def test_no_nic_that_can_be_streamed_is_an_error(streamed: Begin, fake: Fake) -> None:
    lab = streamed(1)
    fake.growing = [Trace(next(iter(lab.files)), None, "it is traced elsewhere")]
    with pytest.raises(MachineError, match="gate:eth0: it is traced elsewhere"):
        lab.begin()


def test_hundreds_of_nics_need_no_more_open_files_than_one(streamed: Begin) -> None:
    lab = streamed(300)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len([*Path("/proc/self/fd").iterdir()]) + 20, hard))
    try:
        made = lab.begin()
        for number in range(300):
            lab.grow(number, record(number))
        lab.read()
        made.run(lab.end_after(2))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    lab.close()
    assert [row[0] for row in lab.told("frame.interface_name")] == [
        f"gate:eth{number}" for number in range(300)
    ]
