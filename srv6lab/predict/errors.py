"""What the source of a packet is told by ICMP where its walk ends: as Linux words it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from srv6lab.evidence.packets import Address
from srv6lab.plan.nodes import Nic, PlannedNode
from srv6lab.predict.forwarding import vrf_of, walks
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.source import source as source_by
from srv6lab.predict.walk import Ended
from srv6lab.srv6.packet import Icmp, Icmpv6, Ipv4, Ipv6, Packet, build
from srv6lab.srv6.results import IcmpError
from srv6lab.topology.exercises import HOPS

_MOST = {4: 576, 6: 1280}  # bytes of such a packet (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4)
_INTERNETWORK_CONTROL = 0xC0  # what Linux puts into the TOS of an error,
_SERVICE = 0x1E  # beside what the packet has in these bits (RFC 1349)


def told(lab: ModeledLab, ended: Ended, quirks: frozenset[str]) -> Iterator[Ended]:
    """The walks of the error that an end sends, if it sends one."""
    first, place = ended.walk.packet.headers[0], ended.end.place
    if ended.error is None or place.netns or not isinstance(first, Ipv4 | Ipv6):
        return
    node, vrf = lab.plan.node(place.node), vrf_of(lab, ended)
    # What came in by a NIC of a VPN is answered in that VPN.
    table = vrf if vrf is not None else lab.namespace(place).rules.get(ended.walk.came_in or "")
    if vrf is not None and first.source.version == 6 and not _has_one(lab, node, vrf):
        return  # the kernel's VRF takes an address from outside, its stand-in a link-local one: any may come
    own = [address for address in node.addresses_in(vrf) if address.version == first.source.version]
    if ended.end.delivered and first.destination in own:  # it answers for itself (RFC 4443 section 2.2)
        error = _error(ended.walk.packet, ended.error, first.destination, first.source)
        yield from walks(lab, error, place, quirks, table)
        return
    for near in own[:1]:
        begun = walks(lab, _error(ended.walk.packet, ended.error, near, first.source), place, quirks, table)
        nics = {one.walk.hops[0].point for one in begun if one.walk.hops}
        own_nics = (nic for nic in node.nics if nic.point in nics)
        given = (_source(node, nic, first.source) for nic in own_nics)
        source = next((one for one in given if one is not None), near)
        error = _error(ended.walk.packet, ended.error, source, first.source)
        yield from walks(lab, error, place, quirks, table)


def _has_one(lab: ModeledLab, node: PlannedNode, vrf: int) -> bool:
    """Whether an IPv6 address is left in a VRF: a NIC that is down has lost its own."""
    names = {name for one in node.every_vrf() if one.table == vrf for name in one.nics}
    up = (nic for nic in node.nics if nic.name in names and nic.point not in lab.down)
    return any(one.version == 6 and not one.is_link_local for nic in up for one in nic.addresses)


def _source(node: PlannedNode, nic: Nic, to: Address) -> Address | None:
    """Of IPv4 the first address of the NIC, of IPv6 what Linux takes for anything that it sends (RFC 6724)."""
    if isinstance(to, IPv6Address):
        return source_by(node, nic, to)
    return next((one.ip for one in nic.addresses if one.version == to.version), None)


def _error(packet: Packet, error: IcmpError, source: Address, to: Address) -> Packet:
    whole = (error.late or packet).to_bytes()
    if isinstance(source, IPv4Address) and isinstance(to, IPv4Address):
        first = packet.headers[0]
        tos = first.tos & _SERVICE if isinstance(first, Ipv4) else 0
        header = Ipv4(source, to, HOPS, tos=_INTERNETWORK_CONTROL | tos)
        return build(header, Icmp(error.type, error.code), payload=whole[: _MOST[4] - 28])
    if isinstance(source, IPv6Address) and isinstance(to, IPv6Address):
        return build(Ipv6(source, to, HOPS), Icmpv6(error.type, error.code), payload=whole[: _MOST[6] - 48])
    raise ValueError(f"{source} and {to} are of two families")
