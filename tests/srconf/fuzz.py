"""Packets good and bad for the proxies, made from a seed, and what nobody may send on."""

import random
import struct
import subprocess
from collections.abc import Sequence
from ipaddress import IPv6Address
from pathlib import Path

from .packets import SOURCE, checksum, icmp, ipv4, plain6

EXPERIMENT = 253  # a protocol number for experiments (RFC 3692): no dissector looks into it
ETHERNET, NONE, IPV4, IPV6 = 143, 59, 4, 41
GOOD_OPTIONS = {0: b"\x01\x04" + bytes(4), 60: b"\x1e\x04wxyz"}


def inner4(dice: random.Random) -> bytes:
    """An IPv4 packet that is right; a fragment, now and then."""
    payload = dice.randbytes(dice.choice((0, 1, 8, 100, 1300)))
    protocol = EXPERIMENT
    if dice.random() < 0.2:
        protocol, payload = (
            1,
            icmp(dice.choice((0, 8)), 0, struct.pack("!HH", dice.randrange(9), 1) + payload),
        )
    return ipv4(
        f"10.0.9.{dice.randrange(1, 250)}",
        "10.9.9.9",
        protocol,
        payload,
        ttl=dice.choice((3, 64, 255)),
        tos=dice.choice((0, 0x28)),
        identification=dice.randrange(9),
        fragment=dice.choice((0, 0, 0, 0x4000, 0x2000, 0x2007, 0x00B9)) if protocol == EXPERIMENT else 0,
    )


def inner6(dice: random.Random) -> bytes:
    """An IPv6 packet that is right, with extension headers, now and then."""
    payload = dice.randbytes(dice.choice((0, 1, 8, 100, 1300)))
    types = [EXPERIMENT]
    for kind in dice.choice(((), (), (60,), (44,), (60, 0), (60, 44, 60))):
        if kind == 44:
            offset = dice.choice((0, 1, 0x10, 0x11)) if len(types) == 1 else 0
            payload = bytes((types[-1], 0)) + struct.pack("!HI", offset, dice.randrange(9)) + payload
        else:
            payload = bytes((types[-1], 0)) + GOOD_OPTIONS[kind] + payload
        types.append(kind)
    return plain6(
        types[-1],
        payload,
        source=f"fd00:9::{dice.randrange(1, 999):x}",
        destination="fc00:9::9",
        hop_limit=dice.choice((3, 64, 255)),
        traffic_class=dice.choice((0, 0x28)),
    )


def spoil_inner(dice: random.Random, packet: bytes) -> bytes:
    """A header that is wrong; an IPv4 header's checksum is made right again, mostly.

    TTL, hop limit, protocol and addresses stay, and no IPv4 options come up: a router has to look into those.
    """
    spoiled = bytearray(packet)
    four = packet[:1] == b"\x45"
    at = dice.choice((0, 1, 2, 3, 6, 7, 10, 11) if four else (0, 1, 4, 5))
    spoiled[at] = dice.randrange(256)
    if four and spoiled[0] >> 4 == 4 and (spoiled[0] & 15) > 5:
        spoiled[0] = 0x40 | dice.randrange(5)
    if four and at != 10 and at != 11:
        spoiled[10:12] = bytes(2)
        spoiled[10:12] = struct.pack("!H", checksum(bytes(spoiled[:20])))
    return bytes(spoiled[: dice.randrange(len(spoiled) + 1)] if dice.random() < 0.3 else spoiled)


