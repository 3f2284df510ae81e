"""Checks of where probes go: from which address of which node, to which."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.network import no_node, special
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.exercises import Probe
from srv6lab.topology.scalars import Address


def _probes(view: Facts) -> Iterator[Item[Probe]]:
    for exercise in view.exercises:
        yield from exercise.probes


def _addresses(view: Facts, node: str) -> list[Address]:
    """Those that a node has by the file: of its NICs, then of `lo`; no link-local ones."""
    found = [one for nic in view.nics.get(node, ()) for one in nic.interfaces]
    found += view.nodes[node].loopbacks if node in view.nodes else ()
    return [one.ip for one in found if not one.is_link_local]


def _ends(view: Facts, probe: Probe) -> tuple[str, str | None]:
    """The nodes between which a probe goes; None where its destination is no node's."""
    if probe.to is not None or probe.destination is None:
        return probe.source, probe.to
    owners = (node for node in view.nics if probe.destination in _addresses(view, node))
    return probe.source, next(owners, None)


@check
def probe_goes_nowhere(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _probes(view):
        if item.value.to is None and item.value.destination is None and item.whole:
            what = f"probe {item.value.id} has neither `to` nor `destination`"
            yield Problem(locate(item.path, key=True), what, "add `to: NODE`")


@check
def probe_ends(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _probes(view):
        for key, node in (("from", item.value.source), ("to", item.value.to)):
            if node is None:
                continue
            where = locate((*item.path, key))
            if words := no_node(view, node):
                yield Problem(where, *words)
            elif node not in view.nics and view.clear(node):
                yield Problem(where, f"{node} has no links, so no probe can reach or leave it", "connect it")


@check
def probe_to_itself(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in _probes(view):
        source, to = _ends(view, item.value)
        if source == to:
            key, other = ("to", "node") if item.value.to else ("destination", "address")
            what = f"the probe goes from {source} to itself, over no link"
            yield Problem(locate((*item.path, key)), what, f"name another {other}")


@check
def probe_finds_no_way(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Whether links lead from one end to the other at all; what they carry is for the lab to show."""
    if view.unsound_nics or not view.links_known or not all(view.clear(node) for node in view.nics):
        return
    part = _parts(view)
    for item in _probes(view):
        source, to = item.value.source, item.value.to
        if source in part and to in part and part[source] != part[to]:
            what = f"no way over links leads from {source} to {to}"
            yield Problem(locate((*item.path, "to")), what, "connect them, or name another node")


@check
def probe_addresses(view: Facts, locate: Locate) -> Iterator[Problem]:
    """That `source` is an address of the sending node, and `destination` one of `to`."""
    for item in _probes(view):
        probe = item.value
        said = (("source", probe.source_address, probe.source), ("destination", probe.destination, probe.to))
        for key, address, node in said:
            where = locate((*item.path, key))
            if address is not None and (kind := special(address) or _nobody(address)):
                yield Problem(where, f"{address} is for {kind}, not for one node", "take a unicast address")
            elif address is not None and node in view.nics and view.clear(node):
                own = _addresses(view, node)
                if address not in own:
                    mend = f"it has {', '.join(map(str, own))}"
                    more = "; take `to` away if no node is meant to have it" if key == "destination" else ""
                    yield Problem(where, f"{node} doesn't have the address {address}", mend + more)


def _nobody(address: Address) -> str:
    return "nobody" if address.is_unspecified else ""


@check
def probe_is_of_one_family(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What a probe says of its addresses is of one family."""
    for item in _probes(view):
        probe = item.value
        said: dict[str, int | None] = {
            "destination": probe.destination.version if probe.destination else None,
            "source": probe.source_address.version if probe.source_address else None,
            "family": probe.family,
            "segments": 6 if probe.segments else None,
        }
        given = [(key, version) for key, version in said.items() if version]
        for key, version in given[1:]:
            if version != given[0][1]:
                what = f"`{key}` is of IPv{version}, and `{given[0][0]}` of IPv{given[0][1]}"
                yield Problem(locate((*item.path, key), key=True), what, "a packet has one family")


@check
def probe_shares_no_family(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A probe goes to an address of the family that it says, or else that its source has on a link."""
    for item in _probes(view):
        source, to, said = item.value.source, item.value.to, item.value.version
        unfit = item.value.segments and not any(kind.segments for kind in item.value.kinds)
        if unfit or not view.clear(source) or source not in view.nics:
            continue
        links = (nic.link for nic in view.nics[source])
        sends = {prefix.version for link in links for prefix in link.prefixes if not prefix.is_link_local}
        own = {address.version for address in _addresses(view, source)}
        if said and said not in own and item.value.source_address is None:
            key = next(key for key in ("destination", "family", "segments") if _says(item.value, key))
            what = f"{source} has no address of IPv{said} to send it from"
            yield Problem(locate((*item.path, key), key=True), what, "give it one, or send the other family")
        elif to in view.nodes and view.clear(to) and item.value.destination is None:
            has = {address.version for address in _addresses(view, to)}
            where = locate((*item.path, "to"))
            if has and said and said not in has:
                what = f"{to} has no address of IPv{said}"
                yield Problem(where, what, "give it one, or send the other family")
            elif has and not said and not sends & has:
                what = f"{source} has only IPv{min(sends)} on its links, and {to} only IPv{min(has)}"
                yield Problem(where, what, "give both an address of one family")


def _says(probe: Probe, key: str) -> bool:
    return bool(getattr(probe, key))


def _parts(view: Facts) -> dict[str, str]:
    """Each node with a link by one node of the part of the lab that it is connected to."""
    neighbors: dict[str, list[str]] = {}
    for item in view.links:
        for one, other in permutations((endpoint.node for endpoint in item.value.endpoints), 2):
            neighbors.setdefault(one, []).append(other)
    part: dict[str, str] = {}
    for start in neighbors:
        waiting = [start] if start not in part else []
        while waiting:
            node = waiting.pop()
            if node not in part:
                part[node] = start
                waiting += neighbors[node]
    return part
