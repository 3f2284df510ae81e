"""The SIDs of a node's VPNs: which behavior each has (RFC 8986 sections 4.6 to 4.8), and an address where the author leaves
that to us. FRR hands out its own in the order in which things start, so they are chosen here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from itertools import count

from srv6lab.srv6.behaviors import BEHAVIORS, Kind
from srv6lab.topology.routing.locator import SidStructure
from srv6lab.topology.routing.vrf import Vrf
from srv6lab.topology.scalars import Network
from srv6lab.topology.sid_structure import structure_of

FIRST = 0x100  # beyond what IS-IS counts up from 1
_FAMILIES: Mapping[Kind, int] = {"IPv4": 4, "IPv6": 6}


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
        return tuple(sorted(_FAMILIES[kind] for kind in self.takes))


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


def vpn_sids(
    locator: IPv6Network,
    structure: SidStructure,
    vpns: Mapping[str, Vrf],
    prefixes: Mapping[str, Collection[Network]],
    taken: Collection[IPv6Address],
) -> dict[str, tuple[VpnSid, ...]]:
    """The SIDs of each VPN of a node. `prefixes` are those of the links of each, `taken` are its other SIDs; a function
    that is chosen here is the first free one from FIRST on, or from the middle where there are fewer."""
    used = {*taken, *explicit_sids(vpns.values())}
    behind = max(128 - locator.prefixlen - structure.function, 0)
    first = FIRST if structure.function > 8 else 1 << (structure.function - 1)
    free = (locator.network_address + (number << behind) for number in count(first))
    found = {}
    for name, vrf in vpns.items():
        sids = [
            sid if isinstance(sid, IPv6Address) else next(one for one in free if one not in used)
            for sid in vrf.sids
        ]
        pairs = zip(sids, behaviors(vrf, prefixes.get(name, ())), strict=False)
        found[name] = tuple(VpnSid(sid, behavior) for sid, behavior in pairs)
    return found


def structure_for(locator: IPv6Network, said: SidStructure | None, vpns: Iterable[Vrf]) -> SidStructure:
    """The parts of the SIDs in a node's locator: what the author says, else what keeps its VPNs' SIDs whole."""
    vpns = tuple(vpns)
    if said:
        return said
    return structure_of(locator, explicit_sids(vpns), bool(vpns))
