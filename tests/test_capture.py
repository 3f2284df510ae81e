"""What tshark's fields become: every case is a frame built by hand, read by the real tshark."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).with_name("captures")))
import frames
from frames import ether, icmp, icmpv6, ipv4, ipv6, srh, tcp, udp

from srv6lab.capture import fields, reading, tshark
from srv6lab.errors import MachineError, UsageError
from srv6lab.evidence.packets import Icmp, IpHeader, PacketView, Srh

CAPTURES = Path(__file__).with_name("captures")
ROOT = Path(__file__).parents[1]
TOKEN = frames.TOKEN
ECHO = ipv4("10.0.0.1", "10.0.1.1", 1, frames.echo(TOKEN * 3))
ECHO_HEADER = IpHeader(IPv4Address("10.0.0.1"), IPv4Address("10.0.1.1"), 64, "icmp", next_header="icmp")
ECHO_ICMP = Icmp(8, 0, 0x2FC, 1)

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark isn't installed")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No temporary file outlives a reading."""
    folder = Path(os.environ.get("TMPDIR", tempfile.gettempdir()), f"srv6lab-test-{os.getpid()}")
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    left = list(folder.iterdir())
    shutil.rmtree(folder)
    assert left == []


def read(folder: Path, *built: bytes) -> reading.Capture:
    path = folder / "built.pcap"
    path.write_bytes(frames.pcap(built))
    return reading.read(path)


def whole(folder: Path, frame: bytes) -> PacketView:
    found = read(folder, frame)
    assert found.note == ""
    (packet,) = found.packets
    return packet


BESIDE = {
    "version",
    "header_length",
    "traffic_class",
    "length_field",
    "identification",
    "flags",
    "fragment_offset",
}
BESIDE |= {"checksum", "checksum_status"}


def bare(packet: PacketView) -> PacketView:
    """Without the numbers that `test_every_number_of_a_header_is_read` is about."""

    def less(record: Any) -> Any:
        return replace(record, **{one.name: None for one in dataclass_fields(record) if one.name in BESIDE})

    headers = tuple(
        replace(less(one), srh=one.srh and replace(one.srh, hdr_ext_len=None)) for one in packet.headers
    )
    return replace(packet, headers=headers, icmp=packet.icmp and less(packet.icmp), udp=None)


def only(folder: Path, frame: bytes) -> PacketView:
    return bare(whole(folder, frame))


def test_every_number_of_a_header_is_read(tmp_path: Path) -> None:
    packet = whole(tmp_path, frames.ping(3))
    outer, inner = packet.headers
    assert (outer.version, outer.traffic_class, outer.length_field) == (6, 0, packet.length - 14 - 40)
    assert (inner.version, inner.header_length, inner.traffic_class, inner.fragment_offset) == (4, 20, 0, 0)
    assert None not in (inner.identification, inner.flags, inner.length_field, inner.checksum_status)
    assert outer.srh and outer.srh.hdr_ext_len == 4
    assert packet.icmp and None not in (packet.icmp.checksum, packet.icmp.checksum_status)


def v6(source: str, target: str, protocol: str, header: Srh | None = None, hop_limit: int = 64) -> IpHeader:
    following = "routing" if header else protocol
    return IpHeader(
        IPv6Address(source), IPv6Address(target), hop_limit, protocol, header, following, flow_label=0
    )


def sids(*listed: str) -> tuple[IPv6Address, ...]:
    return tuple(map(IPv6Address, listed))


# --- one packet


@needs_tshark
def test_the_seed_s_packet_between_its_two_segments(tmp_path: Path) -> None:
    assert only(tmp_path, frames.ping(3)) == PacketView(
        number=1,
        time=1_700_000_000.5,
        length=len(frames.ping()),
        source_mac=frames.MAC_A,
        destination_mac=frames.MAC_B,
        headers=(
            v6("2001:12::1", "fc00:2::a", "ipv4", Srh(sids("fc00:3::a", "fc00:2::a"), 1, 1), 63),
            ECHO_HEADER,
        ),
        icmp=Icmp(8, 0, 0x2FC, 3),
        payload=TOKEN * 3,
        ip_bytes=len(frames.ping()) - 14,
    )


