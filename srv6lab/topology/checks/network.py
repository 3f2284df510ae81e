"""Checks of links, addresses, names of captures and routes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import TypeVar

from srv6lab.errors import Problem
from srv6lab.topology.checks.domains import Domains, Router
from srv6lab.topology.checks.facts import Facts, Item, Nic, Path
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.model import LINK_LOCAL, Link
from srv6lab.topology.scalars import NUMBERED, Address, Network

K = TypeVar("K", bound=Hashable)


def repeated(pairs: Iterable[tuple[K, Path]]) -> Iterator[tuple[K, Path, Path]]:
    """Each key that comes again: the key, its first path, this path."""
    first: dict[K, Path] = {}
    for key, path in pairs:
        if key in first:
            yield key, first[key], path
        first.setdefault(key, path)


def _all_nics(view: Facts) -> Iterator[Nic]:
    for nics in view.nics.values():
        yield from nics


@check
def unknown_node(view: Facts, locate: Locate) -> Iterator[Problem]:
    for nic in _all_nics(view):
        node = nic.endpoint.node
        if not view.knows(node):
            mend = did_you_mean(node, view.node_names, "name it under `nodes`")
            yield Problem(
                locate((*nic.path, "at")), f"link {nic.link.name} ends at an unknown node {node}", mend
            )


@check
def named_node_is_there(view: Facts, locate: Locate) -> Iterator[Problem]:
    named: list[tuple[Path, str]] = [((*item.path, "node"), item.value.node) for item in view.every_sid]
    named += [((*item.path, "headend"), item.value.headend) for item in view.policies]
    named += [(("services", name, "node"), service.node) for name, service in view.services.items()]
    for path, node in named:
        if words := no_node(view, node):
            yield Problem(locate(path), *words)


def no_node(view: Facts, name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a node, and how to mend it."""
    if view.knows(name):
        return None
    return f"there is no node {name}", did_you_mean(name, view.node_names, "name it under `nodes`")


@check
def nic_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for at, first, path in repeated((nic.endpoint.at, nic.path) for nic in _all_nics(view)):
        node, _, _ = at.partition(":")
        taken = {nic.endpoint.nic for nic in view.nics[node]}
        free = next(f"eth{number}" for number in range(1, 100000) if f"eth{number}" not in taken)
        what = f"{at} already ends the link in {line_of(locate, first)}"
        yield Problem(locate((*path, "at")), what, f"a NIC has one link; {node}:{free} is free")


