"""The SR proxy: it hands an SR-unaware service what is inside a packet, and puts what the service gives back into
its chain again (draft-ietf-spring-sr-service-programming section 6). The pseudo-code counts its lines anew in each
part; they are those of draft-xuclad-spring-sr-service-programming-01, from which it came.

The first half is a local SID's behavior. The second, which the draft calls an inbound policy of IFACE-IN, is given
what came in there: a whole IP packet, or a frame that is not addressed to the interface itself. The service may have
done anything to it. A hop that the service takes is the service's, not the proxy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address

from .encapsulation import push
from .endpoint import ETHERNET, IPV4, IPV6, given, segment, upper_layer
from .headend import hop
from .outer import Outer
from .packet import Ethernet, Ipv4, Ipv6, Packet
from .results import Cache, Deliver, Discard, Flavor, Forward, Interface, LocalSid, Lookup, Result

FIRST: dict[int, type[Ipv4 | Ipv6 | Ethernet]] = {IPV4: Ipv4, IPV6: Ipv6, ETHERNET: Ethernet}
LAST_SEGMENT = "no segment is left behind the proxy"
NOT_SERVED = "the service takes no such inner packet"
EMPTY = "the proxy remembers no headers for it"


def _static(packet: Packet, sid: LocalSid, inner: int) -> Result:
    """Section 6.1.2: the first part of each."""
    way = Interface(given(sid.service, "service").out)
    given(sid.policy, "policy")
    outer = Outer.of(packet)
    if (refused := _refused(outer, sid, inner)) is not None:
        return refused
    return Forward(outer.exposed(), way)  # 2, 3


def _dynamic(packet: Packet, sid: LocalSid, inner: int) -> Result:
    """Section 6.2.2: its lines stand between 1 and 2 of the static proxy's. The segment is left as End does it."""
    way = Interface(given(sid.service, "service").out)
    outer = Outer.of(packet)
    if (refused := _refused(outer, sid, inner)) is not None:
        return refused
    if outer.srh is None:  # 1
        return Discard(LAST_SEGMENT)  # 5, 6
    advanced = segment(packet, LocalSid(), Lookup())  # 2
    if not isinstance(advanced, Forward):
        return advanced
    return Forward(outer.exposed(), way, Cache(advanced.packet.headers[: outer.upper]))  # 3, 4


def _refused(outer: Outer, sid: LocalSid, inner: int) -> Result | None:
    """Lines 1, 4 and 5 of the static proxy. A fragment is put together first (RFC 8200 section 4.5)."""
    if outer.upper_type is None:
        return upper_layer(outer, sid)
    return None if outer.upper_type == inner else Discard(NOT_SERVED)


def _configured(packet: Packet, sid: LocalSid, cache: Cache | None, inner: int) -> Result:
    """Section 6.1.2, the second part of each, lines 2 to 8 (for Ethernet 2 to 5): into the policy that End.AS is
    configured with."""
    policy = given(sid.policy, "policy")
    back = _back(packet, inner)
    return Forward(push(back, policy, policy.srh), Lookup()) if isinstance(back, Packet) else back


def _remembered(packet: Packet, sid: LocalSid, cache: Cache | None, inner: int) -> Result:
    """The same lines with the headers that section 6.2.2 remembered; it checks first that there are some."""
    back = _back(packet, inner)
    if not isinstance(back, Packet):
        return back
    if cache is None:
        return Discard(EMPTY)
    outer, *extensions = cache.headers
    if not isinstance(outer, Ipv6):
        raise TypeError(f"an IPv6 header is needed, not {type(outer).__name__}")
    chained = back.with_headers((*extensions, *back.headers))
    header = replace(outer, payload_length=len(chained.to_bytes()))
    return Forward(chained.with_headers((header, *chained.headers)), Lookup())


# RFC 8986 section 10.1 has got Ethernet a number of its own (143) since the draft took 59 for it.
end_as2, as2_back = partial(_static, inner=ETHERNET), partial(_configured, inner=ETHERNET)  # 6.1.2.1
end_as4, as4_back = partial(_static, inner=IPV4), partial(_configured, inner=IPV4)  # 6.1.2.2
end_as6, as6_back = partial(_static, inner=IPV6), partial(_configured, inner=IPV6)  # 6.1.2.3
end_ad2, ad2_back = partial(_dynamic, inner=ETHERNET), partial(_remembered, inner=ETHERNET)
end_ad4, ad4_back = partial(_dynamic, inner=IPV4), partial(_remembered, inner=IPV4)
end_ad6, ad6_back = partial(_dynamic, inner=IPV6), partial(_remembered, inner=IPV6)


def end_am(packet: Packet, sid: LocalSid) -> Result:
    """Section 6.4.1, masquerading: the service sees the address to which the packet goes in the end."""
    way = Interface(given(sid.service, "service").out)
    outer = Outer.of(packet)
    srh = outer.srh
    if srh is None:  # 1
        return Discard(LAST_SEGMENT)  # 4, 5
    return Forward(outer.with_header(replace(outer.header, destination=srh.segment_list[0])), way)  # 2, 3


def am_back(packet: Packet, sid: LocalSid, cache: Cache | None) -> Result:
    """Section 6.4.1, de-masquerading: a packet in a chain goes on as from an End, with PSP or without."""
    if (other := _others(packet, IPV6)) is not None:
        return other
    if Outer.of(packet).srh is None:  # 1
        return Forward(packet, Lookup())
    return segment(packet, LocalSid(flavors=sid.flavors & {Flavor.PSP}), Lookup())  # 2 to 4


def _back(packet: Packet, inner: int) -> Packet | Result:
    """Line 1: one hop less, for an IP packet; what stands behind its end was its frame's. A frame has no hop."""
    if (other := _others(packet, inner)) is not None:
        return other
    return packet if inner == ETHERNET else hop(replace(packet, trailer=b""))


def _others(packet: Packet, inner: int) -> Result | None:
    """What the policy passes over: a link-local packet is the interface's own."""
    first = packet.headers[0]
    if not isinstance(first, FIRST[inner]):
        raise TypeError(f"{FIRST[inner].__name__} is needed, not {type(first).__name__}")
    if isinstance(first, (Ipv4, Ipv6)) and (
        _is_link_local(first.source) or _is_link_local(first.destination)
    ):
        return Deliver(packet)
    return None


def _is_link_local(address: IPv4Address | IPv6Address) -> bool:
    """RFC 3927 section 2.1; RFC 4291 sections 2.5.6 and 2.7: unicast, and multicast of link-local scope."""
    if isinstance(address, IPv4Address):
        return address.is_link_local
    return address.is_link_local or (address.is_multicast and address.packed[1] & 0xF == 2)


GIVES_BACK: dict[str, Callable[[Packet, LocalSid, Cache | None], Result]] = {
    "End.AS2": as2_back,
    "End.AS4": as4_back,
    "End.AS6": as6_back,
    "End.AD2": ad2_back,
    "End.AD4": ad4_back,
    "End.AD6": ad6_back,
    "End.AM": am_back,
}