@needs_tshark
def test_the_flow_label_is_ipv6s_and_ipv4_has_none(tmp_path: Path) -> None:
    frame = bytearray(frames.ping())
    frame[15:18] = b"\x0b\xee\xf1"
    packet = only(tmp_path, bytes(frame))
    assert [header.flow_label for header in packet.headers] == [0xBEEF1, None]


@needs_tshark
def test_the_last_segment_is_the_destination_at_segments_left_0(tmp_path: Path) -> None:
    outer = only(tmp_path, frames.ping(left=0)).outer
    assert outer.srh == Srh(sids("fc00:3::a", "fc00:2::a"), 0, 1)
    assert outer.destination == IPv6Address("fc00:3::a")


@needs_tshark
def test_two_srhs_of_a_double_encapsulation(tmp_path: Path) -> None:
    echo = icmpv6("2001::5", "2001::6", 128, 0, struct.pack("!HH", 5, 0x206) + TOKEN * 3)
    inner = srh(41, ["fc00::d", "fc00::c", "fc00::b"], 2, ipv6("2001::5", "2001::6", 58, echo, 61))
    outer = srh(41, ["fc00::9", "fc00::1"], 1, ipv6("2001::a", "fc00::b", 43, inner, 62))
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, outer, 63)))
    assert packet.headers == (
        v6("2001::1", "fc00::1", "ipv6", Srh(sids("fc00::9", "fc00::1"), 1, 1), 63),
        v6("2001::a", "fc00::b", "ipv6", Srh(sids("fc00::d", "fc00::c", "fc00::b"), 2, 2), 62),
        v6("2001::5", "2001::6", "icmpv6", None, 61),
    )
    assert packet.icmp == Icmp(128, 0, 5, 0x206)
    assert packet.payload == TOKEN * 3


@needs_tshark
def test_ipv6_in_ipv6_where_only_the_inner_has_an_srh(tmp_path: Path) -> None:
    inner = ipv6("2001::a", "fc00::b", 43, srh(17, ["fc00::c", "fc00::b"], 1, udp(1, 2, TOKEN)))
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 41, inner)))
    assert packet.headers == (
        v6("2001::1", "fc00::1", "ipv6"),
        v6("2001::a", "fc00::b", "udp", Srh(sids("fc00::c", "fc00::b"), 1, 1)),
    )
    assert packet.payload == TOKEN


@needs_tshark
def test_ip_headers_of_both_families_keep_their_order(tmp_path: Path) -> None:
    inner = ipv4("10.0.0.1", "10.0.0.2", 41, ipv6("2001::1", "fc00::1", 4, ECHO))
    packet = only(tmp_path, ether(ipv6("2001::3", "2001::4", 4, inner)))
    assert [header.protocol for header in packet.headers] == ["ipv4", "ipv6", "ipv4", "icmp"]
    assert [header.source.version for header in packet.headers] == [6, 4, 6, 4]


@needs_tshark
@pytest.mark.parametrize("wrap", [ether, frames.vlan])
def test_ethernet_in_ipv6(wrap, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    inner = wrap(ECHO) if wrap is frames.vlan else ether(ECHO, source="02:00:00:00:00:99")
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, srh(143, ["fc00::1"], 0, inner))))
    source = frames.MAC_A if wrap is frames.vlan else "02:00:00:00:00:99"
    holding = replace(
        v6("2001::1", "fc00::1", "ethernet", Srh(sids("fc00::1"), 0, 0)),
        frame_source=source,
        frame_destination=frames.MAC_B,
    )
    assert packet.headers == (holding, ECHO_HEADER)
    assert (packet.source_mac, packet.icmp) == (frames.MAC_A, ECHO_ICMP)


@needs_tshark
def test_vlan_tags_are_tolerated(tmp_path: Path) -> None:
    packet = only(tmp_path, frames.vlan(ECHO))
    assert (packet.headers, packet.icmp, packet.source_mac) == ((ECHO_HEADER,), ECHO_ICMP, frames.MAC_A)


@needs_tshark
def test_an_srh_with_tlvs_tag_and_flags(tmp_path: Path) -> None:
    tlvs = frames.padn(8) + frames.hmac()
    header = srh(4, ["fc00::2", "fc00::1"], 1, ECHO, tag=0x1234, flags=0x08, tlvs=tlvs)
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, header)))
    expected = Srh(sids("fc00::2", "fc00::1"), 1, 1, flags=0x08, tag=0x1234)
    assert packet.headers == (v6("2001::1", "fc00::1", "ipv4", expected), ECHO_HEADER)


