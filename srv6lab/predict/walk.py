"""A packet's way through a lab, by the model of RFC 8986 and the plan's tables: every walk that is permitted.

With `quirks` the packet is formed as Linux does where it departs from the RFC; without, by the RFC alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from srv6lab.plan import Nic, PlannedProxy
from srv6lab.predict.fib import Gateway, Link, Local, Proxied, Sid, Steer, Way
from srv6lab.predict.filters import through
from srv6lab.predict.network import LOOPBACK, Lab, Namespace
from srv6lab.predict.service import ROUTED, Exposed, back_to_chain, end_ad
from srv6lab.predict.views import size, view
from srv6lab.srv6.encapsulation import push
from srv6lab.srv6.headend import HEADENDS, hop
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet, Srh
from srv6lab.srv6.results import (
    Adjacency,
    Deliver,
    Discard,
    Forward,
    How,
    IcmpError,
    Interface,
    Result,
    Table,
)
from srv6lab.trace import Address, Direction, End, Hop

MOST_STEPS = 100_000
MOST_WALKS = 256
_ERRORS = {
    (Ipv6, 3): "ICMPv6 Time Exceeded: its hop limit is used up",
    (Ipv4, 11): "ICMP Time Exceeded: its TTL is used up",
    (Ipv6, 4): "ICMPv6 Parameter Problem",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """A packet at a namespace, still to be handled there.

    `hop_due` says that forwarding takes one off its hop limit; `acted` and `why` are what happened to it
    in this namespace so far; `chains` are the headers that proxies keep for it.
    """

    packet: Packet
    place: str
    came_in: str | None = None
    how: How | None = None
    hop_due: bool = True
    acted: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    share: Fraction = Fraction(1)
    quirks: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    chains: tuple[tuple[str, Packet], ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A walk that came to its end, with the packet as it was there."""

    walk: Walk
    end: End


Next = tuple[Walk | Ended, ...]


def walks(lab: Lab, packet: Packet, place: str, quirks: frozenset[str] = frozenset()) -> Iterator[Ended]:
    """Every permitted walk of a packet that `place` sends; flows of one prefix are shared by weight."""
    pending: list[Walk | Ended] = [Walk(packet, place, hop_due=False)]
    found = steps = 0
    while pending:
        walk = pending.pop()
        if isinstance(walk, Ended):
            found += 1
            yield walk
            continue
        steps += 1
        if steps > MOST_STEPS or found >= MOST_WALKS:
            reason = f"given up after {steps} steps and {found} walks: does it go round in circles?"
            yield Ended(walk, End(False, walk.place, reason))
            return
        pending.extend(reversed(_Step(lab, walk, quirks).next()))


