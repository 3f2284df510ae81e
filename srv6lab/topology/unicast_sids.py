"""The SIDs behind which a router has its own table of each IP version (RFC 9252 section 5.3 and 5.4): which behavior each
has, and an address where the author leaves that to us."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

from srv6lab.topology.model import Node
from srv6lab.topology.routing.bgp import Bgp
from srv6lab.topology.vpn_sids import structure_in

# Beyond what IS-IS counts up from 1, and easy to know again.
FUNCTIONS = {4: 0xF4, 6: 0xF6}
BEHAVIORS = {4: "End.DT4", 6: "End.DT6"}
_FAMILIES = {"ipv4": 4, "ipv6": 6}


@dataclass(frozen=True, slots=True)
class UnicastSid:
    """A SID of the main table with its behavior's name, and the IP version that it takes."""

    sid: IPv6Address
    behavior: str
    version: int


def spoken(bgp: Bgp) -> tuple[int, ...]:
    """The IP versions whose routes a node's sessions have outside of VPNs."""
    families = {family for one in bgp.neighbors for family in one.families}
    return tuple(version for family, version in _FAMILIES.items() if family in families)


def unicast_sids(node: Node) -> tuple[UnicastSid, ...]:
    """Of two SIDs the first takes IPv4 and the second IPv6; one takes the only version that is spoken. `auto` is one for
    each version. There are none without a locator."""
    structure = structure_in(node)
    if node.bgp is None or node.locator is None or structure is None:
        return ()
    said = node.bgp.sids
    versions = (4, 6) if len(said) == 2 else spoken(node.bgp)
    sids = said * 2 if said == ("auto",) else said
    first, behind = node.locator.network_address, max(128 - node.locator.prefixlen - structure.function, 0)
    return tuple(
        UnicastSid(
            sid if isinstance(sid, IPv6Address) else first + (FUNCTIONS[version] << behind),
            BEHAVIORS[version],
            version,
        )
        for sid, version in zip(sids, versions, strict=False)
    )