@needs_tshark
def test_a_reduced_srh_lists_what_it_lists(tmp_path: Path) -> None:
    header = srh(4, ["fc00::3", "fc00::2"], 2, ECHO)
    assert only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, header))).outer.srh == Srh(
        sids("fc00::3", "fc00::2"), 2, 1
    )


@needs_tshark
def test_of_two_srhs_of_one_header_the_active_one_counts(tmp_path: Path) -> None:
    behind = srh(4, ["fc00::2"], 0, ECHO)
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, srh(43, ["fc00::2", "fc00::1"], 1, behind))))
    expected = Srh(sids("fc00::2", "fc00::1"), 1, 1)
    assert packet.headers == (v6("2001::1", "fc00::1", "ipv4", expected), ECHO_HEADER)


@needs_tshark
def test_the_protocol_is_what_comes_behind_all_extension_headers(tmp_path: Path) -> None:
    header = srh(60, ["fc00::1"], 0, frames.destination_options(17, udp(1, 2, TOKEN)))
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, header)))
    assert (packet.outer.protocol, packet.payload) == ("udp", TOKEN)


@needs_tshark
@pytest.mark.parametrize("port", [53, 443, 4789, 40000])
def test_a_datagram_s_payload_whatever_its_port_suggests(port: int, tmp_path: Path) -> None:
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 17, udp(1000, port, TOKEN * 3))))
    assert (packet.headers, packet.payload) == ((v6("2001::1", "fc00::1", "udp"),), TOKEN * 3)


@needs_tshark
def test_each_tcp_segment_has_its_own_payload(tmp_path: Path) -> None:
    hello = b"GET / HTTP/1.1\r\n"
    found = read(
        tmp_path,
        ether(ipv4("10.0.0.1", "10.0.1.1", 6, tcp(1000, 80, hello))),
        ether(ipv4("10.0.0.1", "10.0.1.1", 6, tcp(1000, 80, TOKEN, 1 + len(hello)))),
        ether(ipv4("10.0.0.1", "10.0.1.1", 6, tcp(1000, 80, hello))),
        ether(ipv4("10.0.0.1", "10.0.1.1", 6, tcp(1000, 80, b""))),
    )
    assert [packet.payload for packet in found.packets] == [hello, TOKEN, hello, b""]
    assert {packet.innermost.protocol for packet in found.packets} == {"tcp"}


@needs_tshark
@pytest.mark.parametrize("kind", [3, 11])
def test_the_packet_in_an_icmp_error_is_no_inner_header(kind: int, tmp_path: Path) -> None:
    lost = ipv4("10.0.0.1", "10.0.1.1", 17, udp(1, 2, TOKEN * 3))
    packet = only(tmp_path, ether(ipv4("10.0.0.9", "10.0.0.1", 1, icmp(kind, 1, bytes(4), lost))))
    assert packet.headers == (
        IpHeader(IPv4Address("10.0.0.9"), IPv4Address("10.0.0.1"), 64, "icmp", None, "icmp"),
    )
    assert (packet.icmp, packet.payload) == (Icmp(kind, 1), b"")


@needs_tshark
@pytest.mark.parametrize("kind", [1, 2, 3])
def test_the_packet_in_an_icmpv6_error_is_no_inner_header(kind: int, tmp_path: Path) -> None:
    lost = ipv6("2001:12::1", "fc00:2::a", 43, srh(4, ["fc00:3::a", "fc00:2::a"], 1, ECHO))
    error = icmpv6("2001::9", "2001:12::1", kind, 0, struct.pack("!I", 0) + lost)
    packet = only(tmp_path, ether(ipv6("2001::9", "2001:12::1", 58, error)))
    assert packet.headers == (v6("2001::9", "2001:12::1", "icmpv6"),)
    assert (packet.icmp, packet.payload) == (Icmp(kind, 0), b"")


@needs_tshark
def test_an_icmp_error_inside_a_tunnel_ends_at_the_error(tmp_path: Path) -> None:
    error = ipv4("10.0.0.9", "10.0.0.1", 1, icmp(3, 4, bytes(4), ECHO))
    packet = only(tmp_path, ether(ipv6("2001::1", "fc00::1", 43, srh(4, ["fc00::1"], 0, error))))
    assert [header.protocol for header in packet.headers] == ["ipv4", "icmp"]
    assert packet.icmp == Icmp(3, 4)


