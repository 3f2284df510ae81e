"""tshark reads what we generate, and says of every field what our decoder says. It reads no TLVs of an SRH:
those stand in `vectors.py` and in test_packet.py's tables."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random

import pytest

from srv6lab.srv6 import packet as model
from tests.captures.frames import pcap
from tests.conftest import tool
from tests.srv6.generate import frame

Value = int | str
GOOD = 1  # what tshark says of a checksum that is right


def size(header: model.Header) -> int:
    return len(header.to_bytes())


def mac(address: bytes) -> str:
    return address.hex(":")


def number(rest: bytes, half: int) -> int:
    return int.from_bytes(rest[2 * half : 2 * half + 2], "big")


# tshark's field: the headers that have it, and what our value says of it.
FIELDS: dict[str, tuple[tuple[type[model.Header], ...], Callable[..., Value | list[Value]]]] = {
    "eth.dst": ((model.Ethernet,), lambda h: mac(h.destination)),
    "eth.src": ((model.Ethernet,), lambda h: mac(h.source)),
    "eth.type": ((model.Ethernet,), lambda h: h.ethertype),
    "vlan.id": ((model.Vlan,), lambda h: h.identifier),
    "vlan.priority": ((model.Vlan,), lambda h: h.priority),
    "vlan.dei": ((model.Vlan,), lambda h: int(h.drop_eligible)),
    "vlan.etype": ((model.Vlan,), lambda h: h.ethertype),
    "ipv6.src": ((model.Ipv6,), lambda h: str(h.source)),
    "ipv6.dst": ((model.Ipv6,), lambda h: str(h.destination)),
    "ipv6.tclass": ((model.Ipv6,), lambda h: h.traffic_class),
    "ipv6.flow": ((model.Ipv6,), lambda h: h.flow_label),
    "ipv6.plen": ((model.Ipv6,), lambda h: h.payload_length),
    "ipv6.nxt": ((model.Ipv6,), lambda h: h.next_header),
    "ipv6.hlim": ((model.Ipv6,), lambda h: h.hop_limit),
    "ipv6.hopopts.nxt": ((model.HopByHop,), lambda h: h.next_header),
    "ipv6.hopopts.len_oct": ((model.HopByHop,), size),
    "ipv6.dstopts.nxt": ((model.DestinationOptions,), lambda h: h.next_header),
    "ipv6.dstopts.len_oct": ((model.DestinationOptions,), size),
    "ipv6.opt.type": ((model.HopByHop, model.DestinationOptions), lambda h: [o.type for o in h.options]),
    "ipv6.opt.length": (
        (model.HopByHop, model.DestinationOptions),
        lambda h: [len(o.value) for o in h.options if o.value is not None],
    ),
    "ipv6.routing.nxt": ((model.Srh, model.Routing), lambda h: h.next_header),
    "ipv6.routing.len_oct": ((model.Srh, model.Routing), size),
    "ipv6.routing.type": (
        (model.Srh, model.Routing),
        lambda h: h.type if isinstance(h, model.Routing) else 4,
    ),
    "ipv6.routing.segleft": ((model.Srh, model.Routing), lambda h: h.segments_left),
    "ipv6.routing.srh.last_entry": ((model.Srh,), lambda h: h.last_entry),
    "ipv6.routing.srh.flags": ((model.Srh,), lambda h: h.flags),
    "ipv6.routing.srh.tag": ((model.Srh,), lambda h: f"{h.tag:04x}"),
    "ipv6.routing.srh.addr": ((model.Srh,), lambda h: [str(sid) for sid in h.segment_list]),
    "ipv6.fraghdr.nxt": ((model.Fragment,), lambda h: h.next_header),
    "ipv6.fraghdr.offset": ((model.Fragment,), lambda h: h.offset),
    "ipv6.fraghdr.more": ((model.Fragment,), lambda h: int(h.more)),
    "ipv6.fraghdr.ident": ((model.Fragment,), lambda h: h.identification),
    "ipv6.fraghdr.reserved_octet": ((model.Fragment,), lambda h: h.reserved),
    "ipv6.fraghdr.reserved_bits": ((model.Fragment,), lambda h: h.reserved_bits),
    "ah.next_header": ((model.Authentication,), lambda h: h.next_header),
    "ah.reserved": ((model.Authentication,), lambda h: f"{h.reserved:04x}"),
    "ah.spi": ((model.Authentication,), lambda h: h.spi),
    "ah.sequence": ((model.Authentication,), lambda h: h.sequence),
    "ah.icv": ((model.Authentication,), lambda h: h.icv.hex()),
    "ip.src": ((model.Ipv4,), lambda h: str(h.source)),
    "ip.dst": ((model.Ipv4,), lambda h: str(h.destination)),
    "ip.hdr_len": ((model.Ipv4,), size),
    "ip.dsfield": ((model.Ipv4,), lambda h: h.tos),
    "ip.len": ((model.Ipv4,), lambda h: h.total_length),
    "ip.id": ((model.Ipv4,), lambda h: h.identification),
    "ip.flags": ((model.Ipv4,), lambda h: h.flags),
    "ip.frag_offset": ((model.Ipv4,), lambda h: h.fragment_offset),
    "ip.ttl": ((model.Ipv4,), lambda h: h.ttl),
    "ip.proto": ((model.Ipv4,), lambda h: h.protocol),
    "ip.checksum": ((model.Ipv4,), lambda h: h.checksum),
    "ip.checksum.status": ((model.Ipv4,), lambda _: GOOD),
    "icmp.type": ((model.Icmp,), lambda h: h.type),
    "icmp.code": ((model.Icmp,), lambda h: h.code),
    "icmp.ident": ((model.Icmp,), lambda h: number(h.rest, 0)),
    "icmp.seq": ((model.Icmp,), lambda h: number(h.rest, 1)),
    "icmp.checksum": ((model.Icmp,), lambda h: h.checksum),
    "icmp.checksum.status": ((model.Icmp,), lambda _: GOOD),
    "icmpv6.type": ((model.Icmpv6,), lambda h: h.type),
    "icmpv6.code": ((model.Icmpv6,), lambda h: h.code),
    "icmpv6.echo.identifier": ((model.Icmpv6,), lambda h: number(h.rest, 0)),
    "icmpv6.echo.sequence_number": ((model.Icmpv6,), lambda h: number(h.rest, 1)),
    "icmpv6.checksum": ((model.Icmpv6,), lambda h: h.checksum),
    "icmpv6.checksum.status": ((model.Icmpv6,), lambda _: GOOD),
    "udp.srcport": ((model.Udp,), lambda h: h.source_port),
    "udp.dstport": ((model.Udp,), lambda h: h.destination_port),
    "udp.length": ((model.Udp,), lambda h: h.length),
    "udp.checksum": ((model.Udp,), lambda h: h.checksum),
    "udp.checksum.status": ((model.Udp,), lambda _: GOOD),
    "tcp.srcport": ((model.Tcp,), lambda h: h.source_port),
    "tcp.dstport": ((model.Tcp,), lambda h: h.destination_port),
    "tcp.seq_raw": ((model.Tcp,), lambda h: h.sequence),
    "tcp.ack_raw": ((model.Tcp,), lambda h: h.acknowledgment),
    "tcp.hdr_len": ((model.Tcp,), size),
    "tcp.flags": ((model.Tcp,), lambda h: h.reserved << 8 | h.flags),
    "tcp.window_size_value": ((model.Tcp,), lambda h: h.window),
    "tcp.urgent_pointer": ((model.Tcp,), lambda h: h.urgent_pointer),
    "tcp.checksum": ((model.Tcp,), lambda h: h.checksum),
    "tcp.checksum.status": ((model.Tcp,), lambda _: GOOD),
}
SETTINGS = (
    "ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE", "tcp.relative_sequence_numbers:FALSE",
    "ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
)  # fmt: skip
NO_APPLICATION = ("tcp.port==40000-40099,data", "udp.port==40000-40099,data")


def ours(packet: model.Packet, name: str) -> list[Value]:
    kinds, read = FIELDS[name]
    found: list[Value] = []
    for header in packet.headers:
        if isinstance(header, kinds):
            value = read(header)
            found += value if isinstance(value, list) else [value]
    return found


def theirs(text: str, like: list[Value]) -> list[Value]:
    """tshark's values; numbers, where ours are."""
    values = text.split(",") if text else []
    if like and isinstance(like[0], int):
        words = {"True": "1", "False": "0"}  # of tshark 4.4's flags
        return [int(words.get(value, value), 0) for value in values]
    return [canonical(value) for value in values]