def outer(dice: random.Random, sid: str, kind: int, inner: bytes, *, good: bool, opaque: bool) -> bytes:
    """An SRv6 packet for a SID; `kind` is the Next Header of what it carries, all of it if that is opaque."""
    count = dice.choice((1, 2, 3, 4, 30)) if dice.random() < 0.9 else dice.randrange(33)
    left = dice.randrange(count + 1)
    segments = [f"fc00:9::{dice.randrange(1, 999):x}" for _ in range(count)]
    if left < count:
        segments[left] = sid  # wire order
    types, headers = [kind], b""
    if count and dice.random() < 0.95:
        body = b"".join(IPv6Address(segment).packed for segment in segments)
        body += dice.choice((b"", b"", b"\x05\x06abcdef", b"\x04\x06" + bytes(6)))
        fields = [types[-1], len(body) // 8, 4, left, count - 1, 0]
        if not good and dice.random() < 0.5:
            at = dice.choice((2, 3, 4) if opaque else (0, 1, 2, 3, 4))
            fields[at] = dice.randrange(count - 1 if at == 4 else 0, 256)
        headers = bytes(fields) + struct.pack("!H", dice.randrange(1 << 16)) + body
        types.append(43)
    for extension in dice.choice(((), (), (60,), (0,), (60, 0), (60,) * 8)):
        headers = bytes((types[-1], 0)) + GOOD_OPTIONS[extension] + headers
        types.append(extension)
    payload = headers + inner
    length, version, hop_limit = len(payload), 6, dice.choice((9, 62, 255))
    if not good:
        less = 0 if opaque else -dice.randrange(min(length, 60) or 1)
        length += dice.choice((0, 0, less, dice.randrange(60)))
        version = dice.choice((6, 6, 6, 4, 0))
        hop_limit = dice.choice((0, 1, 9, 62))
    head = struct.pack("!IHBB", version << 28 | dice.randrange(1 << 20), length, types[-1], hop_limit)
    packet = head + IPv6Address(SOURCE).packed + IPv6Address(sid).packed + payload
    if not good and dice.random() < 0.3:
        packet = packet[: dice.randrange(40, len(packet) + 1)]
    return packet


def for_sid(dice: random.Random, sid: str, kind: int, *, opaque: bool) -> bytes:
    """A packet for a SID: good or bad outside or inside. Inside it stays good where the proxy doesn't look."""
    make = {IPV4: inner4, IPV6: inner6}.get(kind) or dice.choice((inner4, inner6))
    inner = make(dice)
    said = IPV4 if inner[0] >> 4 == 4 else IPV6
    if not opaque:
        if dice.random() < 0.1:
            said = dice.choice((IPV4, IPV6, ETHERNET, NONE))
        if dice.random() < 0.4:
            inner = spoil_inner(dice, inner)
    return outer(dice, sid, said, inner, good=dice.random() < 0.4, opaque=opaque)


def from_service(dice: random.Random, kind: int, *, opaque: bool) -> bytes:
    """A packet that a service gives back: of a flow or of none, good or bad."""
    inner = inner4(dice) if kind == IPV4 else inner6(dice)
    return spoil_inner(dice, inner) if not opaque and dice.random() < 0.5 else inner


def complaints(packets: Sequence[bytes], folder: Path) -> list[str]:
    """What tshark finds malformed or erroneous in IP headers, extension headers and SRHs."""
    pcap = folder / "out.pcap"
    with pcap.open("wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 101))  # raw IP
        for number, packet in enumerate(packets):
            file.write(struct.pack("=IIII", number, 0, len(packet), len(packet)) + packet)
    wrong = (
        "_ws.malformed || ip.bogus_ip_length || ip.bogus_header_length || ip.checksum.status == 0 || "
        "ipv6.plen_exceeds_framing || ipv6.invalid_header || ipv6.routing.invalid_length || "
        "ipv6.routing.invalid_segleft || _ws.expert.severity >= 8388608"
    )
    command = ["tshark", "-r", str(pcap), "-o", "ip.check_checksum:TRUE", "-Y", wrong, "-T", "fields"]
    fields = ["-e", "frame.number", "-e", "_ws.expert.message"]
    done = subprocess.run([*command, *fields], capture_output=True, text=True, check=True)
    return [f"{line} {packets[int(line.split()[0]) - 1].hex()}" for line in done.stdout.splitlines()]