@needs_tshark
def test_fragments_are_not_put_together(tmp_path: Path) -> None:
    message = frames.echo(TOKEN * 3)
    first, second = message[:40], message[40:]
    six = icmpv6("2001::1", "fc00::1", 128, 0, bytes(4) + TOKEN * 3)
    found = read(
        tmp_path,
        ether(ipv4("10.0.0.1", "10.0.1.1", 1, first, fragment=0x2000)),
        ether(ipv4("10.0.0.1", "10.0.1.1", 1, second, fragment=5)),
        ether(ipv6("2001::1", "fc00::1", 44, frames.fragment6(58, 0, True, six[:40]))),
        ether(ipv6("2001::1", "fc00::1", 44, frames.fragment6(58, 5, False, six[40:]))),
    )
    assert [packet.innermost.protocol for packet in found.packets] == ["icmp", "icmp", "icmpv6", "icmpv6"]
    assert [packet.payload for packet in found.packets] == [TOKEN * 2, TOKEN, TOKEN * 2, TOKEN]
    assert [packet.icmp is None for packet in found.packets] == [False, True, False, True]


@needs_tshark
def test_a_protocol_without_a_name_is_its_number(tmp_path: Path) -> None:
    gre = ipv4("10.0.0.1", "10.0.0.2", 47, struct.pack("!HH", 0, 0x0800) + ECHO)
    packet = only(tmp_path, ether(gre))
    assert [header.protocol for header in packet.headers] == ["47"]
    assert only(tmp_path, ether(ipv6("2001::1", "fc00::1", 59, b""))).outer.protocol == "59"


# --- a capture


@needs_tshark
def test_the_noise_of_a_link_and_what_it_announces() -> None:
    found = reading.read(CAPTURES / "seed.pcap")
    assert (found.records, found.note) == (8, "")
    assert [packet.number for packet in found.packets] == [1, 2, 3, 5, 6, 7, 8]
    assert [packet.icmp.sequence for packet in found.packets[3:6] if packet.icmp] == [1, 2, 3]
    assert found.packets[-1].payload.startswith(b"SSH-2.0")
    assert found.bindings == (
        (frames.MAC_A, ip_address("2001:12::1")),
        (frames.MAC_B, ip_address("2001:12::2")),
        (frames.MAC_A, ip_address("10.0.0.2")),
    )


def test_seed_pcap_is_what_its_script_writes() -> None:
    assert (CAPTURES / "seed.pcap").read_bytes() == frames.pcap(frames.seed())


@needs_tshark
def test_what_announces_no_binding(tmp_path: Path) -> None:
    forwarded = icmpv6("2001::1", "2001::2", 135, 0, bytes(20) + b"\1\1" + frames.mac(frames.MAC_B))
    found = read(
        tmp_path,
        frames.arp(frames.MAC_A, "0.0.0.0", "10.0.0.1"),  # a probe for duplicates
        frames.neighbor(135, "::", "ff02::1:ff00:1", "2001::1", 0, frames.MAC_A),  # the same in IPv6
        frames.neighbor(136, "2001::1", "2001::2", "2001::1", 0, frames.MAC_A),  # without the option
        ether(ipv6("2001::1", "2001::2", 58, forwarded, 64)),
    )
    assert found.bindings == ()


@needs_tshark
def test_a_display_filter_narrows_and_keeps_the_numbers() -> None:
    found = reading.read(CAPTURES / "seed.pcap", display_filter="ipv6.routing or tcp")
    assert [packet.number for packet in found.packets] == [5, 6, 7, 8]
    assert (found.records, found.bindings) == (8, ())


@needs_tshark
def test_a_display_filter_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't use the display filter 'ipv6 and nonsense'"):
        reading.read(CAPTURES / "seed.pcap", display_filter="ipv6 and nonsense")