class _Step:
    """What one namespace does with one packet."""

    def __init__(self, lab: Lab, walk: Walk, quirks: frozenset[str]) -> None:
        self.lab, self.walk, self.quirks = lab, walk, quirks
        self.here: Namespace = lab.namespace(walk.place)

    def next(self) -> Next:
        walk = self.walk
        proxies = self.here.returns.get(walk.came_in or "")
        if proxies and walk.how is None and isinstance(walk.packet.headers[0], Ipv4):
            return self._back_to_chain(proxies)
        match walk.how:
            case Adjacency(next_hop):
                return self._to_neighbor(next_hop)
            case Interface(name):
                return self._out(self.here.nics[name], f"cross-connected to {name}")
            case Table(number):
                return self._looked_up(number)
            case _:
                return self._looked_up(None)

    def _looked_up(self, table: int | None) -> Next:
        destination = _destination(self.walk.packet)
        found = self.here.lookup(destination, self.walk.came_in, table)
        if found is None:
            where = f"table {table} of {self.here.place}" if table is not None else self.here.place
            return _lost(self.walk, f"{where} has no route to {destination}")
        prefix, ways = found
        total = sum(_weight(way) for way in ways)
        return tuple(
            following
            for way in ways
            for following in self._with_share(Fraction(_weight(way), total))._by(way, str(prefix))
        )

    def _with_share(self, part: Fraction) -> _Step:
        return _Step(self.lab, replace(self.walk, share=self.walk.share * part), self.quirks)

    def _by(self, way: Way, prefix: str) -> Next:
        match way:
            case Local():
                return self._delivered()
            case Sid():
                act = way.behavior.act
                if act is None:
                    raise NotImplementedError(f"{way.behavior.name} isn't modeled")
                return self._acted(way.behavior.name, act(self.walk.packet, way.local), f"SID {way.sid}")
            case Steer():
                return self._steered(way, prefix)
            case Proxied(proxy):
                return self._to_service(proxy)
            case Link(nic) if nic == LOOPBACK:
                what = f"{_destination(self.walk.packet)} is no SID or address of {self.here.place}"
                return _lost(self.walk, f"{what}, though its own prefix {prefix} holds it")
            case Link(nic):
                return self._out(self.here.nics[nic], f"{prefix} is its link")
            case Gateway(next_hop, nic):
                return self._out(self.here.nics[nic], f"{prefix} via {next_hop}", next_hop)
        raise AssertionError(way)

    # --- segments

    def _acted(self, name: str, result: Result, why: str) -> Next:
        walk = replace(self.walk, acted=(*self.walk.acted, name), why=(*self.walk.why, why))
        match result:
            case Forward(packet, how):
                exposed = packet.headers[0] is not walk.packet.headers[0] and any(
                    packet.headers[0] is header for header in walk.packet.headers[1:]
                )
                return (replace(walk, packet=packet, how=how, hop_due=exposed),)
            case Deliver(packet):
                return (Ended(walk, End(True, self.here.place, f"{name} hands it to the node")),)
            case Discard(reason):
                return _lost(walk, f"{name}: {reason}")
            case IcmpError():
                return _lost(walk, f"{name}: {_error(walk.packet, result)}")

    def _steered(self, way: Steer, prefix: str) -> Next:
        packet, given = self.walk.packet, way.given
        outer = packet.headers[0]
        if isinstance(outer, Ipv6):
            given = replace(given, hop_limit=outer.hop_limit, traffic_class=outer.traffic_class)
        why = f"{prefix} is steered over {', '.join(map(str, given.segments))}"
        result = HEADENDS[way.name](packet, given)
        if "encapsulated-before-the-hop" not in self.quirks or not isinstance(result, Forward):
            return self._acted(way.name, result, why)
        srh = result.packet.find(Srh)
        walk = replace(self.walk, packet=push(packet, given, srh), how=result.how, hop_due=self.walk.hop_due)
        quirks = (*walk.quirks, "encapsulated-before-the-hop")
        return (replace(walk, acted=(*walk.acted, way.name), why=(*walk.why, why), quirks=quirks),)

    # --- SR proxies

    def _to_service(self, proxy: PlannedProxy) -> Next:
        """Towards the service: the chain is kept, the inner packet goes out."""
        result = end_ad(self.walk.packet, proxy.behavior.name)
        if not isinstance(result, Exposed):
            return self._acted(proxy.behavior.name, result, f"SID {proxy.sid}")
        walk = replace(
            self.walk,
            packet=result.packet,
            chains=(*(one for one in self.walk.chains if one[0] != proxy.back), (proxy.back, result.chain)),
            counted=(*self.walk.counted, f"sid {proxy.sid}"),
            acted=(*self.walk.acted, proxy.behavior.name),
            why=(*self.walk.why, f"SID {proxy.sid}: to service {proxy.service}, its headers are kept"),
            hop_due=ROUTED in self.quirks,
            quirks=(*self.walk.quirks, ROUTED) if ROUTED in self.quirks else self.walk.quirks,
        )
        nic = self.here.nics[proxy.to]
        return _Step(self.lab, walk, self.quirks)._out(nic, f"{proxy.next_hop} on {proxy.to}", proxy.next_hop)

    def _back_to_chain(self, proxies: tuple[PlannedProxy, ...]) -> Next:
        """From the service: the inner packet gets the headers back that it came with."""
        proxy = proxies[0]
        kept = dict(self.walk.chains).get(proxy.back)
        if kept is None:
            return _lost(self.walk, f"the cache of {proxy.behavior.name} on {proxy.back} is empty for it")
        walk = replace(
            self.walk,
            packet=back_to_chain(self.walk.packet, kept),
            came_in=None,
            acted=(*self.walk.acted, proxy.behavior.name),
            why=(
                *self.walk.why,
                f"back from service {proxy.service} on {proxy.back}: its headers are pushed",
            ),
            hop_due=ROUTED in self.quirks,
        )
        return (walk,)

    # --- plain IP

    def _delivered(self) -> Next:
        packet, place = self.walk.packet, self.here.place
        walk, rule = self._filtered("INPUT")
        if rule:
            return _lost(walk, rule)
        srh = _outer_srh(packet)
        if srh is not None and srh.segments_left:
            to = _destination(packet)
            return _lost(
                self.walk, f"{to} is an address of {place}, no SID: segments are left (RFC 8754 4.3.2)"
            )
        if any(isinstance(one, Ipv4 | Ipv6) for one in packet.headers[1:]):
            return _lost(
                self.walk, f"{_destination(packet)} is an address of {place}, no SID: nothing opens it"
            )
        end = End(True, place, f"{_destination(packet)} is its address")
        return (Ended(walk, end),)

    def _to_neighbor(self, next_hop: Address) -> Next:
        nic = next((one for one in self.here.nics.values() if next_hop in one.address.network), None)
        if nic is None:
            return _lost(self.walk, f"{next_hop} is on no link of {self.here.place}")
        return self._out(nic, f"to neighbor {next_hop}", next_hop)

    def _out(self, nic: Nic, why: str, next_hop: Address | None = None) -> Next:
        """Forwarded over a link: a hop less, room for it, and somebody there who has the address."""
        walk, here = self.walk, self.here
        packet = walk.packet
        if walk.came_in is not None or walk.acted:
            if walk.came_in is not None and not walk.acted and not here.forwards:
                return _lost(walk, f"{here.place} forwards nothing")
            walk, rule = self._filtered("FORWARD")
            if rule:
                return _lost(walk, rule)
        if walk.hop_due:
            less = hop(packet)
            if isinstance(less, IcmpError):
                return _lost(walk, _error(packet, less))
            packet = less
        if (over := size(packet) - nic.mtu) > 0:
            what = f"{size(packet)} bytes are {over} more than the MTU {nic.mtu} of {nic.point}"
            return _lost(walk, f"too big: {what}")
        peer = self.lab.across(nic)
        address = next_hop if next_hop is not None else _destination(packet)
        if address not in self.lab.namespace(peer.point.place).locals:
            return _lost(walk, f"nobody on {nic.point}'s link has the address {address}")
        acted = " + ".join(walk.acted) or None
        reason = "; ".join((*walk.why, why))
        seen = view(packet, nic.mac, peer.mac)
        hops = (
            *walk.hops,
            Hop(nic.point, Direction.OUT, seen, acted, reason, walk.quirks),
            Hop(peer.point, Direction.IN, seen, quirks=walk.quirks),
        )
        return (
            replace(
                walk, packet=packet, place=peer.point.place, came_in=peer.name, how=None, hop_due=True,
                acted=(), why=(), hops=hops,
            ),
        )  # fmt: skip

    def _filtered(self, chain: str) -> tuple[Walk, str]:
        """The walk with the counters of the firewalls that saw it, and which of them drops it, if one does."""
        counted, dropping = through(self.here.firewalls, chain, self.walk.packet)
        names = (*self.walk.counted, *(f"firewall {name}" for name in counted))
        return replace(
            self.walk, counted=names
        ), f"firewall {dropping} drops it in {chain}" if dropping else ""


def _weight(way: Way) -> int:
    return way.weight if isinstance(way, Gateway | Steer) else 1


def _destination(packet: Packet) -> Address:
    header = packet.headers[0]
    if not isinstance(header, Ipv4 | Ipv6):
        raise TypeError(f"an IP packet is needed, not {type(header).__name__}")
    return header.destination


def _outer_srh(packet: Packet) -> Srh | None:
    for header in packet.headers[1:]:
        if isinstance(header, Srh):
            return header
        if isinstance(header, Ipv4 | Ipv6):
            break
    return None


def _error(packet: Packet, error: IcmpError) -> str:
    """In words what the source is told."""
    first = packet.headers[0]
    words = _ERRORS.get((type(first), error.type), f"ICMP type {error.type}")
    pointer = f", pointing at byte {error.pointer}" if error.pointer is not None else ""
    source = first.source if isinstance(first, Ipv4 | Ipv6) else "its source"
    return f"{words}, code {error.code}{pointer}; {source} is told"


def _lost(walk: Walk, reason: str) -> Next:
    return (Ended(walk, End(False, walk.place, reason)),)
