"""The values of BGP's simulation: speakers, their sessions, and the routes in their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from srv6lab.topology.scalars import Address, Network

FAMILIES = ("ipv4", "ipv6", "vpnv4", "vpnv6")

OF_VPNS = {4: "vpnv4", 6: "vpnv6"}
LOCAL_PREF = 100
OWN_WEIGHT = 32768  # what FRR gives its own routes, so that they go before all that it is told


class Speaker(NamedTuple):
    """A BGP instance: that of a node, or the one of a VRF on it."""

    node: str
    vrf: str = ""


class Key(NamedTuple):
    """What a table is kept by: a prefix, with a VPN's route distinguisher (RFC 4364 section 4.1)."""

    prefix: Network
    rd: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the speaker at one end sees it. `families` are those that both ends speak, `client` says that the
    other end is a client of this one (RFC 4456), `connected` that a next hop must be on a link, as eBGP over one wants
    it; `own` is the next hop that this end says of itself, by IP version of what it announces, and `sids` are its SIDs of
    the main table."""

    here: Speaker
    there: Speaker
    local: Address
    remote: Address
    as_here: int
    as_there: int
    router_id: IPv4Address
    families: frozenset[str]
    own: Mapping[int, Address]
    client: bool = False
    next_hop_self: bool = False
    connected: bool = False
    multihop: int = 0
    tells_sids: bool = False
    sids: Mapping[int, IPv6Address] = field(default_factory=dict)

    @property
    def ebgp(self) -> bool:
        return self.as_here != self.as_there

    def __hash__(self) -> int:
        return hash((self.here, self.local, self.remote))


@dataclass(frozen=True, slots=True)
class BgpRoute:
    """A route in a table (RFC 4271 section 3.2), with its attributes. Without `next_hop` it is the speaker's own, and
    without `came` nobody told it; `source` is what it is an own route of: `network`, or the protocol that it is
    redistributed from. `imported` is the speaker that it was taken over from, between a VRF and the VPN's table."""

    prefix: Network
    next_hop: Address | None = None
    as_path: tuple[int, ...] = ()
    origin: str = "igp"
    med: int = 0
    local_pref: int = LOCAL_PREF
    weight: int = 0
    originator: IPv4Address | None = None
    clusters: tuple[IPv4Address, ...] = ()
    rd: str = ""
    targets: tuple[str, ...] = ()
    sid: IPv6Address | None = None
    came: Session | None = None
    source: str = ""
    imported: Speaker | None = None

    @property
    def key(self) -> Key:
        return Key(self.prefix, self.rd)

    @property
    def own(self) -> bool:
        return self.came is None

    @property
    def ebgp(self) -> bool:
        return self.came is not None and self.came.ebgp


# Of each family the routes that a speaker has selected: of one key the best first, then those that share its flows.
Table = dict[Key, tuple[BgpRoute, ...]]
Tables = dict[Speaker, dict[str, Table]]
