"""The node with an SR proxy (srconf's End.AD4) and a service behind it, which is the test."""

from __future__ import annotations

import sys
from dataclasses import replace
from ipaddress import IPv6Address
from random import Random

from srv6lab.srv6.packet import Ipv4, Packet, build
from srv6lab.srv6.results import LocalSid, Service
from tests.conftest import REPOSITORY
from tests.srv6 import linux
from tests.srv6.node import NEIGHBOR, Node

SID = "fc00:2::a4"
AD4 = LocalSid(service=Service("veth0", "veth1"))
WIRING = """
    link add dev svc0 mtu 9000 type veth peer name veth0 mtu 9000
    link add dev svc1 mtu 9000 type veth peer name veth1 mtu 9000
    link set svc0 up
    link set veth0 up
    link set svc1 up
    link set veth1 up
    addr add 192.168.1.1/24 dev veth0
    neigh add 192.168.1.2 lladdr 02:00:00:00:00:0b dev veth0
"""


def chained(random: Random) -> Packet:
    """A packet for the SID, with three hops left or more (see the quirks)."""
    routing = linux.srh(random)
    routing = replace(routing, segments_left=random.randrange(1, routing.last_entry + 2))
    first = linux.outer(random, IPv6Address(SID))
    first = replace(first, hop_limit=max(first.hop_limit, 3))
    payload = random.randbytes(random.randrange(40))
    return build(first, *linux.options(random), routing, *linux.inner(random, 4), payload=payload)


def served(random: Random, packet: Packet) -> Packet:
    """What a service may make of a packet, in the same flow: another TTL, another payload."""
    first, *rest = packet.headers
    assert isinstance(first, Ipv4)
    return build(
        replace(first, ttl=random.randrange(2, 256)), *rest, payload=random.randbytes(random.randrange(80))
    )


class Proxied(Node):
    """What the service is sent comes out of veth0, what it gives back comes in on veth1."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ip(WIRING)
        with self.entered():
            self.to_service, self.from_service = self.port("svc0"), self.port("svc1")
            self.to_service.setblocking(False)
            with self.port("veth1") as port:
                self.return_target: bytes = port.getsockname()[4]
        srconf = str(REPOSITORY / "srv6lab" / "srconf" / "srconf")
        self.run(
            sys.executable, srconf, "localsid", "add", SID, "end.ad4", "ip", "192.168.1.2", "veth0", "veth1"
        )

    def enter(self, packet: Packet) -> tuple[list[bytes], list[bytes]]:
        """A packet for the SID: what the service is sent, and what else comes out."""
        out = self.answer(packet.to_bytes())
        return self._served(), out

    def give_back(self, packet: Packet) -> list[bytes]:
        """A packet from the service: what comes out of the node."""
        self.from_service.send(self.return_target + NEIGHBOR + b"\x08\x00" + packet.to_bytes())
        return [frame[14:] for frame in self.until_mark(NEIGHBOR)]

    def close(self) -> None:
        super().close()
        self.to_service.close()
        self.from_service.close()

    def _served(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                frame = self.to_service.recv(65536)
            except BlockingIOError:
                return found
            if frame[:6] == NEIGHBOR:
                found.append(frame[14:])
