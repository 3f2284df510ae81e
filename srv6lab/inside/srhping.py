"""Echo requests that carry an SRH through chosen SIDs (RFC 8754, RFC 9259): `ping` can't.

    python3 srhping.py [--oam] [--count N] [--token HEX] [--source ADDRESS] [--hop-limit N] [--tos N] DESTINATION SEGMENT…

The segments are first visited first, and the destination comes last. It runs inside a node, so it imports the
standard library only. It sums up as ping does; it exits 0 if anything was answered, 1 if nothing was.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import struct
import sys
import time

_IPV6_RTHDR = 57  # Linux; the socket module leaves it out where the C library does
_REQUEST, _REPLY, _SRH = 128, 129, 4
_O_FLAG = 0x20  # RFC 9259 section 2.1: bit 2 of the flags
_PAYLOAD = 56
_HEADER = struct.Struct("!BBHHH")
_INTERVAL, _PATIENCE = 0.02, 1.0


def main() -> int:
    given = _arguments()
    path = [*given.segment, given.destination]
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_IPV6, _IPV6_RTHDR, srh(path, _O_FLAG if given.oam else 0))
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, given.hop_limit)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, given.tos)
        raw.bind((given.source, 0))
        sent, received = _exchange(raw, given.destination, given.count, bytes.fromhex(given.token))
    lost = 100 * (sent - received) // sent if sent else 0
    print(f"{sent} packets transmitted, {received} received, {lost}% packet loss")
    return 0 if received else 1


def srh(path: list[str], flags: int) -> bytes:
    """The SRH through `path`, first visited first: the kernel writes the last of it itself."""
    left = len(path) - 1
    head = struct.pack("!BBBBBBH", 0, 2 * len(path), _SRH, left, left, flags, 0)
    return head + b"".join(socket.inet_pton(socket.AF_INET6, one) for one in reversed(path))


def _exchange(raw: socket.socket, destination: str, count: int, token: bytes) -> tuple[int, int]:
    """Send the requests, print the replies; how many went and how many came, however late."""
    identifier, began, replied = os.getpid() & 0xFFFF, dict[int, float](), set[int]()
    payload = (bytes(8) + (token or b"srv6lab ") * _PAYLOAD)[:_PAYLOAD]
    for sequence in range(1, count + 1):
        began[sequence] = time.monotonic()
        raw.sendto(_HEADER.pack(_REQUEST, 0, 0, identifier, sequence) + payload, (destination, 0))
        _replies(raw, identifier, began, replied, {sequence})
        time.sleep(_INTERVAL)
    _replies(raw, identifier, began, replied, set(began))
    return count, len(replied)


def _replies(
    raw: socket.socket, identifier: int, began: dict[int, float], replied: set[int], wanted: set[int]
) -> None:
    """Take replies until those that are `wanted` are there, or the last request's time is over."""
    while wanted - replied and (left := max(began.values()) + _PATIENCE - time.monotonic()) > 0:
        if not select.select([raw], [], [], left)[0]:
            return
        data, source = raw.recvfrom(65535)
        kind, _, _, seen, number = _HEADER.unpack_from(data.ljust(_HEADER.size, b"\0"))
        if (kind, seen) == (_REPLY, identifier) and number in began and number not in replied:
            replied.add(number)
            took = 1000 * (time.monotonic() - began[number])
            print(f"reply from {source[0]}: seq={number} time={took:.2f} ms")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="srhping")
    parser.add_argument("--oam", action="store_true")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--token", default="")
    parser.add_argument("--source", default="::")
    parser.add_argument("--hop-limit", type=int, default=-1)  # its node's own
    parser.add_argument("--tos", type=int, default=0)
    parser.add_argument("destination")
    parser.add_argument("segment", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"srhping: {error}")
