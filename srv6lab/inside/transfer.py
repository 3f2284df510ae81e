"""A TCP transfer from node to node, and whether it came whole.

    python3 transfer.py listen FAMILY PORT
    python3 transfer.py send [--source ADDRESS] [--from-port PORT] [--hop-limit N] [--tos N] [--token HEX] BYTES DESTINATION PORT

It runs inside nodes, so it imports the standard library only. `listen` goes on in the background once it listens: it
takes one transfer, answers with its number of bytes and their SHA-256, and ends, also when nothing comes. `send` sums up
as ping does, one packet for the transfer, and says how far it came.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import select
import socket
import struct
import sys
import time

PATIENCE = 3.0  # seconds without any progress: three or four retransmissions
_TCP_INFO = 256
_TCP_REPAIR = 19  # Linux; the socket module leaves it out
_RETRANSMITTED, _ACKED = struct.Struct("@100xI"), struct.Struct("@120xQ")  # of Linux's struct tcp_info


def listen(given: argparse.Namespace) -> int:
    family = socket.AF_INET6 if given.family == 6 else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # beside one that nobody came to
    made.bind(("", given.port))
    made.listen()
    if os.fork():
        print("listening", flush=True)
        return 0
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    made.settimeout(2 * PATIENCE)
    taken, _ = made.accept()
    made.close()
    taken.settimeout(2 * PATIENCE)
    digest, count = hashlib.sha256(), 0
    try:
        while data := taken.recv(1 << 16):
            digest.update(data)
            count += len(data)
        taken.sendall(f"{count} {digest.hexdigest()}".encode())
    except TimeoutError:
        _leave(taken)
    taken.close()
    os._exit(0)


def _leave(made: socket.socket) -> None:
    """Let a connection go without a word: what it has left would be sent again long after the exercise."""
    made.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)


def send(given: argparse.Namespace) -> int:
    token = bytes.fromhex(given.token) or b"srv6lab "
    data = (token * (given.bytes // len(token) + 1))[: given.bytes]
    whole, words = _sent(given, data)
    print(f"1 packets transmitted, {int(whole)} received\nnote: {words}")
    return 0 if whole else 1


def _sent(given: argparse.Namespace, data: bytes) -> tuple[bool, str]:
    """Whether all of it came, and how far it came."""
    family, kind, protocol, _, to = socket.getaddrinfo(
        given.destination, given.port, type=socket.SOCK_STREAM
    )[0]
    level, hop_limit, tos = (
        (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS)
        if family == socket.AF_INET6
        else (socket.IPPROTO_IP, socket.IP_TTL, socket.IP_TOS)
    )
    with socket.socket(family, kind, protocol) as made:
        made.setsockopt(level, hop_limit, given.hop_limit)
        made.setsockopt(level, tos, given.tos)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((given.source, given.from_port))
        made.settimeout(PATIENCE)
        try:
            made.connect(to)
        except OSError as error:
            return False, f"no connection: {error}"
        try:
            acked = _written(made, data)
            if acked < len(data):
                again = _again(made)
                _leave(made)
                return False, f"stalled at {acked} of {len(data)} bytes{again}"
            return _answered(made, data)
        except OSError as error:
            return False, f"the connection ended: {error}"


def _written(made: socket.socket, data: bytes) -> int:
    """Write all of it; how many bytes were acknowledged when they all were, or when nothing moved any more."""
    made.setblocking(False)
    begun, left, acked = _told(made, _ACKED), memoryview(data), 0
    deadline = time.monotonic() + PATIENCE
    while acked < len(data) and time.monotonic() < deadline:
        if left and select.select([], [made], [], 0.01)[1]:
            left = left[made.send(left) :]
        elif not left:
            time.sleep(0.002)
        if (now := _told(made, _ACKED) - begun) > acked:
            acked, deadline = now, time.monotonic() + PATIENCE
    return acked


def _answered(made: socket.socket, data: bytes) -> tuple[bool, str]:
    """What the other end says that it got."""
    made.settimeout(PATIENCE)
    made.shutdown(socket.SHUT_WR)
    said = b""
    while part := made.recv(1 << 10):
        said += part
    again = _again(made)
    wanted = f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode()
    same = "equal" if said == wanted else "differs"
    got = said.split(b" ")[0].decode(errors="replace") or "none"
    return said == wanted, f"{got} of {len(data)} bytes, SHA-256 {same}{again}"


def _again(made: socket.socket) -> str:
    count = _told(made, _RETRANSMITTED)
    return f", {count} segments sent again" if count else ""


def _told(made: socket.socket, of: struct.Struct) -> int:
    value: int = of.unpack_from(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO))[0]
    return value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="transfer")
    verbs = parser.add_subparsers(required=True)
    taker = verbs.add_parser("listen")
    taker.set_defaults(do=listen)
    taker.add_argument("family", type=int)
    sender = verbs.add_parser("send")
    sender.set_defaults(do=send)
    sender.add_argument("--source", default="")
    sender.add_argument("--from-port", type=int, default=0)
    sender.add_argument("--hop-limit", type=int, default=-1)  # its node's own
    sender.add_argument("--tos", type=int, default=0)
    sender.add_argument("--token", default="")
    sender.add_argument("bytes", type=int)
    sender.add_argument("destination")
    for each in (taker, sender):
        each.add_argument("port", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        given = _arguments()
        sys.exit(given.do(given))
    except OSError as error:
        sys.exit(f"transfer: {error}")
