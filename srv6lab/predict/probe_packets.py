"""The packets that a probe begins with, and those that answer them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from srv6lab.evidence.packets import Address
from srv6lab.inside.udpflows import FIRST_PORT
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.srv6.oam import O_FLAG
from srv6lab.srv6.packet import Icmp, Icmpv6, Ipv4, Ipv6, Packet, Srh, Udp, build
from srv6lab.topology.exercises import Probe

HOPS = 64  # what Linux begins with
_REQUEST, _REPLY = {4: 8, 6: 128}, {8: 0, 128: 129}


def request(plan: Plan, probe: Probe) -> Packet:
    """The first packet of a probe."""
    to = plan.target(probe)
    source = source_address(plan.node(probe.source), to)
    rest, payload = (1).to_bytes(4), bytes(probe.size)
    if probe.udp:
        return _datagram(source, to, probe.port, payload)
    if isinstance(to, IPv4Address) and isinstance(source, IPv4Address):
        dont_fragment = 2
        return build(
            Ipv4(source, to, HOPS, flags=dont_fragment), Icmp(_REQUEST[4], rest=rest), payload=payload
        )
    if isinstance(to, IPv6Address) and isinstance(source, IPv6Address) and probe.segments:
        path = (*probe.segments, to)
        srh = Srh.of(path, flags=O_FLAG if probe.oam else 0)
        return build(Ipv6(source, path[0], HOPS), srh, Icmpv6(_REQUEST[6], rest=rest), payload=payload)
    if isinstance(to, IPv6Address) and isinstance(source, IPv6Address):
        return build(Ipv6(source, to, HOPS), Icmpv6(_REQUEST[6], rest=rest), payload=payload)
    raise ValueError(f"{probe.source} has no address of the family of {to}")


def _datagram(source: Address, to: Address, port: int, payload: bytes) -> Packet:
    udp = Udp(FIRST_PORT, port)
    if isinstance(to, IPv4Address) and isinstance(source, IPv4Address):
        dont_fragment = 2
        return build(Ipv4(source, to, HOPS, flags=dont_fragment), udp, payload=payload)
    if isinstance(to, IPv6Address) and isinstance(source, IPv6Address):
        return build(Ipv6(source, to, HOPS), udp, payload=payload)
    raise ValueError(f"{source} and {to} are of two families")


def answer(packet: Packet) -> Packet | None:
    """The echo reply, or None for what isn't answered. It starts out with hops of its own."""
    first, last = packet.headers[0], packet.headers[-1]
    if not isinstance(last, Icmp | Icmpv6) or last.type not in _REPLY:
        return None
    reply = replace(last, type=_REPLY[last.type])
    match first:
        case Ipv4():
            turned = Ipv4(first.destination, first.source, HOPS, tos=first.tos)
        case Ipv6():
            return build(Ipv6(first.destination, first.source, HOPS), reply, payload=packet.payload)
        case _:
            return None
    return build(turned, reply, payload=packet.payload)


def source_address(node: PlannedNode, to: Address) -> Address:
    """The address of the NIC that leads to `to`, if it is of its family; else the first one that is."""
    way = node.egress_nic(to)
    near = [nic.address.ip for nic in node.nics if nic.name == way]
    return next(address for address in (*near, *node.addresses()) if address.version == to.version)
