"""Packets that Linux 6.18 wrote (ping over seg6 routes, captured on a veth), and what their bytes say.

The headers are typed by hand from the bytes, without lengths, next headers and checksums: `build` must find
the kernel's.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from srv6lab.srv6.packet import (
    Ethernet,
    Header,
    Hmac,
    HopByHop,
    Icmp,
    Icmpv6,
    Ipv4,
    Ipv6,
    Option,
    Srh,
)

NEXT_HOP, NIC = bytes.fromhex("02000000000b"), bytes.fromhex("1e4005841db0")
SOURCE = IPv6Address("fc00:1::1")
A, B, C = (IPv6Address(f"fc00:{n}::a") for n in (2, 3, 4))
ETHERNET = Ethernet(NEXT_HOP, NIC)

MULTICAST_LISTENER_REPORT = """
    333300000016 fa65698b5583 86dd
    60000000 0024 00 01 fe80000000000000f86569fffe8b5583 ff020000000000000000000000000016
    3a 00 0502 0000 0100
    8f00 6486 00000001 04000000 ff0200000000000000000001ff8b5583
"""
ENCAPSULATED = """
    02000000000b 1e4005841db0 86dd
    60000000 0054 2b 40 fc000001000000000000000000000001 fc00000200000000000000000000000a
    04 04 04 01 01 00 0000 fc00000300000000000000000000000a fc00000200000000000000000000000a
    45 00 002c 9796 4000 40 01 8f30 0a000001 0a090001
    08 00 2340 72ed 0001 7313026b 00000000 ea520200 00000000
"""
REDUCED = """
    02000000000b 1e4005841db0 86dd
    600ca30b 0068 2b 40 fc000001000000000000000000000001 fc00000200000000000000000000000a
    29 04 04 02 01 00 0000 fc00000400000000000000000000000a fc00000300000000000000000000000a
    600ca30b 0018 3a 40 fc000001000000000000000000000001 fd090000000000000000000000000001
    80 00 46b7 7306 0001 7413026b 00000000 54620200 00000000
"""
INLINE_WITH_HMAC = """
    02000000000b 1e4005841db0 86dd
    6009d0d0 0078 2b 40 fc000001000000000000000000000001 fc00000200000000000000000000000a
    3a 0b 04 02 02 08 0000
    fd080000000000000000000000000001 fc00000300000000000000000000000a fc00000200000000000000000000000a
    05 26 0000 0000002a 51b819c49af92624c5b99c32b415ef72903f6eeeb1737c62662299df44d7ec31
    80 00 b14a 735e 0001 7513026b 00000000 e8770200 00000000
"""
RECORD_ROUTE = """
    02000000000b 1e4005841db0 0800
    4f 00 0055 121d 4000 40 01 d878 0a000001 0a000002
    01 07 27 08 0a000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    08 00 3392 736b 0001 7613026b 00000000 7c820200 00000000 5a
"""


VECTORS: dict[str, tuple[str, tuple[Header, ...], bytes]] = {
    "hop-by-hop options and ICMPv6": (
        MULTICAST_LISTENER_REPORT,
        (
            Ethernet(bytes.fromhex("333300000016"), bytes.fromhex("fa65698b5583")),
            Ipv6(IPv6Address("fe80::f865:69ff:fe8b:5583"), IPv6Address("ff02::16"), hop_limit=1),
            HopByHop(options=(Option(5, bytes(2)), Option(1, b""))),
            Icmpv6(143, rest=bytes((0, 0, 0, 1))),
        ),
        bytes((4, 0, 0, 0)) + IPv6Address("ff02::1:ff8b:5583").packed,
    ),
    "seg6 encap": (
        ENCAPSULATED,
        (
            ETHERNET,
            Ipv6(SOURCE, A),
            Srh.of((A, B)),
            Ipv4(IPv4Address("10.0.0.1"), IPv4Address("10.9.0.1"), identification=0x9796, flags=2),
            Icmp(8, rest=bytes.fromhex("72ed0001")),
        ),
        bytes.fromhex("7313026b00000000ea52020000000000"),
    ),
    "seg6 encap.red": (
        REDUCED,
        (
            ETHERNET,
            Ipv6(SOURCE, A, flow_label=0xCA30B),
            Srh.of((A, B, C), reduced=True),
            Ipv6(SOURCE, IPv6Address("fd09::1"), flow_label=0xCA30B),
            Icmpv6(128, rest=bytes.fromhex("73060001")),
        ),
        bytes.fromhex("7413026b000000005462020000000000"),
    ),
    "seg6 inline with an HMAC: the checksum is over the last segment": (
        INLINE_WITH_HMAC,
        (
            ETHERNET,
            Ipv6(SOURCE, A, flow_label=0x9D0D0),
            Srh.of(
                (A, B, IPv6Address("fd08::1")),
                flags=8,
                tlvs=(
                    Hmac(
                        42,
                        bytes.fromhex("51b819c49af92624c5b99c32b415ef72903f6eeeb1737c62662299df44d7ec31"),
                    ),
                ),
            ),
            Icmpv6(128, rest=bytes.fromhex("735e0001")),
        ),
        bytes.fromhex("7513026b00000000e877020000000000"),
    ),
    "IPv4 options": (
        RECORD_ROUTE,
        (
            ETHERNET,
            Ipv4(
                IPv4Address("10.0.0.1"),
                IPv4Address("10.0.0.2"),
                identification=0x121D,
                flags=2,
                options=bytes.fromhex("010727080a000001") + bytes(32),
            ),
            Icmp(8, rest=bytes.fromhex("736b0001")),
        ),
        bytes.fromhex("7613026b000000007c820200000000005a"),
    ),
}
