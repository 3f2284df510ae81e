"""Where records end, in every kind of capture file, and at every place where one can be cut."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("captures")))
import frames

from srv6lab.capture import pcap
from srv6lab.capture.reading import read

PLAIN = [frames.ping(number) for number in (1, 2, 3)]
KINDS = {
    "pcap": frames.pcap(PLAIN),
    "pcap-big-endian": frames.pcap(PLAIN, order=">"),
    "pcap-nanoseconds": frames.pcap(PLAIN, nano=True),
    "pcap-nanoseconds-big-endian": frames.pcap(PLAIN, order=">", nano=True),
    "pcapng": frames.pcapng(PLAIN),
    "pcapng-big-endian": frames.pcapng(PLAIN, ">"),
}
TWO = {
    "pcap": frames.pcap(PLAIN[:2]),
    "pcap-big-endian": frames.pcap(PLAIN[:2], order=">"),
    "pcap-nanoseconds": frames.pcap(PLAIN[:2], nano=True),
    "pcap-nanoseconds-big-endian": frames.pcap(PLAIN[:2], order=">", nano=True),
    "pcapng": frames.pcapng(PLAIN[:2]),
    "pcapng-big-endian": frames.pcapng(PLAIN[:2], ">"),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_whole_file_ends_where_it_ends(kind: str) -> None:
    found = pcap.whole(KINDS[kind])
    assert found == pcap.Framing(kind.partition("-")[0], len(KINDS[kind]), len(KINDS[kind]), 3, links=(1,))
    assert not found.cut_short


def test_a_file_cut_anywhere_in_its_last_record_is_read_up_to_it(kind: str) -> None:
    for size in range(len(TWO[kind]) + 1, len(KINDS[kind])):
        found = pcap.whole(KINDS[kind][:size])
        assert (found.end, found.records, found.cut_short) == (len(TWO[kind]), 2, True), size


def test_a_file_cut_within_its_header_is_a_capture_of_nothing(kind: str) -> None:
    for size in range(24 if kind.startswith("pcap-") or kind == "pcap" else 28):
        found = pcap.whole(KINDS[kind][:size])
        assert (found.end, found.records, found.cut_short) == (0, 0, True), size


def test_a_header_alone_is_whole() -> None:
    assert pcap.whole(frames.pcap([])) == pcap.Framing("pcap", 24, 24, 0, links=(1,))
    empty = frames.pcapng([])
    assert pcap.whole(empty) == pcap.Framing("pcapng", len(empty), len(empty), 0, links=(1,))


@pytest.mark.parametrize("data", [b"name: lab\nnodes:\n", b"\x7fELF", b"\x1f\x8b\x08\x00", b"no"])
def test_what_is_no_capture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="neither pcap nor pcapng"):
        pcap.whole(data)


def test_a_record_of_an_absurd_length_is_damage() -> None:
    data = frames.pcap(PLAIN[:1])
    broken = data + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30) + bytes(100)
    found = pcap.whole(broken)
    assert (found.end, found.records) == (len(data), 1)
    assert "damage" in found.fault


def test_a_block_whose_two_lengths_differ_is_damage() -> None:
    data = bytearray(KINDS["pcapng"])
    data[-4:] = struct.pack("<I", 8)
    found = pcap.whole(bytes(data))
    assert (found.end, found.records, found.cut_short) == (len(TWO["pcapng"]), 2, True)


def test_a_second_section_may_change_the_byte_order() -> None:
    data = frames.pcapng(PLAIN) + frames.pcapng(PLAIN, ">")
    assert pcap.whole(data).records == 6


def sliced(folder: Path, data: bytes, start: int, end: int | None = None) -> bytes:
    path = folder / "whole"
    path.write_bytes(data)
    return pcap.slice_pcap(path, start, end)


def test_a_slice_from_each_boundary_is_a_capture_of_its_own(kind: str, tmp_path: Path) -> None:
    step = len(KINDS[kind]) - len(TWO[kind])
    start = len(TWO[kind]) - 2 * step
    for skipped in range(4):
        part = sliced(tmp_path, KINDS[kind], start + skipped * step)
        assert part == KINDS[kind][:start] + KINDS[kind][start + skipped * step :]
        assert pcap.whole(part).records == 3 - skipped


def test_a_slice_leaves_out_what_its_end_cuts_through(kind: str, tmp_path: Path) -> None:
    start, step = 2 * len(TWO[kind]) - len(KINDS[kind]), len(KINDS[kind]) - len(TWO[kind])
    assert pcap.whole(sliced(tmp_path, KINDS[kind], start, start + step)).records == 1
    assert pcap.whole(sliced(tmp_path, KINDS[kind], start, start + step + 7)).records == 1
    assert pcap.whole(sliced(tmp_path, KINDS[kind], start, start)).records == 0
    assert pcap.whole(sliced(tmp_path, KINDS[kind][:-1], start)).records == 1


def test_a_slice_from_nothing_is_the_whole_file(kind: str, tmp_path: Path) -> None:
    assert sliced(tmp_path, KINDS[kind], 0) == KINDS[kind]
    assert sliced(tmp_path, b"", 0) == b""


@pytest.mark.parametrize("off", [-1, 1, 10_000])
def test_a_slice_has_to_start_where_a_record_begins(kind: str, off: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not where a record begins"):
        sliced(tmp_path, KINDS[kind], len(TWO[kind]) + off)


def test_a_slice_of_a_later_section_brings_that_section_s_interfaces(tmp_path: Path) -> None:
    first, second = frames.pcapng(PLAIN), frames.pcapng(PLAIN, ">")
    last = len(first) + len(TWO["pcapng-big-endian"])
    part = sliced(tmp_path, first + second, last)
    assert part == frames.section(">") + frames.interface(">") + second[-(len(second) - last + len(first)) :]


def test_an_interface_that_comes_later_stays_where_it_is(tmp_path: Path) -> None:
    head = frames.section() + frames.interface()
    packet = frames.enhanced(PLAIN[0])
    data = head + packet + frames.interface() + packet
    assert sliced(tmp_path, data, len(head)) == data
    assert pcap.whole(sliced(tmp_path, data, len(head) + len(packet))).records == 1


def test_joined_captures_keep_every_record_and_the_largest_snapshot_length(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(frames.pcap(PLAIN, snaplen=100) + b"cut")
    two.write_bytes(frames.pcap(PLAIN[:1], snaplen=9000))
    target = io.BytesIO()
    pcap.join([(one, one.stat().st_size - 3), (two, two.stat().st_size)], target)
    assert pcap.whole(target.getvalue()).records == 4
    assert struct.unpack_from("<I", target.getvalue(), 16) == (9000,)


def test_only_captures_of_one_kind_are_joined() -> None:
    keys = [pcap.joinable(data) for data in KINDS.values()]
    assert keys[-2] == keys[-1]
    assert len(set(keys)) == 5
    assert pcap.joinable(b"name: lab") is None
    assert pcap.joinable(frames.pcap([], link=113)) != pcap.joinable(frames.pcap([]))


def test_damage_behind_what_is_joined_is_none_of_its_records(tmp_path: Path) -> None:
    """A packet of an interface that there isn't ends a file; what stands before it is read."""
    head = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    packets = [
        struct.pack("<IIIIIIII", 6, 36, number, 0, 0, 4, 4, 0xABCD) + struct.pack("<I", 36)
        for number in (0, 9)
    ]
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(head + interface + b"".join(packets))
    framing = pcap.whole_file(path)
    assert (framing.records, "interface 9" in framing.fault) == (1, True)
    joined = io.BytesIO()
    pcap.join([(path, framing.end)], joined)
    assert pcap.whole(joined.getvalue()).records == 1
    assert pcap.slice_pcap(path, framing.end - 36, framing.end).count(b"\xcd\xab\0\0") == 1


