"""The packets that a probe begins with, and those that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from srv6lab.evidence.packets import Address
from srv6lab.inside.udpflows import FIRST_PORT
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.predict.source import source
from srv6lab.srv6.oam import O_FLAG
from srv6lab.srv6.packet import Header, Icmp, Icmpv6, Ipv4, Ipv6, Packet, Srh, Tcp, Udp, build
from srv6lab.topology.exercises import HOPS, Probe

DONT_FRAGMENT = 2
_REQUEST, _REPLY = {4: 8, 6: 128}, {8: 0, 128: 129}


def request(plan: Plan, probe: Probe) -> Packet:
    """The first packet of a probe."""
    to = plan.target(probe)
    source = probe.source_address or source_address(plan.node(probe.source), first_of(plan, probe))
    hops = probe.hop_limit or HOPS
    marked = probe.dscp << 2  # the two bits below are ECN's (RFC 3168 section 5)
    header, payload = HEADERS[probe.kind.key](to, probe), bytes(probe.size if probe.kind.counted else 0)
    if isinstance(to, IPv4Address) and isinstance(source, IPv4Address):
        return build(Ipv4(source, to, hops, tos=marked, flags=DONT_FRAGMENT), header, payload=payload)
    if isinstance(to, IPv6Address) and isinstance(source, IPv6Address):
        path = (*probe.segments, to)
        srh = [Srh.of(path, flags=O_FLAG if probe.oam else 0)] if probe.segments else []
        first = Ipv6(source, path[0], hops, traffic_class=marked)
        return build(first, *srh, header, payload=payload)
    raise ValueError(f"{source} and {to} are of two families")


def first_of(plan: Plan, probe: Probe) -> Address:
    """Where the sender's route leads to, by which it takes its source: the first segment, if there is one."""
    return probe.segments[0] if probe.segments else plan.target(probe)


def _echo(to: Address, probe: Probe) -> Header:
    kind, rest = _REQUEST[to.version], (1).to_bytes(4)
    return Icmp(kind, rest=rest) if to.version == 4 else Icmpv6(kind, rest=rest)


def _datagram(to: Address, probe: Probe) -> Header:
    return Udp(FIRST_PORT, probe.port)


def _segment(to: Address, probe: Probe) -> Header:
    return Tcp(0, probe.port)


HEADERS: Mapping[str, Callable[[Address, Probe], Header]] = {
    "icmp": _echo,
    "udp": _datagram,
    "tcp": _segment,
    "traceroute": _echo,
}


def answer(packet: Packet) -> Packet | None:
    """The echo reply, or what comes back in a transfer; None for what isn't answered. It starts out with hops of its own."""
    first, last = packet.headers[0], packet.headers[-1]
    if isinstance(last, Tcp):
        return _turned(first, Tcp(last.destination_port, last.source_port))
    if not isinstance(last, Icmp | Icmpv6) or last.type not in _REPLY:
        return None
    reply = replace(last, type=_REPLY[last.type])
    match first:
        case Ipv4():
            turned = Ipv4(first.destination, first.source, HOPS, tos=first.tos)
        case Ipv6():
            turned6 = Ipv6(first.destination, first.source, HOPS, traffic_class=first.traffic_class)
            return build(turned6, reply, payload=packet.payload)
        case _:
            return None
    return build(turned, reply, payload=packet.payload)


def _turned(first: Header, segment: Tcp) -> Packet | None:
    """A listener's segment, marked as nothing: what it takes isn't what it sends."""
    match first:
        case Ipv4():
            return build(Ipv4(first.destination, first.source, HOPS, flags=DONT_FRAGMENT), segment)
        case Ipv6():
            return build(Ipv6(first.destination, first.source, HOPS), segment)
        case _:
            return None


def source_address(node: PlannedNode, to: Address) -> Address:
    """That of the NIC that leads to `to`; without such a NIC the first one that is of its family."""
    routes = [one for one in node.routes if one.table is None and to in one.prefix]
    longest = max(routes, key=lambda one: one.prefix.prefixlen, default=None)
    for nic in node.nics:
        if nic.name == node.egress_nic(to):
            via = longest.via if longest and not nic.reaches(to) else None
            if found := source(node, nic, to, via):
                return found
    return next(address for address in node.addresses() if address.version == to.version)
