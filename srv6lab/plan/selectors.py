"""Traffic that is steered by where it comes from: a rule and a table of its own for each source and NIC.

The numbers depend on the lab alone, so an exercise that steers in such a table and one that steers there again agree.
"""

from __future__ import annotations

from collections.abc import Iterable

from srv6lab.plan.nodes import PlannedRule
from srv6lab.topology.scalars import Network
from srv6lab.topology.steering import Match

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
