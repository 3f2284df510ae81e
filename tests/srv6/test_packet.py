"""Packets are exact to the bit, and only one exception says what is malformed."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from random import Random

import pytest

from srv6lab.srv6 import packet as model
from tests.srv6.generate import frame
from tests.srv6.vectors import VECTORS

A, B, C = (IPv6Address(f"fc00:{n}::a") for n in (2, 3, 4))
IP = "60000000 {:04x} {:02x} 40" + "00" * 32


def ip(next_header: int, behind: str) -> bytes:
    """An IPv6 packet between two unspecified addresses; what stands behind its header, in hex."""
    body = bytes.fromhex(behind)
    return bytes.fromhex(IP.format(len(body), next_header)) + body


@pytest.mark.parametrize(("text", "headers", "payload"), VECTORS.values(), ids=list(VECTORS))
def test_a_packet_of_linux_is_read_and_built(
    text: str, headers: tuple[model.Header, ...], payload: bytes
) -> None:
    wire = bytes.fromhex(text)
    assert model.build(*headers, payload=payload).to_bytes() == wire
    assert model.Packet.from_bytes(wire) == model.build(*headers, payload=payload)


def test_the_checksum_is_rfc_1071s() -> None:
    """The numbers of RFC 1071 section 3: the sum of these is ddf2."""
    assert model.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2
    assert model.checksum(bytes.fromhex("0001f203f4f5f6")) == 0xFFFF ^ 0xDCFB


def test_segments_in_visiting_order_become_the_wire_s() -> None:
    whole = model.Srh.of((A, B, C))
    assert (whole.segment_list, whole.segments_left, whole.last_entry) == ((C, B, A), 2, 2)
    reduced = model.Srh.of((A, B, C), reduced=True)
    assert (reduced.segment_list, reduced.segments_left, reduced.last_entry) == ((C, B), 2, 1)


# One header each, its fields read by hand: the bits that are seldom set are set.
FIELDS: dict[str, tuple[type[model.Header], str, model.Header]] = {
    "VLAN": (model.Vlan, "bfff 1234", model.Vlan(0xFFF, 0x1234, 5, True)),
    "IPv6": (
        model.Ipv6,
        "6 ab cdef1 0000 3b 07 20010db8000000000000000000000001 ff020000000000000000000000000002",
        model.Ipv6(IPv6Address("2001:db8::1"), IPv6Address("ff02::2"), 7, 59, 0xAB, 0xCDEF1, 0),
    ),
    "IPv4": (
        model.Ipv4,
        "46 b8 0018 0001 6000 3f fd b1e6 c0000201 c0000202 01010100",
        model.Ipv4(
            IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"), 63, 253, 0xB8, 1, 3, 0,
            bytes.fromhex("01010100"), 24, 0xB1E6,
        ),
    ),
    "hop-by-hop options": (
        model.HopByHop,
        "3b 01 00 0502 0000 c204 00010000 0101 00",
        model.HopByHop(59, (model.Option(0, None), model.Option(5, bytes(2)), model.Option(0xC2, bytes.fromhex("00010000")), model.Option(1, b"\0"))),
    ),
    "fragment": (model.Fragment, "3b 5a ffff 01020304", model.Fragment(0x01020304, 0x1FFF, True, 59, 0x5A, 3)),
    "authentication": (
        model.Authentication,
        "3b 02 beef 00000100 00000007 01020304",
        model.Authentication(256, 7, bytes.fromhex("01020304"), 59, 0xBEEF),
    ),
    "SRH": (
        model.Srh,
        "3b 04 04 01 00 a5 cafe fc00 0002 0000 0000 0000 0000 0000 000a"
        "00 04 01 00 7c 05 0102030405 05 00 04 01 00",
        model.Srh((A,), 1, 0, 59, 0xA5, 0xCAFE, (
            model.Pad1(), model.PadN(b"\0"), model.UnknownTlv(0x7C, bytes((1, 2, 3, 4, 5))), model.UnknownTlv(5, b""), model.PadN(b"\0"),
        )),
    ),
    "TCP": (
        model.Tcp,
        "0050 c000 00000001 80000000 6f c3 1000 dead 0007 02040578",
        model.Tcp(80, 49152, 1, 0x80000000, 0xC3, 0x1000, 7, bytes.fromhex("02040578"), 0xF, 0xDEAD),
    ),
    "UDP": (model.Udp, "0035 c000 0008 0000", model.Udp(53, 49152, 8, 0)),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "header"), FIELDS.values(), ids=list(FIELDS))
def test_a_header_reads_field_by_field(kind: type[model.Header], text: str, header: model.Header) -> None:
    wire = bytes.fromhex(text.replace(" ", ""))
    assert kind.from_bytes(wire) == header
    assert header.to_bytes() == wire


@pytest.mark.parametrize("seed", range(20))
def test_what_is_built_reads_back(seed: int) -> None:
    random = Random(seed)
    for _ in range(25):
        one = frame(random)
        wire = one.to_bytes()
        assert model.Packet.from_bytes(wire) == one
        assert model.Packet.from_bytes(wire).to_bytes() == wire


@pytest.mark.parametrize("seed", range(20))
def test_bytes_that_are_read_are_kept_or_malformed(seed: int) -> None:
    """Any bit may be any way: either the packet is exact, or it is malformed, and never anything else."""
    random = Random(seed)
    kept = 0
    for _ in range(150):
        wire = bytearray(frame(random).to_bytes())
        for _ in range(random.randrange(1, 4)):
            wire[random.randrange(len(wire))] = random.getrandbits(8)
        wire = wire[: random.choice((len(wire), random.randrange(len(wire))))]
        try:
            one = model.Packet.from_bytes(bytes(wire))
        except model.Malformed as problem:
            assert 0 <= problem.offset <= len(wire)
        else:
            kept += 1
            assert one.to_bytes() == wire
            assert model.Packet.from_bytes(one.to_bytes()) == one
    assert kept > 20


def test_noise_is_malformed_or_kept() -> None:
    random = Random(1)
    for _ in range(3000):
        kind = random.choice((model.Ethernet, model.Ipv6, model.Ipv4))
        noise = random.randbytes(random.randrange(120))
        noise = bytes([random.choice((0x60, 0x45))]) + noise[1:] if kind is not model.Ethernet else noise
        try:
            assert model.Packet.from_bytes(noise, kind).to_bytes() == noise
        except model.Malformed:
            continue


@pytest.mark.parametrize(
    ("wire", "offset", "what"),
    [
        (b"", 0, "IPv6 header takes 40 bytes, 0 are left"),
        (b"\x45" * 40, 0, "IPv6 header has version 4"),
        (ip(59, "")[:-1], 0, "IPv6 header takes 40 bytes, 39 are left"),
        (ip(59, "0000")[:-1], 0, "IP packet ends at byte 42, there are 41"),
        (ip(17, "00" * 7), 40, "UDP header takes 8 bytes, 7 are left"),
        (ip(43, "3b 02 04 00 00 00 0000" + "00" * 8), 40, "SRH takes 24 bytes, 16 are left"),
        (ip(0, "3b 00 05 05 0000 0000"), 42, "option takes 7 bytes, 6 are left"),
        (ip(0, "3b 00 01 03 000000 05"), 47, "option takes 2 bytes, 1 are left"),
        (ip(51, "3b 00" + "00" * 10), 40, "authentication header says that it has 8 bytes, it takes 12"),
        (ip(6, "00" * 12 + "4000" + "00" * 6), 40, "TCP header says that it has 16 bytes, it takes 20"),
        (ip(4, "44 00 0014" + "00" * 16), 40, "IPv4 header of 16 bytes in a packet of 20"),
        (ip(4, "46 00 0014" + "00" * 20), 40, "IPv4 header of 24 bytes in a packet of 20"),
        (ip(4, "45 00 0015" + "00" * 16), 40, "IP packet ends at byte 61, there are 60"),
    ],
)
def test_what_is_malformed_says_where_and_how(wire: bytes, offset: int, what: str) -> None:
    with pytest.raises(model.Malformed) as caught:
        model.Packet.from_bytes(wire, model.Ipv6)
    assert (caught.value.offset, caught.value.what) == (offset, what)


def test_an_srh_that_no_node_may_take_is_still_a_value() -> None:
    """RFC 8986 4.1 S09 answers it: the model must be able to see it."""
    wire = ip(43, "3b 02 04 01 09 00 0000" + A.packed.hex())
    srh = model.Packet.from_bytes(wire, model.Ipv6).find(model.Srh)
    assert srh == model.Srh((A,), 1, 9)
    assert model.Packet.from_bytes(wire, model.Ipv6).to_bytes() == wire


def test_a_tlv_that_goes_too_far_is_kept() -> None:
    wire = bytes.fromhex("3b 03 04 00 00 00 0000") + A.packed + bytes.fromhex("00 7c 09 0000000000")
    assert model.Srh.from_bytes(wire).tlvs == (
        model.Pad1(),
        model.BrokenTlvs(bytes.fromhex("7c090000000000")),
    )
    assert model.Srh.from_bytes(wire).to_bytes() == wire


@pytest.mark.parametrize(
    ("header", "decoded"),
    [(model.Fragment(1), True), (model.Fragment(1, more=True), False), (model.Fragment(1, offset=1), False)],
)
def test_a_fragment_holds_no_header(header: model.Fragment, decoded: bool) -> None:
    built = model.build(model.Ipv6(A, B), header, model.Udp(1, 2), payload=b"hello")
    read = model.Packet.from_bytes(built.to_bytes(), model.Ipv6)
    assert (read.find(model.Udp) is not None) is decoded


def test_an_ipv4_fragment_holds_no_header() -> None:
    first = model.Ipv4(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"), flags=1)
    read = model.Packet.from_bytes(model.build(first, model.Icmp(8)).to_bytes(), model.Ipv4)
    assert read.find(model.Icmp) is None
    assert len(read.payload) == 8


def test_what_stands_behind_the_lengths_is_the_trailer() -> None:
    built = model.build(
        model.Ethernet(bytes(6), bytes(6)), model.Ipv6(A, B), payload=b"ab", trailer=b"padding"
    )
    assert model.Packet.from_bytes(built.to_bytes()) == built


def test_a_service_tag_stays_one() -> None:
    """IEEE 802.1ad: a tag that begins with 88a8 is in front of one that begins with 8100."""
    built = model.build(
        model.Ethernet(bytes(6), bytes(6), 0x88A8), model.Vlan(7), model.Vlan(8), model.Ipv6(A, B)
    )
    assert built.to_bytes()[12:24].hex() == "88a800078100000886dd6000"
    assert model.Packet.from_bytes(built.to_bytes()) == built


@pytest.mark.parametrize(
    "header",
    [
        model.Vlan(4096),
        model.Ipv6(A, B, flow_label=1 << 20),
        model.Ipv6(A, B, traffic_class=-1),
        model.Ipv4(IPv4Address(0), IPv4Address(0), flags=8),
        model.Ipv4(IPv4Address(0), IPv4Address(0), options=b"\1"),
        model.Fragment(0, offset=1 << 13),
        model.Tcp(1, 2, reserved=16),
        model.Icmpv6(1, rest=b""),
        model.Ethernet(b"", bytes(6)),
        model.DestinationOptions(options=(model.Option(1, bytes(3)),)),
        model.HopByHop(options=(model.Option(0, b""),)),
        model.Authentication(1, 1, b"\1"),
    ],
    ids=repr,
)
def test_a_value_that_does_not_fit_is_refused(header: model.Header) -> None:
    with pytest.raises(ValueError, match=r"bit|byte|value"):
        header.to_bytes()


@pytest.mark.parametrize(
    "headers",
    [
        (model.Udp(1, 2), model.Ipv6(A, B)),
        (model.Ethernet(bytes(6), bytes(6)), model.Udp(1, 2)),
        (model.Ipv6(A, B), model.Vlan(1)),
        (model.Udp(1, 2),),
    ],
    ids=repr,
)
def test_headers_that_hold_no_such_header_are_refused(headers: tuple[model.Header, ...]) -> None:
    with pytest.raises(ValueError, match=r"holds no|needs an IP header"):
        model.build(*headers)


def test_a_udp_checksum_of_zero_is_sent_as_ones() -> None:
    """RFC 8200 section 8.1: zero would say that there is none."""
    plain = model.build(model.Ipv6(A, B), model.Udp(1, 2), payload=bytes(2))
    udp = plain.find(model.Udp)
    assert udp is not None
    whole = model.build(model.Ipv6(A, B), model.Udp(1, 2), payload=udp.checksum.to_bytes(2, "big")).find(
        model.Udp
    )
    assert whole is not None
    assert whole.checksum == 0xFFFF


def test_values_are_frozen_and_slotted() -> None:
    for header in frame(Random(3)).headers:
        assert not hasattr(header, "__dict__")
        assert replace(header) == header