@needs_tshark
@pytest.mark.parametrize(
    "data",
    [
        frames.pcapng(frames.seed()),
        frames.pcapng(frames.seed(), ">"),
        frames.pcap(frames.seed(), nano=True),
        frames.pcap(frames.seed(), order=">"),
        frames.pcap(frames.seed(), order=">", nano=True),
    ],
)
def test_every_kind_of_file_says_the_same(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(data)
    assert reading.read(path) == reading.read(CAPTURES / "seed.pcap")


@needs_tshark
@pytest.mark.parametrize("build", [frames.pcap, frames.pcapng])
def test_a_capture_cut_short_is_read_up_to_its_last_whole_record(build, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "cut.pcap"
    path.write_bytes(build([frames.ping(1), frames.ping(2)])[:-10])
    found = reading.read(path)
    assert [bare(packet).icmp for packet in found.packets] == [ECHO_ICMP]
    assert found.records == 1
    assert "cut short" in found.note


@pytest.mark.parametrize(
    ("data", "cut_short"), [(b"", True), (frames.pcap([])[:20], True), (frames.pcap([]), False)]
)
def test_without_records_no_tshark_is_started(
    data: bytes, cut_short: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    path = tmp_path / "empty.pcap"
    path.write_bytes(data)
    found = reading.read(path)
    assert (found.packets, found.records) == ((), 0)
    assert bool(found.note) == cut_short


def test_without_tshark_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MachineError, match="scripts/setup lab"):
        reading.read(CAPTURES / "seed.pcap")


def test_what_is_no_capture_is_told_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("name: lab\n")
    assert "it is no capture that can be read: it begins with b'name'" in reading.read(path).note
    with pytest.raises(UsageError, match=r"absent\.pcap can't be read: No such file"):
        reading.read(tmp_path / "absent.pcap")


@needs_tshark
@pytest.mark.parametrize("version", [0, 4, 5, 7])
def test_an_ip_header_of_another_version_is_a_malformed_frame(tmp_path: Path, version: int) -> None:
    """tshark gives up on it, and says nothing of what it holds."""
    inner = frames.ping()
    for at in (14, inner.index(b"\x45\x00", 60)):
        if version != 4 or at == 14:
            changed = inner[:at] + bytes([version << 4 | inner[at] & 15]) + inner[at + 1 :]
            assert "1 frame malformed (1)" in read(tmp_path, changed).note


def test_an_icmp_error_has_the_packet_that_it_speaks_of(tmp_path: Path) -> None:
    about = ipv6(
        "2001:1::1", "2001:2::1", 58, icmpv6("2001:1::1", "2001:2::1", 128, 0, b"\0\7\0\3" + TOKEN * 3)
    )
    told = icmpv6("2001:1::2", "2001:1::1", 1, 0, bytes(4) + about)
    view = whole(tmp_path, ether(ipv6("2001:1::2", "2001:1::1", 58, told)))
    assert view.quoted is not None
    assert (view.payload, view.quoted.payload) == (b"", TOKEN * 3)
    assert view.quoted.icmp is not None
    assert (view.quoted.icmp.identifier, view.quoted.icmp.sequence) == (7, 3)
    assert view.quoted.ends == (ip_address("2001:1::1"), ip_address("2001:2::1"))


def test_malformed_frames_never_raise_and_keep_what_could_be_read(tmp_path: Path) -> None:
    ping = frames.ping()
    sizes = (16, 40, 54, 60, 70, 94, 110, len(ping))
    found = read(tmp_path, *(ping[:size] for size in sizes), b"\xff", bytes(60))
    by_number = {packet.number: packet for packet in found.packets}
    assert 1 not in by_number and 2 not in by_number
    assert [by_number[3].outer.srh, by_number[4].outer.srh is None] == [None, False]
    assert bare(by_number[6]).outer.srh == Srh(sids("fc00:3::a", "fc00:2::a"), 1, 1)
    assert bare(by_number[8]).icmp == ECHO_ICMP
    assert "frames malformed (1, 2, 3, 4, 5, …)" in found.note


@needs_tshark
def test_a_frame_that_tshark_describes_in_an_unknown_way_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_arguments: object) -> PacketView:
        raise ValueError

    monkeypatch.setattr(fields, "packet", stumble)
    found = reading.read(CAPTURES / "seed.pcap")
    assert (found.packets, found.note) == ((), "7 frames not understood (1, 2, 3, 5, 6, …)")


@needs_tshark
def test_a_line_of_tshark_s_that_is_no_json_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    layers_of = tshark.layers_of
    monkeypatch.setattr(tshark, "layers_of", lambda line: layers_of(line.replace(b"10.0.0.1", b'"')))
    found = reading.read(CAPTURES / "seed.pcap")
    assert ([packet.number for packet in found.packets], found.records) == ([1, 2, 3, 8], 8)
    assert found.note == "4 frames not understood (4, 5, 6, 7)"


# --- several captures


@needs_tshark
def test_captures_read_together_say_what_each_says_alone(tmp_path: Path) -> None:
    built = {
        "plain": frames.pcap(frames.seed()),
        "none": frames.pcap([]),
        "cut": frames.pcap([frames.ping(1), frames.ping(2)])[:-1],
        "next-generation": frames.pcapng(frames.seed()),
        "nanoseconds": frames.pcap([frames.ping(7)], nano=True),
        "short": frames.pcap([frames.ping(8)], snaplen=400),
        "raw": frames.pcap([ECHO], link=101),
        "large": frames.pcap([frames.ping(number) for number in range(300)]),
    }
    paths = {name: tmp_path / name for name in built}
    for name, data in built.items():
        paths[name].write_bytes(data)
    together = reading.read_all(paths)
    assert list(together) == list(built)
    assert together == {name: reading.read(path) for name, path in paths.items()}
    assert len(together["large"].packets) == 300
    assert together["raw"].packets[0].source_mac == ""


@needs_tshark
def test_a_tshark_that_fails_on_one_of_several_names_it(tmp_path: Path) -> None:
    """A link type that tshark doesn't know is a file that it can't read."""
    paths = {"good": tmp_path / "good.pcap", "bad": tmp_path / "bad.pcap"}
    paths["good"].write_bytes(frames.pcap(frames.seed()))
    paths["bad"].write_bytes(frames.pcap(frames.seed(), link=65000))
    found = reading.read_all(paths)
    assert "tshark can't read it" in found["bad"].note
    assert found["good"] == reading.read(CAPTURES / "seed.pcap")


@needs_tshark
def test_no_room_for_a_copy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reading.pcap, "join", full)
    with pytest.raises(MachineError, match=r"No space left on device(.|\n)*needs room there"):
        reading.read(CAPTURES / "seed.pcap")