def canonical(text: str) -> str:
    """tshark writes some IPv6 addresses in another way than Python."""
    for kind in (IPv6Address, IPv4Address):
        try:
            return str(kind(text))
        except ValueError:
            continue
    return text


def decode(frames: list[bytes], folder: Path) -> list[list[str]]:
    """tshark's fields of every frame, in one run."""
    path = folder / "generated.pcap"
    path.write_bytes(pcap(frames))
    command = [
        tool("tshark"),
        "-n",
        "-r",
        str(path),
        "-T",
        "fields",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=,",
    ]
    command += [word for name in FIELDS for word in ("-e", name)]
    command += [word for setting in SETTINGS for word in ("-o", setting)]
    command += [word for rule in NO_APPLICATION for word in ("-d", rule)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in result.stdout.splitlines()]


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.prove)])
def test_tshark_agrees_field_by_field(count: int, tmp_path: Path) -> None:
    random = Random(20260)
    frames = [frame(random).to_bytes() for _ in range(count)]
    lines = decode(frames, tmp_path)
    assert len(lines) == count
    seen: set[str] = set()
    for wire, line in zip(frames, lines, strict=True):
        packet = model.Packet.from_bytes(wire)
        for name, text in zip(FIELDS, line, strict=True):
            said = ours(packet, name)
            assert theirs(text, said) == said, f"{name} of {wire.hex()}: {packet.headers}"
            seen |= {name} if said else set()
    assert seen == set(FIELDS), "a field that no packet has is not compared"
