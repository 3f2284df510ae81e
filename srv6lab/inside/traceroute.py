"""Echo requests with growing hop limits, and who answers each (RFC 1812 section 5.3.1, RFC 4443 section 3.3).

    python3 traceroute.py [--interval SECONDS] [--size BYTES] [--patience SECONDS] [--source ADDRESS] [--tos N] [--token HEX] MAX DESTINATION

It runs inside a node, so it imports the standard library only. All of them are sent, from hop limit 1 to MAX, which is
also their sequence number. It sums up as ping does, echo replies as what was received, and notes who answered; `*` is
nobody.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import struct
import sys
import time

_HEADER = struct.Struct("!BBHHH")
_EXTENSIONS = {0, 43, 60}
_REQUESTS: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLIES: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_ERRORS: dict[int, tuple[int, ...]] = {socket.AF_INET: (3, 11, 12), socket.AF_INET6: (1, 2, 3, 4)}


def main() -> int:
    given = _arguments()
    family, _, _, _, to = socket.getaddrinfo(given.destination, None, type=socket.SOCK_DGRAM)[0]
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
        raw.bind((given.source, 0))
        hops, replies = _traced(raw, family, to, given)
    who = " ".join(hops.get(number, "*") for number in range(1, given.most + 1))
    print(f"{given.most} packets transmitted, {replies} received\nnote: {who}")
    return 0


def _traced(
    raw: socket.socket, family: int, to: tuple[object, ...], given: argparse.Namespace
) -> tuple[dict[int, str], int]:
    """Who answered by hop limit, and how many of those are echo replies."""
    level, hop_limit, tos = (
        (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS)
        if family == socket.AF_INET6
        else (socket.IPPROTO_IP, socket.IP_TTL, socket.IP_TOS)
    )
    raw.setsockopt(level, tos, given.tos)
    token = bytes.fromhex(given.token) or b"srv6lab "
    payload = (token * (given.size // len(token) + 1))[: given.size]
    identifier, hops, replies = os.getpid() & 0xFFFF, dict[int, str](), 0
    deadline = 0.0
    for number in range(1, given.most + 1):
        raw.setsockopt(level, hop_limit, number)
        begun = struct.pack("!BBHHH", _REQUESTS[family], 0, 0, identifier, number)
        sound = 0 if family == socket.AF_INET6 else checksum(begun + payload)  # of ICMPv6 the kernel's
        raw.sendto(struct.pack("!BBHHH", _REQUESTS[family], 0, sound, identifier, number) + payload, to)
        time.sleep(given.interval)
        deadline = time.monotonic() + given.patience
    while len(hops) < given.most and (left := deadline - time.monotonic()) > 0:
        if not select.select([raw], [], [], left)[0]:
            break
        data, source = raw.recvfrom(65535)
        number, reply = _number(data, family, identifier)
        if number and number not in hops:
            hops[number] = source[0]
            replies += reply
    return hops, replies


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _number(data: bytes, family: int, identifier: int) -> tuple[int, bool]:
    """Which of our packets a message answers, 0 for none, and whether it is an echo reply."""
    message = data[(data[0] & 15) * 4 :] if family == socket.AF_INET else data
    if len(message) < 8:
        return 0, False
    kind, _, _, seen, number = _HEADER.unpack_from(message)
    if kind == _REPLIES[family]:
        return (number, True) if seen == identifier else (0, False)
    if kind not in _ERRORS[family]:
        return 0, False
    quoted = _behind(message[8:], family)
    if len(quoted) < 8:
        return 0, False
    kind, _, _, seen, number = _HEADER.unpack_from(quoted)
    return (number, False) if (kind, seen) == (_REQUESTS[family], identifier) else (0, False)


def _behind(packet: bytes, family: int) -> bytes:
    """What stands behind the headers of a packet that an error quotes."""
    if family == socket.AF_INET:
        return packet[(packet[0] & 15) * 4 :] if packet else b""
    following, rest = packet[6] if len(packet) > 40 else 59, packet[40:]
    while following in _EXTENSIONS and len(rest) > 8:
        following, rest = rest[0], rest[8 * (rest[1] + 1) :]
    return rest


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="traceroute")
    parser.add_argument("--interval", type=float, default=0.02)
    parser.add_argument("--size", type=int, default=56)
    parser.add_argument("--patience", type=float, default=2.0)
    parser.add_argument("--source", default="")
    parser.add_argument("--tos", type=int, default=0)
    parser.add_argument("--token", default="")
    parser.add_argument("most", type=int)
    parser.add_argument("destination")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"traceroute: {error}")
