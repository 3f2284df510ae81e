"""The sessions between a lab's speakers: those that both ends name, with the same two addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv6Address, IPv6Interface

from srv6lab.evidence.packets import Point
from srv6lab.plan.converged.bgp.values import Session, Speaker
from srv6lab.plan.converged.rib import Rib, own_addresses
from srv6lab.plan.frr import Routing
from srv6lab.plan.frr.bgp import PlannedNeighbor
from srv6lab.plan.nodes import Interface, Plan, PlannedNode
from srv6lab.topology.scalars import Address

TTL = 255  # what FRR sends an iBGP session's packets with


def sessions_of(plan: Plan, withdrawn: Collection[str] = ()) -> dict[Speaker, tuple[Session, ...]]:
    """The sessions of every speaker, in the order of the file. They have the families that both ends speak; the nodes in
    `withdrawn` have no locator, and so no SIDs to tell of."""
    routers = {node.name: node.routing for node in plan.nodes if node.routing and node.routing.bgp}
    ends = {
        (name, one.node, one.local, one.address): (Speaker(name, vrf), one)
        for name, routing in routers.items()
        for vrf, one in routing.sessions()
    }
    found: dict[Speaker, tuple[Session, ...]] = {}
    for node in plan.nodes:
        routing = routers.get(node.name)
        sids = {} if node.name in withdrawn else dict(_sids(node))
        for speaker in speakers_of(node):
            planned = (one for vrf, one in routing.sessions() if vrf == speaker.vrf) if routing else ()
            pairs = ((one, ends.get((one.node, node.name, one.address, one.local))) for one in planned)
            found[speaker] = tuple(
                _session(node, speaker, one, *answer, routers, sids) for one, answer in pairs if answer
            )
    return found


def speakers_of(node: PlannedNode) -> Iterator[Speaker]:
    """The instance of the node, and one for each VRF."""
    if node.routing and node.routing.bgp:
        yield Speaker(node.name)
        yield from (Speaker(node.name, vrf.name) for vrf in node.routing.vrfs)


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


class Reach:
    """Who reaches whom by these routing tables, and over how many links."""

    def __init__(self, plan: Plan, ribs: Mapping[str, Rib]) -> None:
        self._ribs = ribs
        self._peers = {nic.point: nic.peers for nic in plan.nics()}
        self._own = {node.name: own_addresses(node) for node in plan.nodes}
        self._hops: dict[tuple[str, Address], int | None] = {
            (name, address): 0 for name, addresses in self._own.items() for address in addresses
        }

    def is_up(self, session: Session) -> bool:
        """Whether both ends reach each other, in no more hops than the session allows."""
        if session.here.vrf or session.there.vrf:
            return True  # over a link
        hops = (self.hops(start, to) for start, to in directions(session))
        return all(far is not None and far <= (session.multihop or TTL) for far in hops)

    def hops(self, start: str, to: Address) -> int | None:
        """How many links a packet passes on its way to an address, None if it doesn't come there."""
        passed: dict[str, None] = {}
        at = start
        while at and at not in passed and (at, to) not in self._hops:
            passed[at] = None
            at = self._next(at, to)
        far = None if at in passed else self._hops.get((at, to))
        for name in reversed(passed):
            far = None if far is None else far + 1
            self._hops[name, to] = far
        return self._hops[start, to]

    def _next(self, name: str, to: Address) -> str:
        """The node behind the first way to an address, "" for none."""
        for over, nic in self._ribs[name].ways(to)[:1]:
            peers = [point.node for point in self._peers.get(Point(name, nic), ())]
            return next((one for one in peers if over in self._own[one]), peers[0] if peers else "")
        return ""


def directions(session: Session) -> tuple[tuple[str, Address], tuple[str, Address]]:
    """The two ways of a session's packets: from which node, and where to."""
    return (session.here.node, session.remote), (session.there.node, session.local)