@check
def link_to_itself(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        ends = item.value.endpoints
        nodes = ((end.node, (*item.path, "endpoints", index, "at")) for index, end in enumerate(ends))
        for node, _, path in repeated(nodes):
            if len({end.at for end in ends if end.node == node}) > 1:
                both = "both" if len(ends) == 2 else "several"
                what = f"{both} ends of link {item.value.name} are on {node}"
                yield Problem(locate(path), what, "connect two nodes")


@check
def mac_is_of_one_nic(view: Facts, locate: Locate) -> Iterator[Problem]:
    for nic in _all_nics(view):
        mac = nic.endpoint.mac
        if mac and (int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00"):
            what = (
                f"{mac} is the address of a group, no NIC's" if int(mac[:2], 16) & 1 else f"{mac} is no NIC's"
            )
            yield Problem(locate((*nic.path, "mac")), what, "begin with 02, as in 02:00:00:00:00:01")


@check
def mac_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    macs = ((nic.endpoint.mac, (*nic.path, "mac")) for nic in _all_nics(view) if nic.endpoint.mac)
    for mac, first, path in repeated(macs):
        what = f"another NIC already has {mac} ({line_of(locate, first)})"
        yield Problem(locate(path), what, "give each NIC a MAC of its own")


@check
def prefix_fits_a_link(view: Facts, locate: Locate) -> Iterator[Problem]:
    for prefix, path, _ in _prefixes(view.links):
        where = locate(path)
        if prefix.num_addresses < 2:
            mend = f"a link needs two addresses: /{prefix.max_prefixlen - 1} or shorter"
            yield Problem(where, f"{prefix} is one address, not a link's prefix", mend)
        elif prefix != LINK_LOCAL and (kind := special(prefix)):
            yield Problem(where, f"{prefix} is for {kind}, not for a link", "take a unicast prefix")


def _prefixes(links: Iterable[Item[Link]]) -> Iterator[tuple[Network, Path, str]]:
    """The prefixes of links, each with its place and the link's name."""
    for item in links:
        for index, prefix in enumerate(item.value.prefixes):
            yield prefix, (*item.path, "prefix", index), item.value.name


def special(prefix: Network | Address) -> str:
    """What addresses are for that are no unicast addresses of one place."""
    if prefix.is_multicast:
        return "multicast"
    if prefix.is_loopback:
        return "loopback"
    return "link-local addresses" if prefix.is_link_local else ""


@check
def address_in_prefix(view: Facts, locate: Locate) -> Iterator[Problem]:
    for nic in _all_nics(view):
        if any(prefix.num_addresses < 2 for prefix in nic.link.prefixes):
            continue
        for index, address in enumerate(nic.endpoint.addresses):
            if said := _misplaced(address, nic.link):
                yield Problem(locate((*nic.path, "address", index)), *said)


def _misplaced(address: Address, link: Link) -> tuple[str, str] | None:
    """What is wrong with an address on a link, and how to mend it."""
    own = [prefix for prefix in link.prefixes if prefix.version == address.version]
    some = " or ".join(map(str, own or link.prefixes))
    many = "es" if len(own or link.prefixes) > 1 else ""
    if not own:
        what = f"{address} is IPv{address.version}, and link {link.name} has the prefix{many} {some}"
        return what, f"give an address in {some}"
    holding = next((prefix for prefix in own if address in prefix), None)
    if holding is None:
        what = f"{address} isn't in the prefix{many} {some} of link {link.name}"
        return what, f"give an address in {some}, or mend the link's prefix"
    reserved = _reserved(address, holding)
    return (f"{address} is the {reserved} of {holding}", f"start with {holding[1]}") if reserved else None


def _reserved(address: Address, prefix: Network) -> str:
    if prefix.num_addresses == 2:
        return ""
    if address == prefix.network_address:
        return "subnet-router anycast address" if prefix.version == 6 else "network address"
    return "broadcast address" if prefix.version == 4 and address == prefix.broadcast_address else ""


@check
def address_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    domains = Domains(view)
    owners = [
        ((address, domains.of(path, owner)), path, owner)
        for address, places in view.addresses.items()
        for path, owner in sorted(places, key=lambda place: locate(place[0]))
    ]
    names = {path: owner for _, path, owner in owners}
    for (address, _), first, path in repeated((key, path) for key, path, _ in owners):
        what = f"{names[first]} already has {address} ({line_of(locate, first)})"
        yield Problem(locate(path), what, "give each NIC and each loopback an address of its own")


@check
def link_name_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, first, path in repeated((item.value.name, item.path) for item in view.links):
        what = f"the link in {line_of(locate, (*first, 'name'))} is already called {name}"
        yield Problem(locate((*path, "name")), what, "give each link a name of its own")


@dataclass(frozen=True, slots=True)
class _Trace:
    """The name of a capture file: written down, or the default of `owner`."""

    name: str
    written: bool
    owner: str
    path: Path


def _traces(view: Facts) -> Iterator[_Trace]:
    for nic in _all_nics(view):
        at, trace = nic.endpoint.at, nic.endpoint.trace
        yield _Trace(trace or at.replace(":", "-"), trace is not None, at, nic.path)
    for name, service in view.services.items():
        for index, port in enumerate(service.ports):
            default = f"{service.node}-{port.inside}"
            owner = f"{service.node}/{service.netns}:{port.inside}"
            path = ("services", name, "ports", index)
            yield _Trace(port.trace or default, port.trace is not None, owner, path)


@check
def trace_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Traces are files, and some file systems don't tell A from a."""
    # A default name comes first: whoever wrote the same name down has to change it.
    traces = {one.path: one for one in sorted(_traces(view), key=lambda one: (one.written, locate(one.path)))}
    for _, first, path in repeated((one.name.casefold(), one.path) for one in traces.values()):
        one, other = traces[path], traces[first]
        if one.owner == other.owner:
            continue
        same = "" if other.name == one.name else ", which is the same file on some machines"
        also = f" ({other.name})" if same else ""
        what = f"the trace {one.name} is already that of {other.owner}{also}{same}"
        yield Problem(locate((*path, "trace")), what, "give each NIC a trace name of its own")


@check
def prefixes_overlap(view: Facts, locate: Locate) -> Iterator[Problem]:
    domains, by_domain = Domains(view), dict[Router, list[Prefix[Network]]]()
    for item in view.links:
        of_domain = by_domain.setdefault(domains.of_link(item.value), [])
        of_domain += (one for one in _prefixes([item]) if one[0] != LINK_LOCAL)
    for outer, inner in (pair for prefixes in by_domain.values() for pair in overlaps(prefixes)):
        if outer[0] == inner[0] and {outer[2], inner[2]} <= view.of_frames:
            continue  # one subnet, whose frames SRv6 carries from one link to the other
        places = sorted(((locate(path), prefix, name) for prefix, path, name in (outer, inner)))
        (first, other, name), (where, prefix, _) = places[0], places[-1]
        how = "is also" if prefix == other else f"overlaps {other},"
        yield Problem(
            where, f"{prefix} {how} the prefix of link {name} (line {first.line})", "take a free prefix"
        )


P = TypeVar("P", bound=Network)
Prefix = tuple[P, Path, str]


def overlaps(prefixes: Iterable[tuple[P, Path, str]]) -> Iterator[tuple[Prefix[P], Prefix[P]]]:
    """Each prefix that lies in another, with the nearest one around it; one sweep over the sorted list."""
    around: list[Prefix[P]] = []
    for one in sorted(prefixes, key=_by_start):
        while around and not _holds(around[-1][0], one[0]):
            around.pop()
        if around:
            yield around[-1], one
        around.append(one)


def _by_start(one: tuple[Network, Path, str]) -> tuple[int, int, int]:
    return one[0].version, int(one[0].network_address), one[0].prefixlen


def _holds(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and outer.broadcast_address >= inner.network_address  # type: ignore[operator]


@check
def nic_gap(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Vagrant numbers the NICs of a machine one by one; eth3 without eth2 would come up as eth2."""
    for node, nics in view.nics.items():
        numbers = {int(nic.endpoint.nic[3:]): nic for nic in nics if NUMBERED.fullmatch(nic.endpoint.nic)}
        missing = next(
            (number for number in range(1, max(numbers, default=0)) if number not in numbers), None
        )
        if missing is not None and view.clear(node) and node in view.node_names:
            last = numbers[max(numbers)]
            what = f"{node} has {last.endpoint.nic}, but no eth{missing}"
            mend = f"number the NICs of {node} from eth1 without a gap; machines of Vagrant do"
            yield warning(locate((*last.path, "at")), what, mend)


@check
def node_without_links(view: Facts, locate: Locate) -> Iterator[Problem]:
    probed = {
        end for one in view.exercises for item in one.probes for end in (item.value.source, item.value.to)
    }
    for node in view.nodes:
        if node not in view.nics and view.clear(node) and node not in probed:
            yield warning(
                locate(("nodes", node), key=True), f"{node} has no links", "connect it, or take it away"
            )


@check
def loopback_in_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        announced = node.isis or node.ospf6  # they tell of both
        if node.loopback and node.locator and not announced and node.loopback.ip not in node.locator:
            what = f"the loopback {node.loopback.ip} of {name} isn't in its locator {node.locator}"
            mend = "others reach it by the locator's route; give an address in it"
            yield warning(locate(("nodes", name, "loopback")), what, mend)


@check
def loopback_is_unicast(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        for index, loopback in enumerate(node.loopbacks):
            if kind := special(loopback.ip):
                what = f"the loopback {loopback.ip} of {name} is for {kind}"
                mend = "give an address in its locator" if loopback.version == 6 else "give a unicast address"
                yield Problem(locate(("nodes", name, "loopback", index)), what, mend)


@check
def locators_overlap(view: Facts, locate: Locate) -> Iterator[Problem]:
    nodes = view.nodes.items()
    locators = [(node.locator, view.locator_at(name), name) for name, node in nodes if node.locator]
    for outer, inner in overlaps(locators):
        places = sorted((locate(path), str(locator), name) for locator, path, name in (outer, inner))
        (first, other, owner), (where, locator, _) = places[0], places[-1]
        how = "is also" if locator == other else f"overlaps {other},"
        what = f"{locator} {how} the locator of {owner} (line {first.line})"
        yield Problem(where, what, "give each node a locator of its own")


@check
def locator_on_a_link(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A SID in a link's prefix is looked for on the link, by neighbor discovery, and never found."""
    locators: list[tuple[IPv6Network, Path, str]] = [
        (node.locator, view.locator_at(name), "") for name, node in view.nodes.items() if node.locator
    ]
    links = [
        (prefix, path, name)
        for prefix, path, name in _prefixes(view.links)
        if isinstance(prefix, IPv6Network)
    ]
    for outer, inner in overlaps([*locators, *links]):
        locator, link = (outer, inner) if not outer[2] else (inner, outer)
        if not locator[2] and link[2]:
            what = f"the locator {locator[0]} overlaps {link[0]}, the prefix of link {link[2]}"
            yield warning(locate(locator[1]), what, "take a locator outside of all links")


def next_hop(view: Facts, node: str, address: Address, vrf: str = "") -> tuple[str, str] | None:
    """What is wrong with an address as next hop of a node, and how to mend it. The neighbor is in the VRF, or in none."""
    if address.is_link_local or not view.clear(node):
        return None
    own = any(one.ip == address for nic in view.nics.get(node, ()) for one in nic.interfaces)
    owners = [owner for _, owner in view.addresses.get(address, ())]
    if owners == [node] or (own and not owners):
        return f"{address} is {node}'s own address", "give the neighbor's address"
    if view.on_link(node, address, vrf):
        return None
    nics = [nic for nic in view.nics.get(node, ()) if address.version in nic.link.versions]
    if other := next((nic for nic in nics if any(address in one for one in nic.link.prefixes)), None):
        there = f"in the VRF {other.vrf}" if other.vrf else "in no VRF"
        mend = f"name a neighbor that is in {f'the VRF {vrf}' if vrf else 'no VRF'}, or mend the VRF"
        return f"{address} is on the link of {other.endpoint.at}, which is {there}", mend
    mine = (prefix for nic in nics if nic.vrf == vrf for prefix in nic.link.prefixes)
    prefixes = [str(prefix) for prefix in mine if prefix.version == address.version]
    where = f" in the VRF {vrf}" if vrf else ""
    mend = f"links of {node}{where}: {', '.join(prefixes[:8])}" if prefixes else f"connect {node} to it first"
    return f"{address} is on no link of {node}{where}", mend
