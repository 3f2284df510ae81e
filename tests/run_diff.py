"""Two runs of an exercise, packet by packet: the same, but for what no two runs share.

Whoever runs a lab, its probes must take the same way in the same bytes. Normalized are MAC addresses, the time
in a ping's payload, flow labels, IPv4 and ICMP identifiers, checksums, and the token that tells a run's probe.
Everything else has to be equal at each NIC in each direction, and as often.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from srv6lab.capture.pcap import packets
from srv6lab.errors import UsageError
from srv6lab.plan.nodes import Nic, Plan
from srv6lab.srv6.packet.ipv4 import Ipv4
from srv6lab.srv6.packet.ipv6 import Ipv6
from srv6lab.srv6.packet.link import Ethernet
from srv6lab.srv6.packet.stack import Header, Packet
from srv6lab.srv6.packet.upper import Icmp, Icmpv6
from srv6lab.srv6.packet.wire import Malformed

_NOBODY = bytes(6)
_TIME = 16  # bytes in which ping writes when it sent a packet (iputils: seconds and microseconds)
_Walk = Counter[tuple[str, str, bytes]]  # probe, point with direction, normalized frame


def differences(plan: Plan, one: Path, other: Path) -> list[str]:
    """What the probes of two run folders show at any NIC that the other run's don't: a line each."""
    first, second = walk(plan, one), walk(plan, other)
    said = []
    for (probe, place, frame), count in sorted((first - second).items()):
        said.append(f"{probe} at {place}: {count} only in {one}: {_shown(frame)}")
    for (probe, place, frame), count in sorted((second - first).items()):
        said.append(f"{probe} at {place}: {count} only in {other}: {_shown(frame)}")
    return said


def walk(plan: Plan, folder: Path) -> _Walk:
    """Every frame of every probe in a run folder, normalized; UsageError for what is no run's folder."""
    tokens = _tokens(folder)
    found: _Walk = Counter()
    for nic in plan.traced():
        path = folder / "captures" / f"{nic.trace}.pcap"
        if not path.is_file():
            raise UsageError(
                f"{folder} has no {nic.trace}.pcap", "compare whole runs: .srv6lab/NAME/runs/EXERCISE"
            )
        for frame in packets(path):
            for probe, token in tokens.items():
                if token in frame:
                    found[probe, _place(nic, frame), normalized(frame, token)] += 1
    return found


def normalized(frame: bytes, token: bytes) -> bytes:
    """The frame without what differs from run to run; ValueError for one that can't be read."""
    try:
        packet = Packet.from_bytes(frame)
    except Malformed as error:
        raise ValueError(f"a frame can't be read: {error}") from None
    payload = packet.payload
    if isinstance(packet.headers[-1], Icmp | Icmpv6):
        payload = bytes(_TIME) + payload[_TIME:]
    payload = _without(payload, token)
    return Packet(tuple(map(_normalized, packet.headers)), payload, packet.trailer).to_bytes()


def _without(payload: bytes, token: bytes) -> bytes:
    """The pattern that ping repeats over the payload is the token from some byte of it on."""
    if token not in payload:
        return payload
    begin, length = payload.index(token), len(token)
    return bytes(0 if byte == token[(at - begin) % length] else byte for at, byte in enumerate(payload))


def _normalized(header: Header) -> Header:
    match header:
        case Ethernet():
            return replace(header, source=_NOBODY, destination=_NOBODY)
        case Ipv6():
            return replace(header, flow_label=0)
        case Ipv4():
            return replace(header, identification=0, checksum=0)
        case Icmp() | Icmpv6():
            return replace(header, checksum=0, rest=bytes(2) + header.rest[2:])
        case _:
            return header


def _place(nic: Nic, frame: bytes) -> str:
    own = bytes.fromhex(nic.mac.replace(":", ""))
    return f"{nic.point} {'out' if frame[6:12] == own else 'in'}"


def _tokens(folder: Path) -> Mapping[str, bytes]:
    path = folder / "observations.json"
    try:
        probes = json.loads(path.read_text(encoding="utf-8"))["probes"]
        return {one["probe"]: bytes.fromhex(one["token"]) for one in probes}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} isn't as a run writes it: {error}", "compare whole runs") from None


def _shown(frame: bytes) -> str:
    headers = Packet.from_bytes(frame).headers
    return " | ".join(str(header) for header in headers if not isinstance(header, Ethernet))