def test_no_more_frames_are_read_than_is_asked_for() -> None:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + bytes(16) * 10
    framing = pcap.whole(data, 4)
    assert (framing.records, framing.end) == (4, 24 + 4 * 16) and "its first 4 frames" in framing.fault
    assert pcap.whole(data, 10).fault == ""


def named(name: str, order: str) -> bytes:
    option = struct.pack(order + "HH", 2, len(name)) + name.encode() + b"\0" * (-len(name) % 4)
    return frames.block(1, struct.pack(order + "HHI", 1, 0, 0) + option + bytes(4), order)


def of_interface(number: int, order: str) -> bytes:
    head = struct.pack(order + "IIIII", number, 0, 0, len(PLAIN[0]), len(PLAIN[0]))
    return frames.block(6, head + PLAIN[0], order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_names_the_interfaces_that_it_has_frames_of(order: str, tmp_path: Path) -> None:
    path = tmp_path / "several.pcapng"
    head = frames.section(order) + named("eth1", order) + named("eth2", order) + frames.interface(order)
    for numbers, names in (((0, 1, 0), ("eth1", "eth2")), ((1,), ("eth2",)), ((1, 2), ("eth2",))):
        path.write_bytes(head + b"".join(of_interface(number, order) for number in numbers))
        assert pcap.interfaces(path, path.stat().st_size) == names
    path.write_bytes(frames.pcap(PLAIN, order=order))
    assert pcap.interfaces(path, path.stat().st_size) == ()


def test_a_capture_of_two_interfaces_is_one_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "both.pcapng"
    head = frames.section() + named("eth1", "<") + named("eth2", "<")
    path.write_bytes(head + of_interface(0, "<") + of_interface(1, "<"))
    seen = read(path)
    assert not seen.packets
    assert seen.note.startswith("its frames are of 2 interfaces (eth1, eth2), and a capture is of one NIC")
