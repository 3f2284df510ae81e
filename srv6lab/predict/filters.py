"""Which packets match: rules of firewalls, and flows with a forwarding class."""

from __future__ import annotations

from collections.abc import Sequence

from srv6lab.srv6.outer import Outer
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet, Tcp, Udp
from srv6lab.topology.actions.firewall import Firewall, InnerMatch
from srv6lab.topology.sr_policy import Flow

_PROTOCOLS = {"icmp": 1, "icmpv6": 58, "tcp": 6, "udp": 17}


def through(firewalls: Sequence[Firewall], chain: str, packet: Packet) -> tuple[tuple[str, ...], str | None]:
    """The rules that count the packet in a chain, the newest first as they were put in front of the others,
    and the one that drops it, if one does: those behind it never see it."""
    counted: list[str] = []
    for firewall in reversed(firewalls):
        if _matches(firewall, chain, packet):
            counted.append(firewall.name)
            if firewall.verdict == "drop":
                return tuple(counted), firewall.name
    return tuple(counted), None


def _matches(firewall: Firewall, chain: str, packet: Packet) -> bool:
    """Whether the rule matches. iptables' sees IPv4 packets, ip6tables' the first header of IPv6 packets and what comes
    behind its extension headers, nftables' the inner IPv4 header of IPv6 packets."""
    if firewall.chain != chain:
        return False
    first = packet.headers[0]
    if firewall.tool == "iptables":
        return isinstance(first, Ipv4) and _fits(firewall, first, first.protocol)
    if not isinstance(first, Ipv6):
        return False
    if firewall.tool == "ip6tables":
        return _fits(firewall, first, Outer.of(packet).upper_type)
    inner = next(iter(packet.headers[Outer.of(packet).upper :]), None)  # not what is in a frame
    return isinstance(inner, Ipv4) and (
        firewall.inner is None or _fits(firewall.inner, inner, inner.protocol)
    )


def _fits(rule: Firewall | InnerMatch, header: Ipv4 | Ipv6, protocol: int | None) -> bool:
    return (
        (rule.source is None or header.source in rule.source)
        and (rule.destination is None or header.destination in rule.destination)
        and (rule.protocol is None or protocol == _PROTOCOLS[rule.protocol])
    )


def matches(flow: Flow, packet: Packet) -> bool:
    """Whether a packet is one of a flow, by its outermost header and the port behind that."""
    first, last = packet.headers[0], packet.headers[-1]
    if not isinstance(first, Ipv4 | Ipv6):
        return False
    dscp = (first.tos if isinstance(first, Ipv4) else first.traffic_class) >> 2
    port = last.destination_port if isinstance(last, Tcp | Udp) and _alone(packet) else None
    name = {Tcp: "tcp", Udp: "udp"}.get(type(last)) if _alone(packet) else None
    return (
        (flow.source is None or first.source in flow.source)
        and (flow.destination is None or first.destination in flow.destination)
        and flow.dscp in (None, dscp)
        and flow.protocol in (None, name)
        and flow.port in (None, port)
    )


def _alone(packet: Packet) -> bool:
    """Whether a packet has one IP header: ports behind another are another packet's."""
    return sum(isinstance(header, Ipv4 | Ipv6) for header in packet.headers) == 1
