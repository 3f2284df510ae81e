"""A tracer's file that is read while it grows, at every place where a read can end."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from srv6lab.capture import bpf
from srv6lab.errors import UsageError
from srv6lab.live.stream_files import CHUNK, Batch, Follower, Record
from tests.captures import frames

FIRST = 1_700_000_000_500_000_000  # nanoseconds: when frame 0 of `frames.pcap` was captured
PLAIN = [frames.ping(number) for number in range(3)]


def file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def packets(batch: Batch) -> list[bytes]:
    return [data for _, _, data, _ in batch.records]


def all_of(follower: Follower) -> list[bytes]:
    found = packets(batch := follower.read())
    while batch.behind:
        found += packets(batch := follower.read())
    return found


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nano", [False, True])
def test_a_file_that_grows_byte_by_byte_gives_each_packet_once_and_with_its_time(
    order: str, nano: bool, tmp_path: Path
) -> None:
    path, data = tmp_path / "x.pcap", frames.pcap(PLAIN, order=order, nano=nano)
    follower, found = Follower(path), list[Record]()
    assert follower.read() == Batch()
    for end in range(len(data) + 1):
        path.write_bytes(data[:end])
        found += follower.read().records
    assert [(when, packet) for when, _, packet, _ in found] == [
        (FIRST + number * 10**9, packet) for number, packet in enumerate(PLAIN)
    ]
    assert follower.header and (follower.header.digits, follower.header.link) == (9 if nano else 6, 1)


def test_it_begins_with_what_isn_t_whole_yet(tmp_path: Path) -> None:
    data = frames.pcap(PLAIN)
    for end in range(len(data) + 1):
        path = file(tmp_path / "x.pcap", data[:end])
        follower = Follower(path)
        follower.skip()
        path.write_bytes(data)
        whole = sum(len(frames.pcap(PLAIN[:count])) <= end for count in (1, 2, 3))
        assert packets(follower.read()) == PLAIN[whole:], end


def test_a_large_file_is_skipped_and_read_in_pieces(tmp_path: Path) -> None:
    many = [bytes([number % 256]) * 60_000 for number in range(40)]
    path = file(tmp_path / "x.pcap", frames.pcap(many))
    assert path.stat().st_size > 2 * CHUNK
    follower = Follower(path)
    assert all_of(follower) == many
    skipping = Follower(path)
    skipping.skip()
    assert packets(skipping.read()) == []
    file(path, frames.pcap([*many, b"new"]))
    assert packets(skipping.read()) == packets(follower.read()) == [b"new"]


@pytest.mark.parametrize("later", [PLAIN[:1], PLAIN, [*PLAIN, *PLAIN], []], ids=len)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_begins_anew_is_read_from_its_beginning(
    later: Sequence[bytes], replaced: bool, tmp_path: Path
) -> None:
    path = file(tmp_path / "x.pcap", frames.pcap([b"before", b"too"]))
    follower = Follower(path)
    assert packets(follower.read()) == [b"before", b"too"]
    if replaced:
        path.rename(tmp_path / "held")  # so that its number isn't given to the next
    file(path, frames.pcap(later))
    batch = follower.read()
    assert (batch.anew, packets(batch)) == (0, list(later))


def test_what_was_not_read_of_the_old_file_is_counted(tmp_path: Path) -> None:
    many = [bytes(60_000)] * 20
    path = file(tmp_path / "x.pcap", frames.pcap(many))
    follower = Follower(path)
    read = packets(follower.read())
    file(path, frames.pcap([b"new"]))
    batch = follower.read()
    assert (batch.anew, packets(batch)) == ((len(many) - len(read)) * 60_016, [b"new"])


def test_damage_and_what_is_no_pcap_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as no pcap of a tracer does"):
        Follower(file(tmp_path / "x.pcap", bytes(100))).read()
    damaged = frames.pcap([]) + struct.pack("<IIII", 1, 1, 1 << 30, 1 << 30)
    with pytest.raises(ValueError, match="1073741824 bytes, which is damage"):
        Follower(file(tmp_path / "y.pcap", damaged)).read()


def test_only_what_the_filter_keeps_counts_and_the_rest_is_read_too(tmp_path: Path) -> None:
    ipv4 = frames.ether(frames.ipv4("10.0.0.1", "10.0.1.1", 17, frames.udp(1, 2, b"x")))
    path = file(tmp_path / "x.pcap", frames.pcap([PLAIN[0], ipv4, PLAIN[1]]))
    follower = Follower(path, lambda link: bpf.compiled("ip6 proto 43", link))
    batch = follower.read()
    assert packets(batch) == PLAIN[:2]
    assert batch.until == FIRST + 2 * 10**9
    assert packets(Follower(path, lambda link: bpf.compiled("udp", link)).read()) == [ipv4]


@pytest.mark.parametrize(
    ("expression", "words"),
    [("ip6 and", "syntax error"), ("port 99999", "illegal port number"), ("\x1b[2J", "syntax error")],
)
def test_what_is_no_filter_is_told_in_tcpdump_s_words(expression: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as told:
        bpf.compiled(expression)
    assert "man pcap-filter" in told.value.mend
    assert "\x1b" not in str(told.value)


def test_a_filter_reads_the_link_type_of_its_nic() -> None:
    raw = frames.ipv4("10.0.0.1", "10.0.1.1", 17, frames.udp(1, 2, b"x"))
    assert bpf.compiled("udp", 101)(raw, len(raw))
    assert not bpf.compiled("udp")(raw, len(raw))
