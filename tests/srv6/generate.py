"""Seeded packets: every header, every field, reserved bits too."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from random import Random

from srv6lab.srv6 import packet as model

OPAQUE = 253  # "use for experimentation and testing" (RFC 3692): nobody reads what it holds


def address6(random: Random) -> IPv6Address:
    return IPv6Address(0xFC << 120 | random.getrandbits(112))


def address4(random: Random) -> IPv4Address:
    return IPv4Address(10 << 24 | random.getrandbits(24))


def options(random: Random) -> tuple[model.Option, ...]:
    """Padded to a header whose length is a multiple of 8 bytes."""
    found = [model.Option(0x1E, random.randbytes(random.randrange(9))) for _ in range(random.randrange(3))]
    found += [model.Option(0, None)] * random.randrange(2)
    missing = -(2 + sum(len(option.to_bytes()) for option in found)) % 8
    if missing == 1:
        found.append(model.Option(0, None))
    elif missing:
        found.append(model.Option(1, bytes(missing - 2)))
    return tuple(found) or (model.Option(1, bytes(4)),)


def tlvs(random: Random) -> tuple[model.Tlv, ...]:
    found: list[model.Tlv] = []
    if random.randrange(2):
        found.append(
            model.Hmac(
                random.getrandbits(32),
                random.randbytes(32),
                bool(random.randrange(2)),
                random.getrandbits(15),
            )
        )
    if random.randrange(2):
        found.append(model.UnknownTlv(random.choice((2, 124, 200)), random.randbytes(random.randrange(12))))
    missing = -sum(len(tlv.to_bytes()) for tlv in found) % 8
    if missing == 1:
        found.append(model.Pad1())
    elif missing:
        found.append(model.PadN(bytes(missing - 2)))
    return tuple(found)


def srh(random: Random, *, reduced: bool | None = None) -> model.Srh:
    segments = [address6(random) for _ in range(random.randrange(2, 6))]
    whole = model.Srh.of(
        segments,
        reduced=bool(random.randrange(2)) if reduced is None else reduced,
        flags=random.getrandbits(8),
        tag=random.getrandbits(16),
        tlvs=tlvs(random),
    )
    return replace(whole, segments_left=random.randrange(len(segments)))


def extensions(random: Random) -> list[model.Header]:
    return [
        header
        for header in (
            model.HopByHop(options=options(random)),
            model.DestinationOptions(options=options(random)),
            model.Routing(random.choice((0, 253)), 0, bytes(4) + random.randbytes(16)),
            srh(random),
            model.Fragment(
                random.getrandbits(32), reserved=random.getrandbits(8), reserved_bits=random.getrandbits(2)
            ),
            model.Authentication(
                random.getrandbits(32),
                random.getrandbits(32),
                random.randbytes(random.choice((4, 12))),
                reserved=random.getrandbits(16),
            ),
            model.DestinationOptions(options=options(random)),
        )
        if random.randrange(3) == 0
    ]


def ipv6(random: Random) -> model.Ipv6:
    return model.Ipv6(
        address6(random),
        address6(random),
        random.randrange(1, 256),
        OPAQUE,
        random.getrandbits(8),
        random.getrandbits(20),
    )


def ipv4(random: Random, *, with_options: bool = True) -> model.Ipv4:
    return model.Ipv4(
        address4(random),
        address4(random),
        random.randrange(1, 256),
        OPAQUE,
        random.getrandbits(8),
        random.getrandbits(16),
        random.choice((0, 2, 4, 6)),
        options=bytes([1]) * (4 * random.randrange(3)) if with_options else b"",
    )


def upper(random: Random, *, version: int) -> list[model.Header]:
    ports = random.randrange(40000, 40100), random.randrange(40000, 40100)
    choices: tuple[model.Header | None, ...] = (
        None,
        model.Udp(*ports),
        model.Tcp(
            *ports,
            random.getrandbits(32),
            random.getrandbits(32),
            random.getrandbits(8),
            random.getrandbits(16),
            random.getrandbits(16),
            options=bytes([1]) * (4 * random.randrange(4)),
            reserved=random.getrandbits(4),
        ),
        model.Icmp(random.choice((0, 8)), random.getrandbits(8), random.randbytes(4))
        if version == 4
        else model.Icmpv6(random.choice((128, 129)), random.getrandbits(8), random.randbytes(4)),
    )
    one = random.choice(choices)
    return [] if one is None else [one]


def inner(random: Random) -> list[model.Header]:
    """An IP packet, or none."""
    if random.randrange(3) == 0:
        return []
    if random.randrange(2):
        return [ipv4(random), *upper(random, version=4)]
    return [ipv6(random), *extensions(random)[:2], *upper(random, version=6)]


def fragment(random: Random) -> list[model.Header]:
    """The last header of a packet that is one of several fragments."""
    return [
        model.Fragment(
            random.getrandbits(32),
            random.getrandbits(13) or 1,
            bool(random.randrange(2)),
            OPAQUE,
            random.getrandbits(8),
            random.getrandbits(2),
        )
    ]


def link(random: Random) -> list[model.Header]:
    ethernet = model.Ethernet(random.randbytes(6), random.randbytes(6))
    tags = [
        model.Vlan(random.getrandbits(12), 0, random.getrandbits(3), bool(random.randrange(2)))
        for _ in range(random.choice((0, 0, 0, 1, 2)))
    ]
    return [ethernet, *tags]


def frame(random: Random) -> model.Packet:
    """Any frame: IPv6 with an inner packet or not, or IPv4."""
    # tshark 4.0 wants a second byte behind a Pad1 option, so it misses one that a frame ends with.
    payload = random.randbytes(random.randrange(1, 40))
    if random.randrange(6) == 0:
        return model.build(*link(random), ipv4(random), *upper(random, version=4), payload=payload)
    outer = [*link(random), ipv6(random), *extensions(random)]
    if random.randrange(8) == 0:
        return model.build(*outer, *fragment(random), payload=payload)
    behind = inner(random) or upper(random, version=6)
    trailer = bytes(random.choice((0, 0, 0, 6)))
    return model.build(*outer, *behind, payload=payload, trailer=trailer)
