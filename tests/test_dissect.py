"""Bytes of frames, and where each field of theirs stands, against frames made by hand."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from srv6lab.capture import pcapng
from srv6lab.capture.dissect import Dissector, Frame, Part
from srv6lab.capture.reading import read
from tests.captures import frames

SIDS = ("fc00:3::a", "fc00:b::a1", "fc00:a::a1")
INNER = frames.ipv4("10.0.0.1", "10.0.1.1", 1, frames.echo(frames.TOKEN * 3))
TUNNEL = frames.ether(frames.ipv6("2001:12::1", SIDS[2], 43, frames.srh(4, SIDS, 2, INNER), 62))
PLAIN = frames.ether(INNER)
LINK = 1


def pcap(path: Path, packets: Sequence[bytes]) -> Path:
    records = (struct.pack("<IIII", 7, n, len(one), len(one)) + one for n, one in enumerate(packets))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINK) + b"".join(records))
    return path


def dissected(path: Path, *numbers: int) -> dict[int, Frame]:
    packets = {packet.number: packet for packet in read(path).packets}
    with Dissector() as one:
        found = one.dissect({"it": path}, {("it", number): packets[number] for number in numbers})
    return {number: frame for (_, number), frame in found.items()}


def part(frame: Frame, name: str, index: int = 0) -> Part:
    return [one for one in frame.parts if one.name == name][index]


def test_each_field_is_where_it_stands(tmp_path: Path) -> None:
    found = dissected(pcap(tmp_path / "a.pcap", [PLAIN, TUNNEL]), 2)[2]
    assert found.data == TUNNEL
    hop_limit = part(found, "ipv6.hlim")
    assert (hop_limit.label, hop_limit.value, hop_limit.header) == ("Hop Limit", "62", "IPv6")
    assert TUNNEL[hop_limit.at : hop_limit.at + hop_limit.length] == bytes([62])
    for index, sid in enumerate(SIDS):
        segment = part(found, "ipv6.routing.srh.addr", index)
        assert (segment.label, segment.value, segment.header) == (f"Segment List[{index}]", sid, "SRH")
        assert TUNNEL[segment.at : segment.at + 16] == frames.ip_address(sid).packed
    assert part(found, "ip.ttl").header == "IPv4"
    assert part(found, "ipv6.version").bits == "0110 ...."
    assert [one.label for one in found.parts if not one.name] == ["Ethernet", "IPv6", "SRH", "IPv4", "ICMP"]


def test_no_part_stands_outside_of_its_frame_or_of_its_header(tmp_path: Path) -> None:
    found = dissected(pcap(tmp_path / "a.pcap", [PLAIN, TUNNEL]), 1, 2)
    for frame in found.values():
        assert all(
            one.at >= 0 and one.at + one.length <= len(frame.data) and one.length for one in frame.parts
        )
        covered = {byte for one in frame.parts if one.name for byte in range(one.at, one.at + one.length)}
        assert covered == {*range(len(frame.data))}


def test_frames_come_from_any_file_that_is_read(tmp_path: Path) -> None:
    plain = pcap(tmp_path / "a.pcap", [PLAIN, TUNNEL])
    packed, newer = tmp_path / "a.pcap.gz", tmp_path / "a.pcapng"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    nic = pcapng.interface(pcapng.Interface("eth1", LINK))
    blocks = [pcapng.section(application="x"), nic, nic]
    blocks += [pcapng.packet(n, 7_000_000 + n, one, len(one)) for n, one in enumerate([PLAIN, TUNNEL])]
    newer.write_bytes(b"".join(blocks))
    assert dissected(packed, 1, 2) == dissected(plain, 1, 2) == dissected(newer, 1, 2)


def test_what_tshark_does_not_understand_has_its_bytes(tmp_path: Path) -> None:
    broken = frames.ether(frames.ipv6("2001:12::1", SIDS[0], 43, b"\x04\xff\x04\x02"))
    path = pcap(tmp_path / "a.pcap", [PLAIN, broken, TUNNEL])
    packets = {1: read(path).packets[0]}
    with Dissector() as one:
        wanted = {("it", number): packets[1] for number in (1, 2, 3, 9)}
        found = one.dissect({"it": path, "no": tmp_path / "none.pcap"}, wanted | {("no", 1): packets[1]})
    assert {number: frame.data for (_, number), frame in found.items()} == {1: PLAIN, 2: broken, 3: TUNNEL}
    assert part(found["it", 3], "ipv6.hlim").value == "62"


def test_nothing_is_asked_of_tshark_where_nothing_is_wanted(tmp_path: Path) -> None:
    with Dissector() as one:
        assert one.dissect({"it": tmp_path / "a.pcap"}, {}) == {}


@pytest.mark.parametrize("payload", [b"</packet><packet>", b"]]>&<\x00\x01\xff\xfe", "\u2028\u202e".encode()])
def test_a_payload_ends_no_frame(payload: bytes, tmp_path: Path) -> None:
    hostile = frames.ether(frames.ipv4("10.0.0.1", "10.0.1.1", 1, frames.echo(payload * 20)))
    found = dissected(pcap(tmp_path / "a.pcap", [hostile, TUNNEL]), 1, 2)
    assert found[1].data == hostile and found[1].parts
    assert part(found[2], "ipv6.hlim").value == "62"
