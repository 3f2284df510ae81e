"""A packet's way through a lab, by the model of RFC 8986 and the plan's tables: every walk that is permitted.

With `quirks` the packet is formed as Linux does where it departs from the RFC; without, by the RFC alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from srv6lab.evidence.packets import Address, Direction, Place
from srv6lab.evidence.prediction import End, Hop
from srv6lab.plan.nodes import Nic
from srv6lab.predict import sr_proxy
from srv6lab.predict.encapsulating import hop_left, hop_still_due, like, with_a_hop
from srv6lab.predict.fib import Blackhole, Gateway, Link, Local, NextHop, Sid, Steer
from srv6lab.predict.filters import through
from srv6lab.predict.frames import FRAMES, framed, unframed
from srv6lab.predict.hmac import DRAFTED, refused, signing
from srv6lab.predict.icmp import told_by_route, unreachable, words_of
from srv6lab.predict.namespaces import LOOPBACK, ModeledLab, Namespace
from srv6lab.predict.packet_view import size, view
from srv6lab.predict.parted import parted
from srv6lab.predict.walk import Ended, Next, Walk, destination_of, ip_of, lost, taking, too_big
from srv6lab.predict.wire import crossed
from srv6lab.srv6.acting import act
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation, push
from srv6lab.srv6.endpoint import IPV4, IPV6, end
from srv6lab.srv6.headend import HEADENDS, hop, insert
from srv6lab.srv6.outer import Outer
from srv6lab.srv6.packet import Ethernet, Icmp, Icmpv6, Ipv6, Packet, Srh, Udp
from srv6lab.srv6.results import (
    Adjacency,
    Deliver,
    Discard,
    Flavor,
    Forward,
    IcmpError,
    Interface,
    LocalSid,
    Lookup,
    Result,
    Table,
)
from srv6lab.topology.scalars import Network

OUTER, BOUND = "encapsulated-before-the-hop", "bound-before-the-hop"
FRAME = "frame-encapsulated-before-the-hop"
NO_PSP, ONE_HOP = "next-csid-without-psp", "one-hop-a-node"
ADDRESS, NOT_HERE = "address-taken-for-a-segment", "end-delivers-nothing-here"
ASKED = "dx4-asks-for-the-destination"
ECHO_REQUESTS = (8, 128)
DISABLED = "srh-dropped-where-disabled"
INSERT = "H.Insert"
MOST_STEPS = 100_000
MOST_WALKS = 256
MOST_ACTS = 128  # in one namespace: more than hops and segments there are


def walks(
    lab: ModeledLab,
    packet: Packet,
    place: Place,
    quirks: frozenset[str] = frozenset(),
    table: int | None = None,
) -> Iterator[Ended]:
    """Every permitted walk of a packet that `place` sends, by a table of its own where one is given; flows of one prefix
    are shared by weight."""
    how = Table(table) if table is not None else None
    pending: list[Walk | Ended] = [Walk(packet, place, how=how, hop_due=False)]
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
            rest = sum(
                (one.share if isinstance(one, Walk) else one.walk.share for one in pending), walk.share
            )
            yield Ended(replace(walk, share=rest), End(False, walk.place, reason))
            return
        pending.extend(reversed(_Step(lab, walk, quirks).next()))


def vrf_of(lab: ModeledLab, ended: Ended) -> int | None:
    """The table of the VRF in which a walk ended: there its node answers."""
    return _vrf_of(lab.namespace(ended.end.place), ended.walk)


def _vrf_of(here: Namespace, walk: Walk) -> int | None:
    """What goes on along its segments is where it came in, whichever table knows its next one."""
    going_on = bool(walk.acted) and _goes_on(walk.acted[-1])
    return here.vrf_of(None if going_on else walk.how, walk.came_in)


class _Step:
    """What one namespace does with one packet."""

    def __init__(self, lab: ModeledLab, walk: Walk, quirks: frozenset[str]) -> None:
        self.lab, self.walk, self.quirks = lab, walk, quirks
        self.here: Namespace = lab.namespace(walk.place)

    def next(self) -> Next:
        walk = self.walk
        if self.here.unmodeled:
            return (Ended(walk, End(False, walk.place, self.here.unmodeled, known=False)),)
        if len(walk.acted) > MOST_ACTS:
            return lost(walk, f"goes round in circles in {walk.place}: {walk.why[-1]}")
        if walk.how is None:
            for proxy in self.here.returns.get(walk.came_in or "", ()):
                if sr_proxy.takes(proxy.behavior, walk.packet):
                    return self._given_back(proxy)
        match walk.how:
            case Adjacency(next_hop) if not next_hop.is_unspecified:
                return self._to_neighbor(next_hop)
            case Interface(name) if isinstance(walk.packet.headers[0], Ethernet):
                return self._frame_out(self.here.nics[name])
            case Interface(name):
                to = walk.next_hop
                why = f"out of {name}" + (f" to {to}" if to else "")
                return self._out(self.here.nics[name], why, to, filtered=not sr_proxy.bypasses(walk.acted))
            case Table(number):
                return self._looked_up(number)
            case _:
                return self._looked_up(None)

    def _looked_up(self, table: int | None) -> Next:
        destination = destination_of(self.walk.packet)
        if table is None and self.walk.came_in is not None and not self.walk.acted:
            table = self.here.class_table(self.walk.packet, destination)
        source = ip_of(self.walk.packet).source if self._has_source() else None
        found = self.here.lookup(destination, self.walk.came_in, table, source)
        if found is None:
            vrf = _vrf_of(self.here, self.walk)
            known = table if table is not None else vrf
            where = f"table {known} of {self.here.place}" if known is not None else self.here.place
            told = unreachable(self.walk.packet, 0, 0 if vrf is None else 1)
            return lost(self.walk, f"{where} has no route to {destination}", told)
        prefix, ways = found
        return tuple(
            following
            for way, going in parted(self.lab, self.here, self.walk, prefix, ways)
            for following in _Step(self.lab, going, self.quirks)._by(way, _said(prefix))
        )

    def _has_source(self) -> bool:
        """Linux looks for the route of what a node sends before it gives it a source; what answers has one."""
        last = self.walk.packet.headers[-1]
        answers = isinstance(last, Icmp | Icmpv6) and last.type not in ECHO_REQUESTS
        return self.walk.came_in is not None or bool(self.walk.acted) or answers

    def _by(self, way: NextHop, prefix: str) -> Next:
        match way:
            case Local():
                return self._delivered()
            case Sid():
                return self._bound(way)
            case Steer():
                return self._steered(way, prefix)
            case Link(nic) if nic == LOOPBACK:
                what = f"{destination_of(self.walk.packet)} is no SID or address of {self.here.place}"
                return lost(self.walk, f"{what}, though its own prefix {prefix} holds it")
            case Link(nic):
                return self._out(self.here.nics[nic], f"{prefix} is its link")
            case Blackhole(why, kind):
                return lost(self.walk, f"{prefix} is dropped: {why}", told_by_route(kind, self.walk.packet))
            case Gateway(next_hop, nic):
                return self._out(self.here.nics[nic], f"{prefix} via {_said(next_hop)}", next_hop)
        raise AssertionError(way)

    # --- segments

    def _bound(self, way: Sid) -> Next:
        packet, local = self.walk.packet, way.local
        if not local.service and (why := refused(self.here, packet, self.quirks, local)):
            return lost(self.walk, f"{way.behavior.name}: {why}")
        if local.policy:
            local = replace(local, policy=like(local.policy, packet))
        result = act(way.behavior)(packet, local)
        departed: tuple[str, ...] = ()
        if local.next_csid and NO_PSP in self.quirks:
            by_rfc, local = result, replace(local, flavors=local.flavors - {Flavor.PSP})
            result = act(way.behavior)(packet, local)
            departed = (NO_PSP,) if result != by_rfc else ()
        if way.local.service and isinstance(result, Forward):
            return self._to_service(way, result)
        if local.policy and isinstance(result, Forward) and BOUND in self.quirks:
            walk = self._noted(way.behavior.name, f"SID {way.sid}", BOUND)
            return (replace(walk, packet=hop_still_due(result.packet), how=result.how),)
        return self._acted(way.behavior.name, result, f"SID {way.sid}", *departed)

    def _acted(self, name: str, result: Result, why: str, *departed: str) -> Next:
        again = self.walk.acted and _goes_on(self.walk.acted[-1])
        walk = self._noted(name, why, *departed, *((ONE_HOP,) if again else ()))
        match result:
            case Forward(packet=packet, how=how):
                exposed = packet.headers[0] is not walk.packet.headers[0] and any(
                    packet.headers[0] is header for header in walk.packet.headers[1:]
                )
                if _goes_on(name) and not exposed and ONE_HOP in self.quirks:
                    return (replace(walk, packet=hop_left(packet, walk.packet), how=how, hop_due=True),)
                return (replace(walk, packet=packet, how=how, hop_due=exposed),)
            case Deliver():
                return (Ended(walk, End(True, self.here.place, f"{name} hands it to the node")),)
            case Discard(reason=reason):
                return lost(walk, f"{name}: {reason}")
            case IcmpError():
                return lost(walk, f"{name}: {words_of(walk.packet, result)}", result)

    def _steered(self, way: Steer, prefix: str) -> Next:
        packet, given = self.walk.packet, way.given
        given = signing(like(given, packet), self.quirks)
        if way.name in FRAMES:
            return self._frame_steered(way.name, given)
        why = f"{prefix} is steered over {', '.join(map(str, given.segments))}"
        result = HEADENDS[way.name](packet, given)
        drafted = (DRAFTED,) if given.key else ()
        own = self.walk.came_in is None and not self.walk.acted  # takes no hop here, by anybody's word
        if own and way.name == INSERT:
            return (
                replace(self._noted(way.name, why, *drafted), packet=insert(packet, given), how=Lookup()),
            )
        outer = way.name != INSERT and (own or OUTER in self.quirks)
        if isinstance(result, IcmpError) and outer:
            result = HEADENDS[way.name](with_a_hop(packet), given)
        if not isinstance(result, Forward) or not outer:
            return self._acted(way.name, result, why, *drafted)
        departure = drafted if own else (OUTER, *drafted)
        pushed = push(packet, given, result.packet.find(Srh))
        return (replace(self._noted(way.name, why, *departure), packet=pushed, how=result.how),)

    # --- frames

    def _frame_steered(self, name: str, given: Encapsulation) -> Next:
        """The frame that the packet came in. By the RFC it takes no hop here."""
        result = HEADENDS[name](framed(self.walk.packet, self.walk.hops[-1].packet), given)
        why = f"what comes in by {self.walk.came_in} is steered over {', '.join(map(str, given.segments))}"
        walk = self._noted(name, why, FRAME, *((DRAFTED,) if given.key else ()))
        assert isinstance(result, Forward)
        return (replace(walk, packet=result.packet, how=result.how, hop_due=FRAME in self.quirks),)

    def _frame_out(self, nic: Nic) -> Next:
        """A frame as it was: no hop is taken, nobody is asked for a neighbor, no firewall of IP sees it."""
        frame, packet = unframed(self.walk.packet)
        if size(packet) > nic.mtu:
            return too_big(self.walk, packet, nic)
        if reason := self.lab.silent(nic):
            return lost(self.walk, reason)
        seen = view(packet, frame.source.hex(":"), frame.destination.hex(":"))
        return crossed(
            self.lab, self.walk, nic, self.lab.across(nic), packet, seen, f"out of {nic.name} as it is"
        )

    # --- SR proxies

    def _to_service(self, way: Sid, result: Forward) -> Next:
        """What the service is given goes out; by the draft its hop is taken when it comes back."""
        early = sr_proxy.early(way.behavior)
        caches = [one for one in self.walk.caches if one[0] != way]
        if result.cache:
            caches.append((way, result.cache))
        walk = replace(
            self._noted(way.behavior.name, f"SID {way.sid}, for its service", early),
            packet=sr_proxy.to_service(way.behavior, result.packet, self.quirks),
            how=result.how,
            next_hop=way.next_hop,
            hop_due=early in self.quirks,
            caches=tuple(caches),
            counted=(*self.walk.counted, f"sid {way.sid}"),
        )
        return (walk,)

    def _given_back(self, way: Sid) -> Next:
        """What came back from a service goes on in its chain."""
        cache = dict(self.walk.caches).get(way)
        result = sr_proxy.given_back(way, self.walk.packet, cache, self.quirks)
        name, why = way.behavior.name, f"back from the service of {way.sid}"
        if not isinstance(result, Forward):
            return self._acted(name, result, why)
        twice = sr_proxy.QUIRK_TWO_HOPS
        walk = self._noted(name, why, twice)
        return (replace(walk, packet=result.packet, how=result.how, hop_due=twice in self.quirks),)

    def _noted(self, name: str, why: str, *quirks: str) -> Walk:
        """The walk with what acted on it, and with the departures from the RFC that it took."""
        walk, taken = self.walk, tuple(one for one in quirks if one in self.quirks)
        return replace(
            walk, acted=(*walk.acted, name), why=(*walk.why, why), quirks=taking(walk.quirks, *taken)
        )

    # --- plain IP

    def _delivered(self) -> Next:
        """An address of the namespace itself (RFC 8754 section 4.3.2, where there is an SRH)."""
        packet, place, to = self.walk.packet, self.here.place, destination_of(self.walk.packet)
        if self.walk.acted and NOT_HERE in self.quirks and _never_here(self.walk.acted[-1]):
            return lost(
                self.walk,
                f"{to} is an address of {place}, and Linux delivers nothing that {self.walk.acted[-1]} sends on",
            )
        walk, rule = self._filtered("INPUT")
        if rule:
            return lost(walk, rule)
        outer = Outer.of(packet) if isinstance(packet.headers[0], Ipv6) else None
        routed = outer is not None and any(isinstance(one, Srh) for one in packet.headers[1 : outer.upper])
        if routed and not self.here.takes_srh and DISABLED in self.quirks:
            return lost(walk, f"{to} is an address of {place}, where seg6_enabled is off: it takes no SRH")
        if routed and (why := refused(self.here, packet, self.quirks)):
            return lost(walk, f"{place}: {why}")
        if outer is not None and outer.srh is not None:
            if ADDRESS in self.quirks:
                return self._acted("End", end(packet, LocalSid()), f"{to} is its address")
            return lost(walk, f"{to} is an address of {place}, no SID, and segments are left")
        if outer is not None and outer.upper_type in (IPV4, IPV6):
            if routed and ADDRESS in self.quirks:
                return (self._reinjected(outer.exposed(), f"{to} is its address"),)
            return lost(walk, f"{to} is an address of {place}, no SID: nothing opens what it holds")
        nobody = unreachable(packet, 4, 3) if isinstance(packet.headers[-1], Udp) else None
        return (Ended(walk, End(True, place, f"{to} is its address"), nobody),)

    def _reinjected(self, packet: Packet, why: str) -> Walk:
        """What Linux takes out of a packet to itself comes in by the same NIC once more; its tracer sees the whole
        frame again, since what was taken off still stands in front."""
        walk = self._noted("decapsulated", why, ADDRESS)
        if self.walk.came_in is None:
            return replace(walk, packet=packet, how=Lookup())
        point = self.here.nics[self.walk.came_in].point
        again = Hop(point, Direction.IN, view(self.walk.packet), quirks=walk.quirks)
        return replace(walk, packet=packet, how=Lookup(), hops=(*walk.hops, again))

    def _to_neighbor(self, next_hop: Address) -> Next:
        nic = next((one for one in self.here.nics.values() if one.reaches(next_hop)), None)
        if nic is None:
            return lost(self.walk, f"{next_hop} is on no link of {self.here.place}")
        destination = destination_of(self.walk.packet)
        if ASKED in self.quirks and self.walk.acted[-1] == "End.DX4" and destination != next_hop:
            walk = replace(self.walk, quirks=taking(self.walk.quirks, ASKED))
            asking = _Step(self.lab, walk, self.quirks)
            return asking._out(nic, f"to {destination} itself on the link of {next_hop}", destination)
        return self._out(nic, f"to neighbor {next_hop}", next_hop)

    def _out(self, nic: Nic, why: str, next_hop: Address | None = None, *, filtered: bool = True) -> Next:
        """Forwarded over a link: a hop less, room for it, and somebody there who has the address."""
        walk, here = self.walk, self.here
        packet = walk.packet
        if walk.came_in is not None and not here.forwards:
            return lost(walk, f"{here.place} forwards nothing")
        if walk.hop_due:
            less = hop(packet)
            if isinstance(less, IcmpError):
                return lost(walk, words_of(packet, less), less)
            packet = less
        if size(packet) > nic.mtu:
            return too_big(walk, packet, nic)
        # After hop and MTU; what a node itself sends it doesn't see.
        if walk.came_in is not None and filtered:
            walk, rule = self._filtered("FORWARD")
            if rule:
                return lost(walk, rule)
        if reason := self.lab.silent(nic):
            return lost(walk, reason)
        address = next_hop if next_hop is not None else destination_of(packet)
        peer, known = self.lab.across(nic, address), here.neighbors.get(address)
        there = self.lab.namespace(peer.point.place)
        if known is None and not there.has(address, peer.name) and not there.unmodeled:
            silent = f"nobody on {nic.point}'s link has the address {address}"
            return lost(walk, silent, unreachable(packet, 3, 1))
        mac = known or ("" if there.unmodeled else peer.mac)
        return crossed(self.lab, walk, nic, peer, packet, view(packet, nic.mac, mac), why)

    def _filtered(self, chain: str) -> tuple[Walk, str]:
        """The walk with the counters of the firewalls that saw it, and which of them drops it, if one does."""
        if not self.here.firewalls:
            return self.walk, ""
        counted, dropping = through(self.here.firewalls, chain, self.walk.packet)
        names = (*self.walk.counted, *(f"firewall {name}" for name in counted))
        return replace(
            self.walk, counted=names
        ), f"firewall {dropping} drops it in {chain}" if dropping else ""


@lru_cache(maxsize=4096)
def _said(what: Address | Network) -> str:
    return str(what)


def _never_here(acted: str) -> bool:
    """Whether Linux delivers nothing to the node itself behind a behavior; End.DX6 comes to that without a next hop."""
    return _goes_on(acted) or acted == "End.DX6"


def _goes_on(acted: str) -> bool:
    """Whether what acted is a behavior that sends the packet itself on along its segment list."""
    return acted in REGISTRY and REGISTRY[acted].goes_on
