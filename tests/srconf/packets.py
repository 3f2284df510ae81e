"""Packets made and read by hand: the tests must not believe the program under test."""

import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

SOURCE, SID = "fc00:1::1", "fc00:a::a1"
# Segments that r3 throws away: a packet socket shares a packet's bytes with the kernel, and would show what
# the kernel's own End behavior writes into them.
NEXT, OTHER, LAST = "fc00:9::b1", "fc00:9::c1", "fc00:9::3a"
SRH_SOURCE = IPv6Address(SOURCE).packed
ROUTING, IPV4, IPV6, UDP, NONE = 43, 4, 41, 17, 59


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(
    source: str = "10.0.0.1",
    destination: str = "10.0.1.1",
    protocol: int = UDP,
    payload: bytes = b"",
    *,
    ttl: int = 64,
    tos: int = 0,
    identification: int = 1,
    fragment: int = 0,
) -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        tos,
        20 + len(payload),
        identification,
        fragment,
        ttl,
        protocol,
        0,
        IPv4Address(source).packed,
        IPv4Address(destination).packed,
    )
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(payload: bytes = b"", source: int = 1000, destination: int = 2000) -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def udp6(
    payload: bytes = b"",
    ports: tuple[int, int] = (1000, 2000),
    *,
    source: str = "fd00:a::1",
    destination: str = "fd00:b::1",
    **header: int,
) -> bytes:
    """An IPv6 packet with UDP in it, its checksum right."""
    length = 8 + len(payload)
    addresses = IPv6Address(source).packed + IPv6Address(destination).packed
    head = struct.pack("!HHHH", *ports, length, 0)
    filled = checksum(addresses + struct.pack("!II", length, UDP) + head + payload) or 0xFFFF
    datagram = head[:6] + struct.pack("!H", filled) + payload
    return plain6(UDP, datagram, source=source, destination=destination, **header)


def plain6(
    next_header: int,
    payload: bytes,
    *,
    source: str = "fd00:a::1",
    destination: str = "fd00:b::1",
    hop_limit: int = 64,
    traffic_class: int = 0,
) -> bytes:
    """An IPv6 packet as a host sends it."""
    head = struct.pack("!IHBB", 6 << 28 | traffic_class << 20, len(payload), next_header, hop_limit)
    return head + IPv6Address(source).packed + IPv6Address(destination).packed + payload


def hopped(packet: bytes, hops: int) -> bytes:
    """An IPv6 packet some routers later."""
    return packet[:7] + bytes([packet[7] - hops]) + packet[8:]


def icmp(kind: int, code: int, payload: bytes) -> bytes:
    head = struct.pack("!BBH", kind, code, 0)
    return struct.pack("!BBH", kind, code, checksum(head + payload)) + payload


def srh(
    segments: Sequence[str],
    *,
    next_header: int = IPV4,
    segments_left: int | None = None,
    last_entry: int | None = None,
    tag: int = 0,
    tlvs: bytes = b"",
    kind: int = 4,
) -> bytes:
    """A segment routing header (RFC 8754 section 2) for segments in visiting order."""
    body = b"".join(IPv6Address(segment).packed for segment in reversed(segments)) + tlvs
    left = len(segments) - 1 if segments_left is None else segments_left
    last = len(segments) - 1 if last_entry is None else last_entry
    return struct.pack("!BBBBBBH", next_header, len(body) // 8, kind, left, last, 0, tag) + body


def ipv6(
    payload: bytes, *, destination: str = SID, next_header: int = ROUTING, hop_limit: int = 62, label: int = 0
) -> bytes:
    head = struct.pack("!IHBB", 6 << 28 | label, len(payload), next_header, hop_limit)
    return head + IPv6Address(SOURCE).packed + IPv6Address(destination).packed + payload


def chained(inner: bytes, segments: Sequence[str] = (SID, NEXT, LAST), hop_limit: int = 62) -> bytes:
    """What a headend sends to the proxy."""
    return ipv6(srh(segments) + inner, destination=segments[0], hop_limit=hop_limit)


@dataclass(frozen=True, slots=True)
class View:
    """An SRv6 packet as it stands on the wire."""

    destination: str
    hop_limit: int
    payload_length: int
    before: bytes
    segments_left: int
    last_entry: int
    tag: int
    segment_list: tuple[str, ...]
    tlvs: bytes
    inner: bytes
    raw: bytes = field(repr=False)


def view(packet: bytes) -> View:
    """Read an IPv6 packet with an SRH, behind extension headers or not."""
    length, kind, hop_limit = struct.unpack_from("!HBB", packet, 4)
    at = 40
    while kind in (0, 60):
        kind, at = packet[at], at + 8 + packet[at + 1] * 8
    assert kind == ROUTING, f"no routing header: {packet.hex()}"
    _, size, _, left, last, _, tag = struct.unpack_from("!BBBBBBH", packet, at)
    end = at + 8 + size * 8
    sids = tuple(
        str(IPv6Address(packet[at + 8 + 16 * i : at + 24 + 16 * i])) for i in range(min(last + 1, size // 2))
    )
    return View(
        destination=str(IPv6Address(packet[24:40])),
        hop_limit=hop_limit,
        payload_length=length,
        before=packet[40:at],
        segments_left=left,
        last_entry=last,
        tag=tag,
        segment_list=sids,
        tlvs=packet[at + 8 + 16 * len(sids) : end],
        inner=packet[end : 40 + length],
        raw=packet,
    )


def probes(
    port: socket.socket, count: int, seconds: float = 5.0, *, having: bytes | None = None
) -> list[bytes]:
    """The packets of our making that come in: as many as are expected, or what came in that time.

    Ours have an SRH or are IPv4; or they have those bytes in them.
    """
    found: list[bytes] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and (left := deadline - time.monotonic()) > 0:
        port.settimeout(left)
        try:
            frame, address = port.recvfrom(65536)
        except TimeoutError:
            break
        ethertype, packet = frame[12:14], frame[14:]
        ours = ethertype == b"\x86\xdd" and packet[6] in (0, ROUTING, 60) and SRH_SOURCE in packet[8:24]
        ours |= ethertype == b"\x08\x00"
        if having is not None:
            ours = having in packet
        if ours and address[2] != socket.PACKET_OUTGOING:
            found.append(packet)
    return found
