"""Probes down segment lists: ICMPv6 echo requests whose last segment is the headend itself.

A SID that isn't an address of its node answers nothing, so a probe goes over the list and comes back: what
was sent is what is received. A first SID of the headend's own can't be probed, since Linux runs no behavior
on packets that it makes itself; the link's state says what there is to say of it.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv6Address

from ..srv6.policy.identity import Address
from ..srv6.policy.view import Sids

ECHO_REQUEST = 128
_ECHO = bytes([ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0])  # the kernel fills in the checksum
ICMPV6_FILTER = 1  # RFC 3542 section 3.2, as Linux numbers it
Probed = tuple[Address, Sids]  # a list, and the endpoint that it leads to
_PAYLOAD = struct.Struct("!8sI")  # who sent it, and over which list


class Liveness:
    """Of one list: dead after more than `misses` lost probes in a row, and alive again after as many answers."""

    def __init__(self, misses: int) -> None:
        self.misses = misses
        self.alive: bool | None = None  # not known yet
        self._lost = self._answered = 0

    def sent(self) -> None:
        self._lost += 1
        if self._lost > self.misses:
            self.alive, self._answered = False, 0

    def answered(self) -> None:
        self._lost = 0
        self._answered += 1
        if self.alive is None or self._answered >= self.misses:
            self.alive = True


class Probes:
    """A socket for each list, and one for what comes back."""

    def __init__(self, address: IPv6Address, misses: int) -> None:
        self.address, self.misses = str(address), misses
        self.me = os.urandom(8)
        self.receiver = self._socket()
        self.receiver.setsockopt(socket.IPPROTO_ICMPV6, ICMPV6_FILTER, _only(ECHO_REQUEST))
        self.lists: dict[Probed, tuple[socket.socket, Liveness, int]] = {}
        self._number = 0

    def follow(self, lists: Iterable[tuple[Probed, Sids]]) -> None:
        """Probe these and no others: each list with the way that its probes take."""
        wanted = dict(lists)
        for probed in [one for one in self.lists if one not in wanted]:
            self.lists.pop(probed)[0].close()
        for probed, through in wanted.items():
            if probed not in self.lists:
                self._number += 1
                self.lists[probed] = (self._sender(through), Liveness(self.misses), self._number)
                self._send(probed)

    def send(self) -> None:
        """One probe over every list."""
        for probed in self.lists:
            self._send(probed)

    def _send(self, probed: Probed) -> None:
        sender, liveness, number = self.lists[probed]
        liveness.sent()
        with suppress(OSError):  # no route: lost
            sender.sendto(_ECHO + _PAYLOAD.pack(self.me, number), (self.address, 0))

    def receive(self) -> None:
        by_number = {number: liveness for _, liveness, number in self.lists.values()}
        while True:
            try:
                message = self.receiver.recv(2048)
            except BlockingIOError:
                return
            if len(message) == len(_ECHO) + _PAYLOAD.size:
                who, number = _PAYLOAD.unpack_from(message, len(_ECHO))
                if who == self.me and number in by_number:
                    by_number[number].answered()

    @property
    def known(self) -> bool:
        """Whether every list has shown whether it is alive."""
        return all(liveness.alive is not None for _, liveness, _ in self.lists.values())

    @property
    def dead(self) -> frozenset[Probed]:
        return frozenset(probed for probed, (_, liveness, _) in self.lists.items() if not liveness.alive)

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        made.setblocking(False)
        return made

    def _sender(self, through: Sids) -> socket.socket:
        """Everything that it sends goes over these segments, and then to where it is sent."""
        made = self._socket()
        made.bind((self.address, 0))
        made.setsockopt(socket.IPPROTO_ICMPV6, ICMPV6_FILTER, b"\xff" * 32)  # takes nothing in
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RTHDR, srh(through))
        return made


def srh(through: Sids) -> bytes:
    """A Segment Routing Header (RFC 8754 section 2) as Linux wants it from a socket: the segment with index 0
    is its own to fill in."""
    last = len(through)
    segments = (IPv6Address(0), *reversed(through))
    return bytes([0, 2 * len(segments), 4, last, last, 0, 0, 0]) + b"".join(one.packed for one in segments)


def _only(kind: int) -> bytes:
    """A filter that lets one type in: 256 bits, in words of the machine; a set bit blocks."""
    words = [0xFFFFFFFF] * 8
    words[kind >> 5] &= ~(1 << (kind & 31))
    return struct.pack("=8I", *words)
