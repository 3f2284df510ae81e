"""Which NICs are up, by netlink (rtnetlink(7)): told when one changes, not asked."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
NLM_F_REQUEST, NLM_F_DUMP, NLMSG_DONE = 0x1, 0x300, 3
RTMGRP_LINK = 1
IFF_UP, IFF_LOWER_UP = 0x1, 0x10000
IFLA_IFNAME = 3
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_INTERFACE = struct.Struct("=BxHiII")  # family, type, index, flags, change
_ATTRIBUTE = struct.Struct("=HH")  # length, type


class Links:
    """The names of the NICs that are up and have a carrier."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.socket.bind((0, RTMGRP_LINK))
        self._names: dict[int, str] = {}
        self._list()
        self.socket.setblocking(False)

    @property
    def up(self) -> frozenset[str]:
        return frozenset(self._names.values())

    def read(self) -> bool:
        """Take in what netlink has to say; whether a NIC went up or down, or may have."""
        told = False
        while True:
            try:
                messages = list(_messages(self.socket.recv(1 << 16)))
            except BlockingIOError:
                return told
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._list()  # some of it was lost
                return True
            told = self._take(messages) or told

    def _list(self) -> None:
        """Ask for all of them."""
        self.socket.setblocking(True)
        self._names.clear()
        request = _HEADER.pack(_HEADER.size + _INTERFACE.size, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
        self.socket.send(request + _INTERFACE.pack(0, 0, 0, 0, 0))
        done = False
        while not done:
            messages = list(_messages(self.socket.recv(1 << 16)))
            self._take(messages)
            done = any(kind == NLMSG_DONE for kind, _ in messages)
        self.socket.setblocking(False)

    def _take(self, messages: list[tuple[int, bytes]]) -> bool:
        told = False
        for kind, body in messages:
            if kind in (RTM_NEWLINK, RTM_DELLINK):
                index, name, up = _link(body)
                before = self._names.pop(index, None)
                if kind == RTM_NEWLINK and up:
                    self._names[index] = name
                told = told or before != self._names.get(index)
        return told


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each message of a datagram: its type, and what is behind its header."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[_aligned(length) :]


def _link(body: bytes) -> tuple[int, str, bool]:
    """A NIC's index and name, and whether it is up and has a carrier."""
    _, _, index, flags, _ = _INTERFACE.unpack_from(body)
    name, rest = "", body[_INTERFACE.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        if kind == IFLA_IFNAME:
            name = rest[_ATTRIBUTE.size : length].rstrip(b"\0").decode("utf-8", "replace")
        rest = rest[_aligned(length) :]
    return index, name, flags & (IFF_UP | IFF_LOWER_UP) == IFF_UP | IFF_LOWER_UP


def _aligned(length: int) -> int:
    """NLMSG_ALIGN and RTA_ALIGN; never 0, so that what is broken comes to its end."""
    return max(length + 3 & ~3, 4)
