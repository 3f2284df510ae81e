"""The node with the SR proxies that srconf has, and a service behind each, which is the test."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from random import Random

from srv6lab.srconf.behaviors import BEHAVIORS as SERVED
from srv6lab.srv6.acting import act, give_back
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.headend import hop
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet, Srh, build
from srv6lab.srv6.results import Cache, Forward, LocalSid, Result, Service
from tests.conftest import REPOSITORY
from tests.srv6 import linux
from tests.srv6.node import ETHERTYPES, NEIGHBOR, Node

PAIR = """
    link add dev svc{to} mtu 9000 type veth peer name veth{to} mtu 9000
    link add dev svc{back} mtu 9000 type veth peer name veth{back} mtu 9000
    link set svc{to} up
    link set veth{to} up
    link set svc{back} up
    link set veth{back} up
    addr add 192.168.{to}.1/24 dev veth{to}
    addr add fd00:a{to}::1/64 dev veth{to}
    neigh add 192.168.{to}.2 lladdr 02:00:00:00:00:0b dev veth{to}
    neigh add fd00:a{to}::2 lladdr 02:00:00:00:00:0b dev veth{to}
"""
PAIRS = (0, 2, 4)
POLICY = Encapsulation(IPv6Address("fc00:2::2"), linux.SEGMENTS)


@dataclass(frozen=True, slots=True)
class Proxy:
    """One SID: `version` is that of the IP packets it takes, `to` the number of the pair that leads to its service."""

    name: str
    sid: IPv6Address
    version: int
    to: int
    policy: Encapsulation | None = None

    @property
    def local(self) -> LocalSid:
        return LocalSid(service=Service(f"veth{self.to}", f"veth{self.to + 1}"), policy=self.policy)

    @property
    def words(self) -> tuple[str, ...]:
        """What srconf is told."""
        next_hop = f"192.168.{self.to}.2" if self.version == 4 else f"fd00:a{self.to}::2"
        ways = str(self.sid), self.name.lower(), "ip", next_hop, f"veth{self.to}", f"veth{self.to + 1}"
        if self.policy is None:
            return ways
        return *ways, "src", str(self.policy.source), "segs", ",".join(map(str, self.policy.segments))

    def act(self, packet: Packet) -> Result:
        return act(REGISTRY[self.name])(packet, self.local)

    def give_back(self, packet: Packet, cache: Cache | None) -> Result:
        return give_back(REGISTRY[self.name])(packet, self.local, cache)


_ALL = (
    Proxy("End.AD4", IPv6Address("fc00:2::a4"), 4, 0),
    Proxy("End.AD6", IPv6Address("fc00:2::a6"), 6, 0),
    Proxy("End.AS4", IPv6Address("fc00:2::b4"), 4, 2, POLICY),
    Proxy("End.AS6", IPv6Address("fc00:2::b6"), 6, 2, POLICY),
    Proxy("End.AM", IPv6Address("fc00:2::ab"), 6, 4),
)
PROXIES = tuple(one for one in _ALL if one.name in {served.name for served in SERVED})
AD4, AM = PROXIES[0], PROXIES[-1]


def chained(random: Random, proxy: Proxy) -> Packet:
    """A packet for the SID, with four hops left or more (see the quirks)."""
    routing = linux.srh(random)
    routing = replace(routing, segments_left=random.randrange(1, routing.last_entry + 2))
    first = linux.outer(random, proxy.sid)
    first = replace(first, hop_limit=max(first.hop_limit, 4))
    within = linux.inner(random, proxy.version)
    payload = random.randbytes(random.randrange(40))
    return build(first, *linux.options(random), routing, *within, payload=payload)


def served(random: Random, packet: Packet) -> Packet:
    """What a service may make of a packet, in the same flow: another TTL, another payload. One that sees the SRH
    forwards it."""
    first, *rest = packet.headers
    if packet.find(Srh) is not None:
        forwarded = hop(packet)
        assert isinstance(forwarded, Packet)
        return forwarded
    hops = random.randrange(2, 256)
    if isinstance(first, Ipv4):
        other: Ipv4 | Ipv6 = replace(first, ttl=hops)
    else:
        assert isinstance(first, Ipv6)
        other = replace(first, hop_limit=hops)
    return build(other, *rest, payload=random.randbytes(random.randrange(80)))


def masked(packet: Packet) -> Packet:
    """What srconf's End.AM sends to the service: it takes the segment and its hop already there. (The kernel takes
    another hop on the way back.)"""
    at, srh = next(
        (n, one) for n, one in enumerate(packet.headers) if isinstance(one, Srh) and one.segments_left
    )
    headers = list(packet.headers)
    headers[at] = replace(srh, segments_left=srh.segments_left - 1)
    early = hop(packet.with_headers(tuple(headers)))
    assert isinstance(early, Packet)
    return early


def wired(proxy: Proxy, said: Forward) -> Packet:
    """What srconf makes of what the model sends to a service."""
    sent = masked(said.packet) if proxy.name == "End.AM" else hop(said.packet)
    assert isinstance(sent, Packet)
    return sent


class Proxied(Node):
    """What a service is sent comes out of vethN, what it gives back comes in on the next one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.services: dict[int, tuple[socket.socket, socket.socket, bytes]] = {}
        for to in PAIRS:
            self.ip(PAIR.format(to=to, back=to + 1))
            with self.entered():
                sensor = self.port(f"svc{to}")
                sensor.setblocking(False)
                with self.port(f"veth{to + 1}") as port:
                    target: bytes = port.getsockname()[4]
                self.services[to] = sensor, self.port(f"svc{to + 1}"), target
        srconf = str(REPOSITORY / "srv6lab" / "srconf" / "srconf")
        for proxy in PROXIES:
            self.run(sys.executable, srconf, "localsid", "add", *proxy.words)

    def enter(self, proxy: Proxy, packet: Packet) -> tuple[list[bytes], list[bytes]]:
        """A packet for the SID: what the service is sent, and what else comes out."""
        out = self.answer(packet.to_bytes())
        return self._served(self.services[proxy.to][0]), out

    def give_back(self, proxy: Proxy, packet: Packet) -> list[bytes]:
        """A packet from the service: what comes out of the node."""
        _, way_back, target = self.services[proxy.to]
        ethertype = ETHERTYPES[6 if isinstance(packet.headers[0], Ipv6) else 4]
        way_back.send(target + NEIGHBOR + ethertype + packet.to_bytes())
        return [frame[14:] for frame in self.until_mark(NEIGHBOR)]

    def close(self) -> None:
        super().close()
        for sensor, way_back, _ in self.services.values():
            sensor.close()
            way_back.close()

    @staticmethod
    def _served(sensor: socket.socket) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                frame = sensor.recv(65536)
            except BlockingIOError:
                return found
            if frame[:6] == NEIGHBOR:
                found.append(frame[14:])
