"""What a headend steers, and by which rules it is chosen: for each source and NIC one, with a table of its own.

The numbers depend on the lab alone, so an exercise that steers in such a table and one that steers there again agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from srv6lab.plan.nodes import PlannedNode, PlannedRule, SteeredList, SteeredPrefix
from srv6lab.topology.rules import Rule
from srv6lab.topology.scalars import Network
from srv6lab.topology.steering import ListedSegments, Match, Steering

FIRST = 10001  # the number of the first table, and the preference of its rule
Selector = tuple[int, Network | None, str]  # the family, the source, the NIC


def selector_of(match: Match) -> Selector | None:
    """By what traffic is chosen beside its destination."""
    nic = match.nic or ""
    return (match.prefixes[0].version, match.source, nic) if match.source or nic else None


def selectors(matches: Iterable[Match]) -> tuple[PlannedRule, ...]:
    """A rule for each selector of a node, the narrowest source first, and with a NIC before without."""
    found = {one for match in matches if (one := selector_of(match))}
    ordered = sorted(found, key=lambda one: (one[0], -_length(one[1]), not one[2], str(one[1]), one[2]))
    return tuple(
        PlannedRule(number, number, (version,), source, nic=nic)
        for number, (version, source, nic) in enumerate(ordered, FIRST)
    )


def rule_of(match: Match, rules: Iterable[PlannedRule]) -> PlannedRule | None:
    """That of a match among those of its node."""
    wanted = selector_of(match)
    return next((one for one in rules if (one.versions[0], one.source, one.nic) == wanted), None)


def _length(source: Network | None) -> int:
    return -1 if source is None else source.prefixlen


def with_rules(rules: tuple[PlannedRule, ...], policies: Iterable[SteeredPrefix]) -> tuple[PlannedRule, ...]:
    """A node's rules with those that lead to what it steers."""
    return tuple(dict.fromkeys((*rules, *(one.rule for one in policies if one.rule))))


def planned_rule(rule: Rule) -> PlannedRule:
    """A rule as its author wrote it."""
    return PlannedRule(
        rule.priority, rule.table, rule.versions, rule.source, rule.to, rule.iif or "", rule.fwmark
    )


def steered_prefix(node: PlannedNode, steering: Steering) -> SteeredPrefix | None:
    """A policy with the NIC towards its first segment, or None where there is no way to it."""
    lists, alone = [], len(steering.lists) == 1 and not steering.match.vrf
    for _, one in steering.lists:
        if (nic := node.egress_nic(one.segments[0])) is None:
            return None
        weight = one.weight if isinstance(one, ListedSegments) else 1
        lists.append(SteeredList(one.segments, nic, node.neighbor(one.segments[0], nic), weight))
    match, first = steering.match, lists[0]
    rule = rule_of(match, node.selectors)
    vrf = next((vrf.table for vrf in node.vrfs if vrf.name == match.vrf), None)
    table = rule.table if rule else match.table or vrf
    several = tuple(lists) if len(lists) > 1 else ()
    device = (node.pushing_device(first.segments[0]) if alone else None) or first.nic
    of = (steering.prefix, first.segments, steering.mode, device, match.vrf or "")
    before_frr = 1 if node.routing and steering.prefix.version == 6 and not table else None
    return SteeredPrefix(*of, several, table, rule, steering.hmac, before_frr)
