"""The SIDs of a node's VPNs: which behavior each has (RFC 8986 sections 4.6 to 4.8), and an address where the author leaves
that to us. FRR hands out its own in the order in which things start, so they are chosen here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from srv6lab.srv6.behaviors import BEHAVIORS, Kind
from srv6lab.topology.model import Node
from srv6lab.topology.routing.locator import WIDE, SidStructure
from srv6lab.topology.routing.vrf import Vrf
from srv6lab.topology.scalars import Network
from srv6lab.topology.sid_structure import SHORT, WHOLE, function_in, structure_of

FIRST = 0x100  # beyond what IS-IS counts up from 1
_FAMILIES: Mapping[Kind, int] = {"IPv4": 4, "IPv6": 6}


def versions_of(behavior: str) -> tuple[int, ...]:
    """The IP versions that a behavior takes out of its packets."""
    return tuple(sorted(_FAMILIES[kind] for kind in BEHAVIORS[behavior].takes))


@dataclass(frozen=True, slots=True)
class VpnSid:
    """A SID of a VPN with its behavior's name."""

    sid: IPv6Address
    behavior: str

    @property
    def takes(self) -> tuple[Kind, ...]:
        """What it takes out of its packet."""
        return BEHAVIORS[self.behavior].takes

    @property
    def versions(self) -> tuple[int, ...]:
        """The IP versions that it takes."""
        return versions_of(self.behavior)


def explicit_sids(vpns: Iterable[Vrf]) -> list[IPv6Address]:
    """Those that the author wrote down."""
    return [sid for vrf in vpns for sid in vrf.sids if isinstance(sid, IPv6Address)]


def behaviors(vrf: Vrf, prefixes: Iterable[Network]) -> tuple[str, ...]:
    """Those of a VPN's SIDs in their order; `prefixes` are those of its links. Of one without any it is both families'."""
    if len(vrf.sids) == 2:
        return "End.DT4", "End.DT6"
    if vrf.behavior:
        return (vrf.behavior,)
    versions = {one.version for one in (*prefixes, *vrf.networks) if not one.is_link_local}
    return ({4: "End.DT4", 6: "End.DT6"}[versions.pop()] if len(versions) == 1 else "End.DT46",)


def structure_in(node: Node) -> SidStructure | None:
    """The parts of the SIDs in a node's locator: what the author says, else what keeps its VPNs' SIDs whole."""
    if node.locator is None or node.sid_structure:
        return node.sid_structure
    said = node.every_locator[node.first_locator].structure
    return said or structure_of(node.locator, explicit_sids(node.vpns.values()), bool(node.vpns))


def function_length(node: Node, structure: SidStructure, sid: IPv6Address | None = None) -> int:
    """How many bits the function of a VPN's SID has; without a SID, of one that is chosen here. A uSID locator has
    functions of 32 bits beside those of its format."""
    if node.locator is None or not node.every_locator[node.first_locator].usid:
        return structure.function
    wide = sid is None or (function_in(node.locator, sid, WHOLE) or 0) >> SHORT == WIDE
    return WHOLE if wide else structure.function


def chosen(node: Node, structure: SidStructure) -> Iterator[IPv6Address]:
    """The SIDs that may be chosen for VPNs: from FIRST on, or from the middle where functions are fewer."""
    if node.locator is None:
        return
    length = function_length(node, structure)
    usid = node.every_locator[node.first_locator].usid
    first = (WIDE << SHORT) + FIRST if usid else FIRST if length > 8 else 1 << (length - 1)
    behind = max(128 - node.locator.prefixlen - length, 0)
    for number in range(first, 1 << length):
        yield node.locator.network_address + (number << behind)


def vpn_sids(
    node: Node, prefixes: Mapping[str, Collection[Network]], taken: Collection[IPv6Address]
) -> dict[str, tuple[VpnSid, ...]]:
    """The SIDs of each VPN of a node. `prefixes` are those of the links of each, `taken` are its other SIDs."""
    structure = structure_in(node)
    if structure is None:
        return {}
    used = {*taken, *explicit_sids(node.vpns.values())}
    free = (one for one in chosen(node, structure) if one not in used)
    found = {}
    for name, vrf in node.vpns.items():
        sids = [sid if isinstance(sid, IPv6Address) else next(free) for sid in vrf.sids]
        pairs = zip(sids, behaviors(vrf, prefixes.get(name, ())), strict=False)
        found[name] = tuple(VpnSid(sid, behavior) for sid, behavior in pairs)
    return found
