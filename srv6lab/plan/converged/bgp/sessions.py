"""The sessions between a lab's speakers: those that both ends name, with the same two addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv6Address, IPv6Interface

from srv6lab.plan.converged.bgp.values import Session, Speaker
from srv6lab.plan.converged.rib import Rib
from srv6lab.plan.frr import Routing
from srv6lab.plan.frr.bgp import PlannedNeighbor
from srv6lab.plan.nodes import Interface, Plan, PlannedNode
from srv6lab.topology.scalars import Address

TTL = 64  # hops of a walk after which it goes in circles


def sessions_of(plan: Plan, withdrawn: Collection[str] = ()) -> dict[Speaker, tuple[Session, ...]]:
    """The sessions of every speaker, in the order of the file. They have the families that both ends speak; the nodes in
    `withdrawn` have no locator, and so no SIDs to tell of."""
    routers = {node.name: node.routing for node in plan.nodes if node.routing and node.routing.bgp}
    found: dict[Speaker, tuple[Session, ...]] = {}
    for node in plan.nodes:
        routing = routers.get(node.name)
        sids = {} if node.name in withdrawn else dict(_sids(node))
        for speaker in speakers_of(node):
            planned = (one for vrf, one in routing.sessions() if vrf == speaker.vrf) if routing else ()
            pairs = ((one, _answer(routers.get(one.node), node.name, one)) for one in planned)
            found[speaker] = tuple(
                _session(node, speaker, one, Speaker(one.node, pair[0]), pair[1], routers, sids)
                for one, pair in pairs
                if pair
            )
    return found


def speakers_of(node: PlannedNode) -> Iterator[Speaker]:
    """The instance of the node, and one for each VRF."""
    if node.routing and node.routing.bgp:
        yield Speaker(node.name)
        yield from (Speaker(node.name, vrf.name) for vrf in node.routing.vrfs)


def _answer(there: Routing | None, name: str, one: PlannedNeighbor) -> tuple[str, PlannedNeighbor] | None:
    """The other end of a session: its VRF, and what it says of it."""
    for vrf, other in there.sessions() if there else ():
        if other.node == name and (other.address, other.local) == (one.local, one.address):
            return vrf, other
    return None


def _session(
    node: PlannedNode,
    here: Speaker,
    one: PlannedNeighbor,
    there: Speaker,
    other: PlannedNeighbor,
    routers: Mapping[str, Routing],
    sids: Mapping[int, IPv6Address],
) -> Session:
    ebgp = one.remote_as != other.remote_as
    return Session(
        here=here,
        there=there,
        local=one.local,
        remote=one.address,
        as_here=other.remote_as,
        as_there=one.remote_as,
        router_id=routers[there.node].router_id,
        families=frozenset(one.families) & frozenset(other.families),
        own=dict(_own(node, one.local)),
        client=one.reflector_client,
        next_hop_self=one.next_hop_self,
        connected=ebgp and one.source is None,
        multihop=one.multihop or (0 if not ebgp else 1),
        tells_sids=one.tells_sids,
        sids=sids,
    )


def _sids(node: PlannedNode) -> Iterator[tuple[int, IPv6Address]]:
    bgp = node.routing.bgp if node.routing else None
    yield from ((one.version, one.sid) for one in (bgp.sids if bgp else ()))


def _own(node: PlannedNode, local: Address) -> Iterator[tuple[int, Address]]:
    """The next hop that a node says of itself, by IP version: its end of the session, also for IPv4 over IPv6 (RFC 8950);
    for IPv6 over IPv4 an IPv6 address of the same NIC."""
    yield local.version, local
    if local.version == 6:
        yield 4, local
    else:
        interfaces = next(one for one in _interfaces(node) if local in {each.ip for each in one})
        known = (one.ip for one in interfaces if isinstance(one, IPv6Interface) and not one.is_link_local)
        yield from ((6, address) for address in list(known)[:1])


def _interfaces(node: PlannedNode) -> Iterator[tuple[Interface, ...]]:
    yield from (nic.addresses for nic in node.nics)
    yield node.loopbacks


def is_up(session: Session, plan: Plan, ribs: Mapping[str, Rib]) -> bool:
    """Whether both ends reach each other, in no more hops than the session allows."""
    if session.here.vrf or session.there.vrf:
        return True  # over a link
    return all(
        (hops := hops_to(plan, ribs, start, to)) is not None and hops <= (session.multihop or TTL)
        for start, to in ((session.here.node, session.remote), (session.there.node, session.local))
    )


def hops_to(plan: Plan, ribs: Mapping[str, Rib], start: str, to: Address) -> int | None:
    """How many links a packet passes on its way to an address, None if it doesn't come there."""
    node = plan.node(start)
    for hops in range(TTL):
        if to in {one.ip for nic in node.nics for one in nic.addresses} | {one.ip for one in node.loopbacks}:
            return hops
        way = next(iter(ribs[node.name].ways(to)), None)
        nic = next((one for one in node.nics if way and one.name == way[1]), None)
        if way is None or nic is None:
            return None
        peers = [plan.node(point.node) for point in nic.peers]
        node = next(
            (one for one in peers if way[0] in {each.ip for n in one.nics for each in n.addresses}), peers[0]
        )
    return None
