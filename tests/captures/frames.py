"""Bytes of frames and capture files for tests; `python tests/captures/frames.py` writes seed.pcap.

Built by hand with struct, so that what tshark says of them has a second source.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

MAC_A, MAC_B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
TOKEN = bytes(range(0xA0, 0xB0))
ETHERTYPES = {4: 0x0800, 6: 0x86DD}


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether(payload: bytes, ethertype: int | None = None, source: str = MAC_A, target: str = MAC_B) -> bytes:
    kind = ETHERTYPES[payload[0] >> 4] if ethertype is None else ethertype
    return mac(target) + mac(source) + struct.pack("!H", kind) + payload


def vlan(payload: bytes, tag: int = 7) -> bytes:
    return ether(struct.pack("!HH", tag, ETHERTYPES[payload[0] >> 4]) + payload, 0x8100)


def ipv4(source: str, target: str, protocol: int, payload: bytes, ttl: int = 64, fragment: int = 0) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, ttl, protocol, 0)
    head += ip_address(source).packed + ip_address(target).packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source: str, target: str, following: int, payload: bytes, hop_limit: int = 64) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(payload), following, hop_limit)
    return head + ip_address(source).packed + ip_address(target).packed + payload


def srh(
    following: int, segment_list: Sequence[str], left: int, payload: bytes, *, tag: int = 0, flags: int = 0,
    tlvs: bytes = b"",
) -> bytes:  # fmt: skip
    body = b"".join(ip_address(sid).packed for sid in segment_list) + tlvs
    head = struct.pack("!BBBBBBH", following, len(body) // 8, 4, left, len(segment_list) - 1, flags, tag)
    return head + body + payload


def padn(length: int) -> bytes:
    """A PadN TLV (RFC 8754 section 2.1.1.2) of `length` bytes in all."""
    return struct.pack("!BB", 4, length - 2) + b"\0" * (length - 2)


def hmac(key: int = 1) -> bytes:
    """An HMAC TLV (RFC 8754 section 2.1.2)."""
    return struct.pack("!BBHI", 5, 38, 0, key) + b"\x5a" * 32


def destination_options(following: int, payload: bytes) -> bytes:
    return struct.pack("!BBBB", following, 0, 1, 4) + b"\0" * 4 + payload


def fragment6(following: int, offset: int, more: bool, payload: bytes) -> bytes:
    return struct.pack("!BBHI", following, 0, offset << 3 | more, 99) + payload


def echo(payload: bytes, kind: int = 8, ident: int = 0x2FC, sequence: int = 1) -> bytes:
    head = struct.pack("!BBHHH", kind, 0, 0, ident, sequence)
    return head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:] + payload


def icmp(kind: int, code: int, rest: bytes, payload: bytes) -> bytes:
    head = struct.pack("!BBH", kind, code, 0) + rest
    return head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:] + payload


def icmpv6(source: str, target: str, kind: int, code: int, body: bytes) -> bytes:
    """The ICMPv6 message alone, with its checksum over the pseudo header."""
    head = struct.pack("!BBH", kind, code, 0) + body
    pseudo = ip_address(source).packed + ip_address(target).packed + struct.pack("!II", len(head), 58)
    return head[:2] + struct.pack("!H", checksum(pseudo + head)) + head[4:]


def udp(source: int, target: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload


def tcp(source: int, target: int, payload: bytes, sequence: int = 1) -> bytes:
    return struct.pack("!HHIIBBHHH", source, target, sequence, 1, 0x50, 0x18, 512, 0, 0) + payload


def arp(sender_mac: str, sender: str, target: str) -> bytes:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac(sender_mac) + ip_address(sender).packed
    body += b"\0" * 6 + ip_address(target).packed
    return ether(body, 0x0806, sender_mac, "ff:ff:ff:ff:ff:ff")


def neighbor(kind: int, source: str, target: str, about: str, option: int, link: str) -> bytes:
    """A neighbor solicitation (135) or advertisement (136) with one link-layer address option."""
    body = b"\0" * 4 + ip_address(about).packed
    body += struct.pack("!BB", option, 1) + mac(link) if option else b""
    return ether(ipv6(source, target, 58, icmpv6(source, target, kind, 0, body), 255), source=link)


def mld() -> bytes:
    record = struct.pack("!BBH", 4, 0, 0) + ip_address("ff02::1:ff00:1").packed
    message = icmpv6("::", "ff02::16", 143, 0, struct.pack("!HH", 0, 1) + record)
    return ether(ipv6("::", "ff02::16", 0, struct.pack("!BBHBBH", 58, 0, 0x0502, 0, 1, 0) + message, 1))


def ping(sequence: int = 1, *, left: int = 1) -> bytes:
    """The seed's packet between the two segments: IPv6, an SRH of two SIDs, IPv4, an echo request."""
    inner = ipv4("10.0.0.1", "10.0.1.1", 1, echo(TOKEN * 3, sequence=sequence))
    target = ("fc00:3::a", "fc00:2::a")[left]
    return ether(ipv6("2001:12::1", target, 43, srh(4, ["fc00:3::a", "fc00:2::a"], left, inner), 63))


def pcap(frames: Sequence[bytes], *, order: str = "<", nano: bool = False, snaplen: int = 262144,
         link: int = 1) -> bytes:  # fmt: skip
    """A pcap; frame n was captured at 1,700,000,000.5 seconds plus n."""
    magic, half = (0xA1B23C4D, 500_000_000) if nano else (0xA1B2C3D4, 500_000)
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for number, frame in enumerate(frames):
        parts += [struct.pack(order + "IIII", 1_700_000_000 + number, half, len(frame), len(frame)), frame]
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order: str = "<", link: int = 1) -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, 262144), order)


def enhanced(frame: bytes, number: int = 0, order: str = "<") -> bytes:
    time = (1_700_000_000 + number) * 1_000_000 + 500_000
    head = struct.pack(order + "IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order)


def pcapng(frames: Sequence[bytes], order: str = "<") -> bytes:
    packets = b"".join(enhanced(frame, number, order) for number, frame in enumerate(frames))
    return section(order) + interface(order) + packets


def seed() -> list[bytes]:
    """A link of a lab with a ping over two SIDs, and what else a link carries."""
    return [
        mld(),
        neighbor(135, "2001:12::1", "ff02::1:ff00:2", "2001:12::2", 1, MAC_A),
        neighbor(136, "2001:12::2", "2001:12::1", "2001:12::2", 2, MAC_B),
        arp(MAC_A, "10.0.0.2", "10.0.0.1"),
        *(ping(number) for number in (1, 2, 3)),
        ether(ipv4("192.0.2.1", "192.0.2.2", 6, tcp(40000, 22, b"SSH-2.0-OpenSSH_9.2\r\n"))),
    ]


if __name__ == "__main__":
    Path(__file__).with_name("seed.pcap").write_bytes(pcap(seed()))
