"""Network namespaces of this machine, watched without a process in them: what their NICs count is read from a file that
was opened there, and a netlink socket that was made there says when something in them changes.

Both keep the namespace alive, so they are closed as soon as its node has ended: else a NIC at the other end of a wire
would stay up.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from srv6lab.live.watch_answers import counters
from srv6lab.live.watch_state import Counted
from srv6lab.providers.process import Process

_CLONE_NEWNET = 0x40000000
_NETFILTER, _NFTABLES = 12, 1 << 6  # NETLINK_NETFILTER, NFNLGRP_NFTABLES
# rtnetlink(7): links, traffic control, IPv4 addresses, routes and rules, IPv6 addresses and routes; then IPv6 rules, and
# settings of NICs (RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF).
_GROUPS = 0x1 | 0x8 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 1 << 18 | 1 << 23 | 1 << 24
_AT_ONCE = 1000  # messages taken at a time
_DEV_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Namespace:
    """One of a node, "" or nested: `counters` is its open /proc/net/dev, `news` its sockets."""

    node: str
    netns: str
    counters: int
    news: tuple[socket.socket, ...]

    @property
    def place(self) -> str:
        return f"{self.node}/{self.netns}" if self.netns else self.node

    def packets(self) -> dict[str, Counted]:
        """What each NIC counted, by its point; OSError or ValueError where that can't be read."""
        data = b""
        while part := os.pread(self.counters, _DEV_BYTES, len(data)):
            data += part
        return {f"{self.place}:{nic}": one for nic, one in counters(data.decode("utf-8", "replace")).items()}

    def close(self) -> None:
        os.close(self.counters)
        for one in self.news:
            one.close()


def open_all(nodes: Mapping[str, Process]) -> tuple[list[Namespace], list[str]]:
    """The namespaces of nodes, and what can't be opened and why. What is opened in a namespace stays in it, so a thread
    that ends afterwards does it."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(_open_all, nodes).result()


def _open_all(nodes: Mapping[str, Process]) -> tuple[list[Namespace], list[str]]:
    found: list[Namespace] = []
    failed = []
    for node, process in nodes.items():
        for netns, path in paths(process):
            try:
                found.append(_opened(node, netns, path))
            except OSError as error:
                name = f"{node}/{netns}" if netns else node
                failed.append(f"{name}: {error.strerror or error}")
    return found, failed


def paths(process: Process) -> list[tuple[str, Path]]:
    """The files of a node's namespaces: its own, and those nested in it."""
    folder = Path(f"/proc/{process.pid}")
    nested: list[str] = []
    with suppress(OSError):
        nested = sorted(os.listdir(folder / "root/run/netns"))  # noqa: PTH208
    return [("", folder / "ns/net"), *((name, folder / "root/run/netns" / name) for name in nested)]


def _opened(node: str, netns: str, path: Path) -> Namespace:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(descriptor)
    finally:
        os.close(descriptor)
    opened = os.open("/proc/thread-self/net/dev", os.O_RDONLY | os.O_CLOEXEC)
    news = [_listening(socket.NETLINK_ROUTE, _GROUPS)]
    with suppress(OSError):  # a kernel without nftables
        news.append(_listening(_NETFILTER, _NFTABLES))
    return Namespace(node, netns, opened, tuple(news))


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _listening(family: int, groups: int) -> socket.socket:
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
    try:
        kernel.bind((0, groups))
    except OSError:
        kernel.close()
        raise
    kernel.setblocking(False)
    return kernel


def drain(sockets: Iterable[socket.socket]) -> None:
    """Take what they have to say: that there was something is all that counts, since what it is gets asked anew."""
    for one in sockets:
        with suppress(OSError):  # nothing more, or more than the socket holds
            for _ in range(_AT_ONCE):
                one.recv(1 << 16)
