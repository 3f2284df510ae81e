"""What the node of the kernel tests has installed, and packets that Linux takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from random import Random

import pytest

from srv6lab.srv6 import acting
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.headend import h_encaps, h_encaps_l2, h_encaps_l2_red, h_encaps_red, hop
from srv6lab.srv6.packet import (
    DestinationOptions,
    Header,
    HopByHop,
    Ipv4,
    Ipv6,
    Option,
    Packet,
    Pad1,
    Srh,
    Udp,
    build,
)
from srv6lab.srv6.results import Flavor, Forward, LocalSid, NextCsid, Result
from tests.srv6 import generate

major, minor = os.uname().release.split(".")[:2]
KERNEL = int(major), int(minor.split("-")[0])
SOURCE = IPv6Address("2001:db8::1")
DX4_TO_A_NEIGHBOR = IPv6Address("fc00:2::bad")
SEGMENTS = tuple(IPv6Address(f"fc00:{n}::a") for n in (3, 4, 5))


@dataclass(frozen=True, slots=True)
class Installed:
    """A local SID of the node: as Linux spells it, and as the model has it."""

    sid: IPv6Address
    behavior: str
    action: str
    parameters: LocalSid
    since: tuple[int, int] = (4, 14)

    @property
    def is_there(self) -> bool:
        return self.since <= KERNEL


SIDS = {
    one.sid.packed[-1]: one
    for one in (
        Installed(IPv6Address("fc00:2::1"), "End", "End", LocalSid()),
        Installed(
            IPv6Address("fc00:2::2"),
            "End",
            "End flavors psp",
            LocalSid(flavors=frozenset({Flavor.PSP})),
            (6, 3),
        ),
        Installed(
            IPv6Address("fc00:2::5"),
            "End.X",
            "End.X nh6 2001:db8::2",
            LocalSid(nh6=IPv6Address("2001:db8::2")),
        ),
        Installed(IPv6Address("fc00:2::9"), "End.T", "End.T table 100", LocalSid(table=100)),
        Installed(
            IPv6Address("fc00:2::16"),
            "End.DX6",
            "End.DX6 nh6 2001:db8::2",
            LocalSid(nh6=IPv6Address("2001:db8::2")),
        ),
        # An address behind a gateway: see the quirk.
        Installed(
            IPv6Address("fc00:2::17"),
            "End.DX4",
            "End.DX4 nh4 10.0.9.9",
            LocalSid(nh4=IPv4Address("10.0.9.9")),
        ),
        Installed(IPv6Address("fc00:2::18"), "End.DT6", "End.DT6 table 100", LocalSid(table=100)),
    )
}
END, PSP, DX4 = SIDS[0x01], SIDS[0x02], SIDS[0x17]
DX2 = Installed(IPv6Address("fc00:2::21"), "End.DX2", "End.DX2 oif out1", LocalSid(oif="out1"))
B6_ENCAPS = Installed(
    IPv6Address("fc00:2::14"),
    "End.B6.Encaps",
    "End.B6.Encaps srh segs " + ",".join(str(segment) for segment in SEGMENTS),
    LocalSid(),
)
ENDPOINTS = [one for one in SIDS.values() if one.behavior in ("End", "End.X", "End.T")]
DECAPSULATING = [one for one in SIDS.values() if one.behavior.startswith("End.D")]
HEADENDS: dict[str, tuple[int, Callable[[Packet, Encapsulation], Result]]] = {
    "encap": (1, h_encaps),
    "encap.red": (2, h_encaps_red),
}
L2_HEADENDS: dict[str, tuple[int, Callable[[Packet, Encapsulation], Result]]] = {
    "l2encap": (3, h_encaps_l2),
    "l2encap.red": (4, h_encaps_l2_red),
}
INLINE = 5

CSIDS = [
    Installed(
        IPv6Address("fc00:2:7::"),
        "End",
        "End flavors next-csid lblen 32 nflen 16",
        LocalSid(next_csid=NextCsid(32, 16)),
        (6, 1),
    ),
    Installed(
        IPv6Address("fc00:2:9::"),
        "End.X",
        "End.X nh6 2001:db8::2 flavors next-csid lblen 32 nflen 16",
        LocalSid(next_csid=NextCsid(32, 16), nh6=IPv6Address("2001:db8::2")),
        (6, 6),
    ),
]


CSID_AND_PSP = Installed(
    IPv6Address("fc00:2:8::"),
    "End",
    "End flavors psp,next-csid lblen 32 nflen 16",
    LocalSid(next_csid=NextCsid(32, 16), flavors=frozenset({Flavor.PSP})),
    (6, 3),
)


def routes() -> Iterator[str]:
    yield "route add ::/0 via 2001:db8::2 table 100"
    yield f"route add {DX4_TO_A_NEIGHBOR} encap seg6local action End.DX4 nh4 10.0.1.2 dev out1"
    for one in (*SIDS.values(), DX2, B6_ENCAPS, *CSIDS, CSID_AND_PSP):
        if one.is_there:
            where = f"{one.sid}/48" if one.parameters.next_csid else str(one.sid)
            yield f"route add {where} encap seg6local action {one.action} dev out1"
    segs = ",".join(str(segment) for segment in SEGMENTS)
    for mode, (number, _) in (HEADENDS | L2_HEADENDS).items():
        for size in (1, 2, 3):
            some = ",".join(segs.split(",")[:size])
            yield f"route add 10.{number}.{size}.0/24 encap seg6 mode {mode} segs {some} dev out1"
            yield f"route add fd00:{number}:{size}::/48 encap seg6 mode {mode} segs {some} dev out1"
    for size in (1, 2, 3):
        some = ",".join(segs.split(",")[:size])
        yield f"route add fd00:{INLINE}:{size}::/48 encap seg6 mode inline segs {some} dev out1"


def need(one: Installed) -> None:
    if not one.is_there:
        pytest.skip(f"Linux has {one.action} since {one.since}, this is {KERNEL}")


def act(one: Installed, packet: Packet) -> Result:
    return acting.act(REGISTRY[one.behavior])(packet, one.parameters)


def forwarded(result: Result) -> Packet:
    assert isinstance(result, Forward), result
    return result.packet


def srh(random: Random) -> Srh:
    """One that Linux takes: no Pad1, see the quirk."""
    while True:
        one = generate.srh(random)
        if Pad1() not in one.tlvs:
            return one


def walks_tlvs(wire: bytes, index: int) -> bool:
    """The quirks `tlvs-always-walked` and `pad1-read-as-tlv`: whether Linux comes to the end of the TLVs of the SRH
    that is the header with that index."""
    srh = Packet.from_bytes(wire, Ipv6).headers[index]
    assert isinstance(srh, Srh)
    left = b"".join(tlv.to_bytes() for tlv in srh.tlvs)
    while left and len(left) >= 2 + (left[1] if len(left) > 1 else 1):
        left = left[2 + left[1] :]
    return not left


def options(random: Random) -> list[Header]:
    """Linux takes no more than 7 bytes of padding in a row."""
    choices: list[Header] = [
        HopByHop(options=(Option(0x1E, random.randbytes(4)),)),
        DestinationOptions(options=(Option(0x1E, random.randbytes(12)),)),
    ]
    return [one for one in choices if random.randrange(3) == 0]


def outer(random: Random, sid: IPv6Address) -> Ipv6:
    return replace(generate.ipv6(random), source=generate.address6(random), destination=sid)


def inner(random: Random, version: int) -> list[Header]:
    """An IP packet with at least two hops left, and with a checksum that is right."""
    if version == 4:
        header4 = generate.ipv4(random, with_options=False)
        return [replace(header4, ttl=max(header4.ttl, 2)), Udp(random.randrange(1, 65536), 9)]
    header6 = generate.ipv6(random)
    return [replace(header6, hop_limit=max(header6.hop_limit, 2)), Udp(random.randrange(1, 65536), 9)]


def steered(random: Random, number: int, size: int, version: int) -> Packet:
    """A packet that a route of the headend matches."""
    first, *rest = inner(random, version)
    if isinstance(first, Ipv4):
        first = replace(first, destination=IPv4Address(f"10.{number}.{size}.{random.randrange(1, 255)}"))
    else:
        assert isinstance(first, Ipv6)
        first = replace(first, destination=IPv6Address(f"fd00:{number}:{size}::{random.getrandbits(16):x}"))
    return build(first, *rest, payload=random.randbytes(random.randrange(40)))


def encapsulation(packet: Packet, size: int) -> Encapsulation:
    """What Linux writes into the fields that RFC 8986 leaves to the node."""
    segments = SEGMENTS[:size]
    header = packet.headers[0]
    if isinstance(header, Ipv6):
        return Encapsulation(SOURCE, segments, header.hop_limit, header.traffic_class, header.flow_label)
    return Encapsulation(SOURCE, segments)


def before_the_hop(packet: Packet, original: Packet) -> Packet:
    """The quirk `encapsulated-before-the-hop`, on what the RFC makes of the original."""
    behind = len(packet.headers) - len(original.headers)
    late = hop(replace(packet, headers=(*packet.headers[:behind], *original.headers)))
    assert isinstance(late, Packet)
    return late


def bound_before_the_hop(packet: Packet) -> Packet:
    """The quirk `bound-before-the-hop`, on what the RFC makes of a packet."""
    first, routing, header, *behind = packet.headers
    assert isinstance(header, Ipv6)
    later = replace(header, hop_limit=header.hop_limit + 1)
    late = hop(replace(packet, headers=(first, routing, later, *behind)))
    assert isinstance(late, Packet)
    return late
