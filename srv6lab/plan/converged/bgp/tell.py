"""What a speaker tells over a session of a route that it has selected, and what the other end makes of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from srv6lab.plan.converged.bgp.values import LOCAL_PREF, BgpRoute, Session
from srv6lab.plan.converged.rib import Rib
from srv6lab.topology.scalars import Address


def told(route: BgpRoute, session: Session, router_id: IPv4Address, rib: Rib) -> BgpRoute | None:
    """The route as it is on the wire, None for one that isn't told. `router_id` is the speaker's own, which is its
    cluster's, too (RFC 4456 section 7)."""
    if route.came is session:
        return None
    reflected = not session.ebgp and route.came is not None and not route.came.ebgp and not route.imported
    if reflected and not (route.came and route.came.client) and not session.client:
        return None  # RFC 4271 section 9.2: what comes by iBGP isn't passed on by iBGP
    next_hop = _next_hop(route, session, reflected, rib)
    sid = route.sid if route.rd else _sid(route, session)
    bare = replace(route, next_hop=next_hop, sid=sid, came=None, source="", weight=0, imported=None)
    if session.ebgp:
        med = route.med if route.own or route.imported else 0
        path = (session.as_here, *route.as_path)
        return replace(bare, as_path=path, med=med, local_pref=LOCAL_PREF, originator=None, clusters=())
    if reflected and route.came:
        originator = route.originator or route.came.router_id
        return replace(bare, originator=originator, clusters=(router_id, *route.clusters))
    return bare


def _sid(route: BgpRoute, session: Session) -> IPv6Address | None:
    """What comes with a SID keeps it; all else gets the speaker's own, which looks up in its main table. Customers get
    none: they send to the VRF, which encapsulates."""
    if session.here.vrf or not session.tells_sids:
        return None
    return route.sid or session.sids.get(route.prefix.version)


def _next_hop(route: BgpRoute, session: Session, reflected: bool, rib: Rib) -> Address:
    """RFC 4271 section 5.1.3: by eBGP one's own, unless the next hop is on the link to the neighbor, who can send to it
    as well; by iBGP as it came."""
    own = session.own[4 if route.prefix.version == 4 else 6]
    kept = route.next_hop
    if kept is None or route.imported or (session.next_hop_self and not reflected):
        return own
    if session.ebgp:
        return kept if _shares_link(kept, route, session, rib) else own
    return own if kept.version == 4 and own.version == 6 else kept  # FRR: where IPv4 has IPv6 next hops


def _shares_link(next_hop: Address, route: BgpRoute, session: Session, rib: Rib) -> bool:
    if next_hop.version != session.remote.version or next_hop.version != route.prefix.version:
        return False
    near, there = rib.lookup(next_hop), rib.lookup(session.remote)
    return near is not None and near is there and near.protocol == "connected" and not route.rd


def believed(
    route: BgpRoute, session: Session, router_id: IPv4Address, addresses: frozenset[Address]
) -> BgpRoute | None:
    """What comes in over a session as the table has it; None for a loop (RFC 4271 section 9.1.2, RFC 4456 section 8), or
    one's own address as the next hop, or as all of the prefix."""
    mine = route.prefix.num_addresses == 1 and route.prefix.network_address in addresses and not route.rd
    looped = session.as_here in route.as_path or router_id in route.clusters or route.originator == router_id
    if looped or mine or route.next_hop in addresses:
        return None
    return replace(route, came=session)
