"""One UDP datagram of each of many flows, which differ in their source port.

    python3 udpflows.py [--interval SECONDS] [--size BYTES] [--token HEX] [--source ADDRESS] [--hop-limit N] [--tos N] COUNT DESTINATION PORT

It runs inside a node, so it imports the standard library only. It sums up as ping does; nothing answers.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time

FIRST_PORT = 20000
_IPV4 = (socket.IPPROTO_IP, socket.IP_TTL, socket.IP_TOS)
_IPV6 = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS)


def main() -> int:
    given = _arguments()
    token = bytes.fromhex(given.token) or b"srv6lab "
    payload = (token * (given.size // len(token) + 1))[: given.size]
    family, kind, protocol, _, to = socket.getaddrinfo(given.destination, given.port, type=socket.SOCK_DGRAM)[
        0
    ]
    level, hop_limit, tos = _IPV6 if family == socket.AF_INET6 else _IPV4
    options = [(hop_limit, given.hop_limit), (tos, given.tos)]
    sent, begun = 0, time.monotonic()
    for port in range(FIRST_PORT, FIRST_PORT + given.count):
        with socket.socket(family, kind, protocol) as made:
            for option, value in options:
                made.setsockopt(level, option, value)
            made.bind((given.source, port))
            made.sendto(payload, to)
        sent += 1
        if (left := begun + sent * given.interval - time.monotonic()) > 0:
            time.sleep(left)
    print(f"{sent} packets transmitted, 0 received, no answer is expected")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="udpflows")
    parser.add_argument("--interval", type=float, default=0.001)
    parser.add_argument("--size", type=int, default=56)
    parser.add_argument("--token", default="")
    parser.add_argument("--source", default="")
    parser.add_argument("--hop-limit", type=int, default=-1)  # its node's own
    parser.add_argument("--tos", type=int, default=0)
    parser.add_argument("count", type=int)
    parser.add_argument("destination")
    parser.add_argument("port", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"udpflows: {error}")
