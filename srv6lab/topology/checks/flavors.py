"""Checks of flavors, of carriers of SIDs (RFC 9800), and of the tables that SIDs look into."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.srv6.flavors import NEXT_CSID, flavored
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, warning

OWN_TABLES = frozenset({253, 254, 255})  # the kernel's default, main and local


@check
def flavor_fits(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        behavior = BEHAVIORS.get(item.value.behavior)
        if behavior is None:
            continue
        has = dict.fromkeys(
            name for one in flavored(behavior.name) if one.kernel_since for name in one.flavors
        )
        for index, flavor in enumerate(item.value.flavors):
            if flavor not in has:
                what = f"Linux has no {behavior.name} with {flavor}"
                mend = f"its flavors: {', '.join(has)}" if has else f"{behavior.name} takes no flavor"
                yield Problem(locate((*item.path, "flavors", index)), what, mend)


@check
def flavor_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        pairs = ((name, (*item.path, "flavors", index)) for index, name in enumerate(item.value.flavors))
        for name, _, path in repeated(pairs):
            yield Problem(locate(path), f"the flavor {name} stands twice", "take one away")


@check
def carried_sid_ends_with_zeros(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What follows a SID with NEXT-CSID in an address are the SIDs after it (RFC 9800 section 4.1)."""
    for item in view.every_sid:
        csid = item.value.csid
        if csid and csid.argument(item.value.sid):
            prefix = item.value.prefix
            what = f"with NEXT-CSID a SID is {prefix.prefixlen} bits long, and {item.value.sid} is longer"
            yield Problem(locate((*item.path, "sid")), what, f'write "{prefix.network_address}"')


@check
def carried_sid_behind_a_loopback(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The route that an address on `lo` brings along would take every carrier from the SID."""
    for item in view.every_sid:
        node = view.nodes.get(item.value.node)
        if NEXT_CSID in item.value.flavors and node is not None and node.loopback is not None:
            taken = node.loopback.network
            if taken.prefixlen < taken.max_prefixlen and taken.overlaps(item.value.prefix):
                what = f"the loopback's prefix {taken} takes what is for the SID {item.value.prefix}"
                where = locate(("nodes", item.value.node, "loopback"))
                yield Problem(where, what, f'write "{node.loopback.ip}/128"')


@check
def table_without_routes(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.every_sid:
        sid, node = item.value, view.nodes.get(item.value.node)
        if node is None or sid.table is None or sid.table in (*OWN_TABLES, *node.vrf_tables.values()):
            continue
        if not any(route.table == sid.table and route.prefix.version == 6 for route in node.routes):
            what = f"table {sid.table} of {sid.node} has no IPv6 route, so {sid.behavior} finds no way"
            mend = f"add `{{prefix: …, via: …, table: {sid.table}}}` under nodes.{sid.node}.routes"
            yield warning(locate((*item.path, "table")), what, mend)