@needs_tshark
def test_it_reads_inside_an_event_loop_of_the_caller_s() -> None:
    async def inside() -> int:
        return len(reading.read(CAPTURES / "seed.pcap").packets)

    assert asyncio.run(inside()) == 7


# --- who waits for pyshark


def test_up_does_not_wait_for_pyshark() -> None:
    program = (
        "import sys; from srv6lab.live import lifecycle; from srv6lab.providers import registry\n"
        "for record in registry.RECORDS.values(): registry.provider_named(record.name)\n"
        "sys.exit('pyshark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


# --- the traps of pyshark


READING = f"""
import asyncio, sys, warnings
warnings.simplefilter("error")
for name in ("SafeChildWatcher", "ThreadedChildWatcher", "get_child_watcher", "set_child_watcher"):
    if name == sys.argv[1] and hasattr(asyncio, name):
        delattr(asyncio, name)
from pathlib import Path
from srv6lab.capture import reading
print(len(reading.read(Path({str(CAPTURES / "seed.pcap")!r})).packets))
"""


@needs_tshark
@pytest.mark.parametrize("missing", ["", "SafeChildWatcher", "set_child_watcher", "get_child_watcher"])
def test_it_reads_without_asyncio_s_child_watchers_and_says_nothing(missing: str, tmp_path: Path) -> None:
    """As on Python 3.14; and a file named config.ini in the working directory changes nothing."""
    (tmp_path / "config.ini").write_text("[other]\nname = value\n")
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", READING, missing],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        timeout=60,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("7\n", "", 0)


@needs_tshark
def test_a_person_s_own_profile_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "preferences").write_text("ip.defragment: TRUE\nipv6.exthdr_under_root_protocol_tree: TRUE\n")
    (tmp_path / "disabled_protos").write_text("ipv6.routing\nicmp\n")
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(tmp_path))
    found = reading.read(CAPTURES / "seed.pcap")
    assert found.packets[3].outer.srh is not None
    assert bare(found.packets[3]).icmp == ECHO_ICMP


@pytest.mark.parametrize(
    ("said", "bits"),
    [("0x00", 0), ("0x02", 2), ("0x01", 1), ("0x40", 2), ("0x20", 1), ("0x60", 3), ("0xe0", 7)],
)
def test_flags_are_three_bits_whichever_tshark_says_them(said: str, bits: int) -> None:
    """From 4.0 on it says the bits, 3.6 the byte that they are in."""
    assert fields._ip_flags({"ip_ip_flags": said}) == bits
