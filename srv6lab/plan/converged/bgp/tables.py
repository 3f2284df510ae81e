"""The tables of all speakers, once nobody has anything new to tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_network

from srv6lab.errors import LabError
from srv6lab.plan.converged.bgp.best import select
from srv6lab.plan.converged.bgp.originate import originated
from srv6lab.plan.converged.bgp.sessions import Reach, sessions_of
from srv6lab.plan.converged.bgp.tell import believed, told
from srv6lab.plan.converged.bgp.values import (
    FAMILIES,
    OF_VPNS,
    BgpRoute,
    Key,
    Session,
    Speaker,
    Table,
    Tables,
)
from srv6lab.plan.converged.bgp.vrfs import exported, imported
from srv6lab.plan.converged.rib import OWN_SIDS, Rib, RibRoute, Way, own_addresses, vrf_routes
from srv6lab.plan.frr.bgp import OF_UNICAST
from srv6lab.plan.nodes import Plan
from srv6lab.topology.scalars import Address, Network

ROUNDS = 100  # more than any lab needs that comes to rest: a route moves a session in each


class Unsettled(LabError):
    """The speakers never come to rest (RFC 3345). Of a lab as it is written `plan` says so with the place in the file."""

    def __init__(self) -> None:
        super().__init__(
            "BGP of this lab never comes to rest: what one router chooses makes another choose anew"
        )


class Bgp:
    """BGP of a lab. `settle` takes the routing tables without BGP's routes, or with those of the last time, for sessions
    and next hops may be reached by them."""

    def __init__(self, plan: Plan, withdrawn: Collection[str] = ()) -> None:
        self.plan, self.withdrawn = plan, withdrawn
        self.sessions = sessions_of(plan, withdrawn)
        every = (one for sessions in self.sessions.values() for one in sessions)
        self._ends = {(one.here, one.local, one.remote): one for one in every}
        self.tables: Tables = {speaker: {} for speaker in self.sessions}
        self._nodes = {node.name: node for node in plan.nodes}
        self._addresses = {name: own_addresses(self._nodes[name]) for name, _ in self.sessions}

    def settle(self, ribs: Mapping[str, Rib]) -> Tables:
        """Speaker after speaker selects anew, each again when one that it hears of selects otherwise, until none does."""
        reach = Reach(self.plan, ribs)
        up = {speaker: [one for one in all_ if reach.is_up(one)] for speaker, all_ in self.sessions.items()}
        listeners = _listeners(up)
        waiting = {*up}
        for _ in range(ROUNDS):
            for speaker in (one for one in up if one in waiting):
                waiting.remove(speaker)
                selected = self._selected(speaker, up[speaker], ribs)
                if selected != self.tables[speaker]:
                    self.tables[speaker] = selected
                    waiting |= listeners[speaker]
            if not waiting:
                return self.tables
        raise Unsettled

    def routes(self, node: str, rib: Rib) -> Iterator[RibRoute]:
        """What the speaker of a node puts into its routing table: all that it is told and has selected, if it has a way
        there. Its own SIDs are there, too, but for End.DT4, which Linux doesn't take."""
        for sid in self._own_sids(node):
            yield RibRoute(ip_network(sid), "bgp", ((None, OWN_SIDS),))
        for family in OF_UNICAST.values():
            for key, paths in self.tables.get(Speaker(node), {}).get(family, {}).items():
                if not paths[0].own:
                    hops = ((one.next_hop, one.sid) for one in paths if one.next_hop)
                    found = {(way, sid) for hop, sid in hops for way in rib.ways(hop, key.prefix)}
                    if found:
                        yield _rib_route(key.prefix, paths[0], sorted(found, key=str))

    def _own_sids(self, node: str) -> Iterator[IPv6Address]:
        routing = self._nodes[node].routing
        for one in routing.bgp.sids if routing and routing.bgp and node not in self.withdrawn else ():
            if one.version == 6:
                yield one.sid

    def _selected(
        self, speaker: Speaker, sessions: list[Session], ribs: Mapping[str, Rib]
    ) -> dict[str, Table]:
        rib = ribs[speaker.node]
        inside = Rib(vrf_routes(self._nodes[speaker.node], speaker.vrf)) if speaker.vrf else rib
        found: dict[str, dict[Key, list[BgpRoute]]] = {family: {} for family in FAMILIES}
        every = (*self._own(speaker, rib), *self._heard(speaker, sessions, ribs))
        for family, route in every:
            known = rib if route.imported else inside
            if family in OF_VPNS.values() or _valid(route, known):  # FRR hands VPN routes on as they are
                found[family].setdefault(route.key, []).append(route)

        def metric(route: BgpRoute) -> int:
            to = _tracked(route)
            near = rib.lookup(to) if to else None
            return near.metric if near else 0

        return {
            family: {key: select(routes, metric) for key, routes in table.items()}
            for family, table in found.items()
            if table
        }

    def _own(self, speaker: Speaker, rib: Rib) -> Iterator[tuple[str, BgpRoute]]:
        node = self._nodes[speaker.node]
        assert node.routing and node.routing.bgp
        if not speaker.vrf:
            bgp = node.routing.bgp
            yield from _by_family(originated(bgp.networks, bgp.redistribute, rib), OF_UNICAST)
            yield from _by_family(exported(node, self.tables, self.withdrawn), OF_VPNS)
            return
        vrf = next(one for one in node.routing.vrfs if one.name == speaker.vrf)
        inside = Rib(vrf_routes(node, vrf.name))
        for family, route in _by_family(originated(vrf.networks, vrf.redistribute, inside), OF_UNICAST):
            if route.prefix.version in vrf.versions:
                yield family, route
        yield from _by_family(imported(node, vrf, self.tables), OF_UNICAST)

    def _heard(
        self, speaker: Speaker, sessions: list[Session], ribs: Mapping[str, Rib]
    ) -> Iterator[tuple[str, BgpRoute]]:
        """What the speaker believes of all that the others tell."""
        for session in sessions:
            other = self._ends[session.there, session.remote, session.local]
            teller, listener = self._router_id(other.here), self._router_id(speaker)
            for family in session.families:
                for paths in self.tables[other.here].get(family, {}).values():
                    said = told(paths[0], other, teller, ribs[other.here.node])
                    if said and (route := believed(said, session, listener, self._addresses[speaker.node])):
                        yield family, route

    def _router_id(self, speaker: Speaker) -> IPv4Address:
        routing = self._nodes[speaker.node].routing
        assert routing
        return routing.router_id


