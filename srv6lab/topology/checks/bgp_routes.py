"""Checks of what BGP routers tell each other: what they announce is there, and comes to all of their AS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srv6lab.errors import Problem
from srv6lab.topology.checks.bgp import Session, sessions
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, warning
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.model import Node
from srv6lab.topology.scalars import Network
from srv6lab.topology.unicast_sids import spoken

_PROTOCOLS = {"isis": "IS-IS", "ospf": "OSPFv2", "ospf6": "OSPFv3"}


@check
def redistributed_from_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        for index, source in enumerate(node.bgp.redistribute if node.bgp else ()):
            where = locate(("nodes", name, "bgp", "redistribute", index))
            if source in _PROTOCOLS and getattr(node, source) is None:
                yield Problem(
                    where,
                    f"{name} has no {_PROTOCOLS[source]} to redistribute from",
                    f"give {name} `{source}`",
                )
            elif source == "isis" and node.isis_locator and node.every_locator[node.isis_locator].usid:
                what = f"IS-IS of {name} has compressed SIDs, and which of their routes it tells of isn't modeled"
                yield Problem(where, what, "redistribute `connected`, or announce `networks`")


@check
def network_without_a_route(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR announces a network only while another protocol has a route to exactly that prefix."""
    everywhere = {prefix for name in view.nodes for prefix in _own(view, name)}
    for name, node in routers(view):
        if node.bgp is None or not view.clear(name) or not view.links_known:
            continue
        known = everywhere if _learns(node) else set(_own(view, name))
        for index, prefix in enumerate(node.bgp.networks):
            if prefix not in known:
                what = f"{name} has no route to exactly {prefix}, so FRR doesn't announce it"
                mend = f'add it to the `routes` of {name}, such as {{prefix: "{prefix}", type: blackhole}}'
                yield warning(locate(("nodes", name, "bgp", "networks", index)), what, mend)


@check
def network_that_nobody_is_told(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        for index, prefix in enumerate(node.bgp.networks if node.bgp else ()):
            if node.bgp and prefix.version not in spoken(node.bgp):
                what = f"none of the sessions of {name} speaks ipv{prefix.version}, so nobody is told of {prefix}"
                mend = f"add `ipv{prefix.version}` to the `families` of a session, at both ends"
                yield warning(locate(("nodes", name, "bgp", "networks", index)), what, mend)


@check
def redistributed_without_bgp(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        for key, protocol in (("isis", node.isis), ("ospf", node.ospf), ("ospf6", node.ospf6)):
            for index, source in enumerate(protocol.redistribute if protocol else ()):
                if source == "bgp" and node.bgp is None:
                    where = locate(("nodes", name, key, "redistribute", index))
                    mend = f"give {name} `bgp`, or take it away"
                    yield warning(where, f"{name} has no BGP to redistribute from", mend)


# RFC 6793 section 9: the AS of those that can't say theirs in two octets. FRR refuses a neighbor that has it.
_AS_TRANS = 23456


@check
def reserved_as(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in routers(view):
        if node.bgp and node.bgp.as_number == _AS_TRANS:
            what = f"AS {_AS_TRANS} is nobody's (RFC 6793), and FRR refuses a neighbor that has it"
            yield Problem(locate(("nodes", name, "bgp", "as")), what, "take another one, such as 65001")


def _learns(node: Node) -> bool:
    return node.isis is not None or node.ospf is not None or node.ospf6 is not None


def _own(view: Facts, name: str) -> Iterator[Network]:
    node = view.nodes[name]
    yield from (one.network for one in node.loopbacks)
    yield from (prefix for nic in view.nics.get(name, ()) for prefix in nic.link.prefixes)
    yield from (route.prefix for route in node.routes)
    if node.locator:
        yield node.locator


@check
def routes_stay_behind(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What comes by iBGP is passed on by iBGP only to clients, or from them (RFC 4456 section 5): without reflectors each
    router of an AS needs a session with each other."""
    every = [one for one in sessions(view) if not one.ebgp and not one.vrf]
    for family in ("ipv4", "ipv6", "vpnv4", "vpnv6"):
        spoken = {(one.name, one.one.node): one for one in every if family in one.one.families}
        mutual = {pair: one for pair, one in spoken.items() if (pair[1], pair[0]) in spoken}
        told = {name for name, _ in mutual}
        by_name: dict[str, dict[str, Session]] = {name: {} for name in told}
        for (name, other), one in mutual.items():
            by_name[name][other] = one
        for name in sorted(told):
            number = view.nodes[name].bgp.as_number if view.nodes[name].bgp else 0  # type: ignore[union-attr]
            others = {one for one in told if (bgp := view.nodes[one].bgp) and bgp.as_number == number}
            if missed := sorted(others - _reached(name, by_name)):
                words = ", ".join(missed[:4]) + (" and others" if len(missed) > 4 else "")
                what = f"what {name} tells its AS in {family} doesn't come to {words}"
                mend = "give them a session with it, or a route reflector with `reflector_client: true`"
                yield warning(locate(("nodes", name, "bgp", "neighbors")), what, mend)


def _reached(source: str, every: Mapping[str, Mapping[str, Session]]) -> set[str]:
    """Who is told what a router tells its iBGP neighbors; `every` are the sessions of each router by the other end."""
    found = {source}
    waiting = [(source, other) for other in every[source]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        by, name = waiting.pop()
        found.add(name)
        if (by, name) in seen:
            continue
        seen.add((by, name))
        of_client = every[name][by].one.reflector_client
        waiting += [
            (name, other)
            for other, one in every[name].items()
            if other != by and (of_client or one.one.reflector_client)
        ]
    return found
