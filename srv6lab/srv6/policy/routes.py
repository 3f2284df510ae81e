"""The routes that follow from the elected policies: values, which an agent words for `ip` and a model forwards by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from ipaddress import IPv6Address, IPv6Network

from .identity import Address, within
from .sr_db import Link, Network
from .state import Action, PolicyState, States
from .steering import FIRST_TABLE, FORWARDING_CLASSES, Color, per_destination, per_flow
from .view import Sids, View


@dataclass(frozen=True)
class ColorSteering:
    """Packets to a prefix, in one routing table, go by policies to an endpoint: by that of the highest of `colors`, or
    by that of their forwarding class, where `classes` has its color.

    `sid` comes behind the policy's segments: the service's at the endpoint (RFC 9256 section 8.4). `otherwise` is the
    rest of an `ip route` command for when no policy is to be used, none where there is no route then.
    """

    prefix: Network
    endpoint: Address
    colors: tuple[Color, ...] = ()
    classes: tuple[tuple[int, int], ...] = ()
    sid: IPv6Address | None = None
    mode: str = "encap"
    table: int | None = None
    otherwise: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for number, _ in self.classes:
            within("a forwarding class", number, 0, FORWARDING_CLASSES - 1)

    def entries(self) -> Iterator[ColorSteering]:
        """One a table. Class 0 is in the main one, each other in its own, where a packet that finds nothing goes on."""
        if not self.classes:
            yield self
        for number, color in self.classes:
            table, otherwise = (FIRST_TABLE + number, ()) if number else (None, self.otherwise)
            yield replace(self, colors=(Color(color),), classes=(), table=table, otherwise=otherwise)


@dataclass(frozen=True)
class PolicyHop:
    """The share of a route's flows that goes over one list of SIDs, out of `nic`, which is on `link`."""

    sids: Sids
    share: Fraction
    link: Link
    nic: str


@dataclass(frozen=True)
class Route:
    """A route in a table (None is the main one): of what is steered, or of a binding SID, for which `steering` is
    None. Without next hops packets are dropped if `drop` says so; else it is as if there were no policy."""

    prefix: Network
    steering: ColorSteering | None
    hops: tuple[PolicyHop, ...] = ()
    drop: bool = False

    @property
    def table(self) -> int | None:
        return self.steering.table if self.steering else None


def routes(
    steering: Iterable[ColorSteering], states: States, view: View, nics: Mapping[Address, str]
) -> Iterator[Route]:
    """Every route of a headend's steering, then those of its binding SIDs (RFC 9256 sections 6.3, 8.1 and 8.2).
    `nics` has the names of its NICs by their addresses; of several towards a SID the first by its name is taken."""

    def route(prefix: Network, one: ColorSteering | None, state: PolicyState | None) -> Route:
        if state is None:
            return Route(prefix, one)
        hops = []
        for flow in state.flows:
            link = min(view.egress_links(flow.sids[0]), key=lambda link: nics[link.local])
            tail = (one.sid,) if one and one.sid else ()
            hops.append(PolicyHop((*flow.sids, *tail), flow.share, link, nics[link.local]))
        return Route(prefix, one, tuple(hops), state.action is Action.DROP)

    for given in steering:
        for one in given.entries():
            chosen = per_destination(one.endpoint, one.colors, states).policy
            yield route(one.prefix, one, states[chosen] if chosen else None)
    for state in states.values():
        if state.binding.sid is not None:
            yield route(IPv6Network(state.binding.sid), None, state)


def needed_classes(steering: Iterable[ColorSteering], states: States) -> frozenset[int]:
    """The forwarding classes whose tables are to be looked into: those of arrays that aren't bypassed."""
    by_name = {(id.color, id.endpoint): id for id in states}
    found: set[int] = set()
    for one in steering:
        known = {
            n: by_name[color, one.endpoint] for n, color in one.classes if (color, one.endpoint) in by_name
        }
        found |= set() if per_flow(known, states).bypassed else set(known) - {0}
    return frozenset(found)
