"""Records of captures with their times, in every kind of file; and of damaged ones as many as are whole."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import pytest

from srv6lab.capture.records import Record, fine, framing, records
from tests.captures import formats, frames

TIMED = [(1_700_000_000_000_000 + n, frames.ping(n)) for n in range(1, 4)]
SECONDS = b"\x09\x00\x01\x00\x00\x00\x00\x00"  # if_tsresol: whole seconds
HALVES = b"\x09\x00\x01\x00\x81\x00\x00\x00"  # if_tsresol: 2^-1
OFFSET = b"\x0e\x00\x08\x00" + struct.pack("<q", 100)  # if_tsoffset


def written(folder: Path, data: bytes) -> Path:
    path = folder / "capture"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        formats.pcap(TIMED),
        formats.pcap(TIMED, order=">"),
        formats.pcap(TIMED, magic=0xA1B23C4D, scale=1000),
        formats.pcap(TIMED, magic=0xA1B2CD34, extra=bytes(8)),
        formats.pcapng(TIMED),
        formats.pcapng(TIMED, of=formats.obsolete),
    ],
    ids=["pcap", "big-endian", "nanoseconds", "modified", "pcapng", "obsolete"],
)
def test_times_and_frames_are_those_of_the_file(data: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, data)
    assert list(records(path)) == [
        Record(time * 1000, number, 1, len(frame), frame) for number, (time, frame) in enumerate(TIMED, 1)
    ]
    assert framing(path).records == 3
    assert fine(path) == (data[:4] == struct.pack("<I", 0xA1B23C4D))


@pytest.mark.parametrize(
    ("options", "time"), [(SECONDS, 7 * 10**9), (HALVES, 35 * 10**8), (SECONDS + OFFSET, 107 * 10**9)]
)
def test_other_resolutions_are_seconds_too(options: bytes, time: int, tmp_path: Path) -> None:
    data = frames.section() + formats.interface(options=options) + formats.enhanced(7, TIMED[0][1])
    assert [one.time for one in records(written(tmp_path, data))] == [time]


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither pcap nor pcapng"):
        list(records(written(tmp_path, b"no capture")))
    assert list(records(written(tmp_path, b""))) == []


@pytest.mark.parametrize("data", [formats.pcap(TIMED), formats.pcapng(TIMED)], ids=["pcap", "pcapng"])
def test_damage_ends_a_file_and_no_more(data: bytes, tmp_path: Path) -> None:
    dice = Random(8)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(4, len(broken))] = dice.choice((0, 1, 255, dice.randrange(256)))
        cut = dice.choice((len(broken), dice.randrange(4, len(broken))))
        path = written(tmp_path, bytes(broken[:cut]))
        try:
            assert len(list(records(path))) <= 3
        except ValueError as error:
            assert "neither" in str(error)