def _listeners(up: Mapping[Speaker, Collection[Session]]) -> dict[Speaker, set[Speaker]]:
    """For each speaker those that select by what it has selected: the other ends of its sessions, and all on its node."""
    of_node: dict[str, set[Speaker]] = {}
    for speaker in up:
        of_node.setdefault(speaker.node, set()).add(speaker)
    return {
        speaker: of_node[speaker.node] | {one.there for one in sessions} for speaker, sessions in up.items()
    }


def _rib_route(prefix: Network, best: BgpRoute, ways: list[tuple[Way, IPv6Address | None]]) -> RibRoute:
    sids = tuple(sid for _, sid in ways) if any(sid for _, sid in ways) else ()
    return RibRoute(prefix, "bgp" if best.ebgp else "ibgp", tuple(way for way, _ in ways), best.med, sids)


def _by_family(routes: Iterator[BgpRoute], families: Mapping[int, str]) -> Iterator[tuple[str, BgpRoute]]:
    for route in routes:
        yield families[route.prefix.version], route


def _tracked(route: BgpRoute) -> Address | None:
    """What a route stands or falls with: the SID that it leads to, else its next hop."""
    return route.sid if route.sid and route.came else route.next_hop


def _valid(route: BgpRoute, rib: Rib) -> bool:
    """RFC 4271 section 9.1.2.1: the next hop can be reached; of eBGP over one link it is on that link."""
    to = _tracked(route)
    if route.came is None or to is None or (route.imported and route.imported.vrf):
        return True
    near = rib.lookup(to, route.prefix)
    itself = route.prefix.num_addresses == 1 and route.prefix.network_address == to and not route.came.client
    if near is None or not near.ways or itself:
        return False
    return near.protocol == "connected" or not route.came.connected or route.sid is not None
