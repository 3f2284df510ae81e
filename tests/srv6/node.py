"""A node in a network namespace of our own: one veth brings packets in, another shows what comes out."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x40000000
NEIGHBOR, BROADCAST = bytes.fromhex("02000000000b"), b"\xff" * 6
ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
MARK = b"end of what came out"
SETTINGS = """
    for interface in all default
    do echo 0 > /proc/sys/net/ipv4/conf/$interface/rp_filter
       echo 0 > /proc/sys/net/ipv6/conf/$interface/accept_dad
       echo -1 > /proc/sys/net/ipv6/conf/$interface/seg6_require_hmac
    done
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
    echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
"""
WIRING = """
    link set lo up
    link add dev in0 mtu 9000 type veth peer name in1 mtu 9000
    link add dev out0 mtu 9000 type veth peer name out1 mtu 9000
    link set in0 up
    link set in1 up
    link set out0 up
    link set out1 up
    addr add 10.0.1.1/24 dev out1
    addr add 2001:db8::1/64 dev out1
    neigh add 10.0.1.2 lladdr 02:00:00:00:00:0b dev out1
    neigh add 2001:db8::2 lladdr 02:00:00:00:00:0b dev out1
    route add default via 10.0.1.2
    route add 10.0.9.9 via 10.0.1.2
    route add ::/0 via 2001:db8::2
    sr tunsrc set 2001:db8::1
"""


class Node:
    """The node, with a packet socket on the far end of either veth."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.run("sh", "-c", SETTINGS)
        self.ip(WIRING)
        with self.entered():
            self.way_in, self.way_out = self.port("in0"), self.port("out0")
            with self.port("in1") as port:
                self.target: bytes = port.getsockname()[4]

    def run(self, *words: str) -> str:
        command = ["ip", "netns", "exec", self.name, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def ip(self, batch: str) -> None:
        lines = "\n".join(line.strip() for line in batch.splitlines() if line.strip())
        command = ["ip", "-n", self.name, "-batch", "-"]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def answer(self, wire: bytes, target: bytes = NEIGHBOR) -> list[bytes]:
        """What is in the frames that come out for a packet."""
        return [frame[14:] for frame in self.frames(wire, target)]

    def frames(self, wire: bytes, target: bytes = NEIGHBOR) -> list[bytes]:
        """All that comes out for a packet to a neighbor (the kernel says other things of its own accord)."""
        self._send(wire)
        return self.until_mark(target)

    def until_mark(self, target: bytes) -> list[bytes]:
        """All that has come out so far: another packet is sent behind, and when it comes out nothing more can."""
        mark = MARK + uuid.uuid4().bytes
        self._send(b"\x60\0\0\0" + len(mark).to_bytes(2, "big") + b"\x3b\x40" + b"\xfd" * 32 + mark)
        found: list[bytes] = []
        while True:
            frame = self.way_out.recv(65536)
            if frame.endswith(mark):
                return found
            if frame[:6] == target:
                found.append(frame)

    def framed(self, wire: bytes) -> bytes:
        """The frame in which a packet comes in."""
        return self.target + NEIGHBOR + ETHERTYPES[wire[0] >> 4] + wire

    def close(self) -> None:
        self.way_in.close()
        self.way_out.close()

    def _send(self, wire: bytes) -> None:
        self.way_in.send(self.framed(wire))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread in the namespace: for sockets, which stay where they were made."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/thread-self/ns/net").open() as home, Path("/run/netns", self.name).open() as there:
            assert libc.setns(there.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())

    def port(self, interface: str) -> socket.socket:
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        port.bind((interface, 3))
        port.settimeout(10)
        return port


Kind = TypeVar("Kind", bound=Node)


@contextmanager
def node(kind: Callable[[str], Kind]) -> Iterator[Kind]:
    """Packets keep their order only on one CPU, so the thread stays on one."""
    name = f"srv6-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    cpus = os.sched_getaffinity(0)
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        os.sched_setaffinity(0, {min(cpus)})
        made = kind(name)
        try:
            yield made
        finally:
            made.close()
    finally:
        os.sched_setaffinity(0, cpus)
        subprocess.run(["ip", "netns", "del", name], check=True)
