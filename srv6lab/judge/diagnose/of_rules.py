"""Why a packet isn't looked up in the table that a rule of the lab's sends it to, or finds another route there."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.packets import Address
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.plan.nodes import PlannedNode, PlannedRule, SteeredPrefix


def of_rules(node: PlannedNode, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """The rules that take the packet, and what is steered where they lead to, or over several segment lists."""
    first = came.packet.outer if came else out.packet.innermost
    nic = came.point.nic if came else "lo"
    for rule in node.rules:
        if _takes(rule, first.source, first.destination, nic):
            about = {
                "version": f"-{first.destination.version}",
                "preference": rule.preference,
                "rule": shown(rule),
            }
            yield suspect("rule-missing", node.name, **about, table=rule.table)
    yield from _of_tables(node, came, out)
    for one in node.steering:
        mine = first.destination in one.prefix and (one.lists or (one.table and not one.vrf))
        if mine and _leads(one, first.source, nic):
            about = {
                "version": f"-{one.prefix.version}",
                "table": one.table or "main",
                "prefix": _as_shown(one),
                **({"vrf": one.vrf} if one.vrf else {}),
            }
            yield suspect("steered-otherwise", node.name, **about, lists=lists_of(one), mode=one.mode)


def _of_tables(node: PlannedNode, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    to = out.packet.outer.destination
    for rule in leading(node, came, out):
        about = {"table": rule.table, "sid": f"rule {rule.preference}", "destination": to}
        yield suspect("table-route-missing", node.name, **about, version=f"-{to.version}", nic=out.point.nic)


def leading(node: PlannedNode, came: Hop | None, out: Hop) -> list[PlannedRule]:
    """The rules that lead a packet which only is forwarded to a static route in their table: the main one says nothing
    of it."""
    first = came.packet.outer if came else out.packet.outer
    nic = came.point.nic if came else "lo"
    held = {route.table for route in node.routes if first.destination in route.prefix}
    takes = (rule for rule in node.rules if _takes(rule, first.source, first.destination, nic))
    return [rule for rule in takes if rule.table in held and not out.behaviors]


def _leads(one: SteeredPrefix, source: Address, nic: str) -> bool:
    """Whether a packet with this source comes to the table that it is steered in."""
    return one.rule is None or _takes(one.rule, source, one.prefix.network_address, nic)


def _takes(rule: PlannedRule, source: Address, to: Address, nic: str) -> bool:
    return (
        to.version in rule.versions
        and rule.mark is None
        and rule.nic in ("", nic)
        and (rule.source is None or source in rule.source)
        and (rule.to is None or to in rule.to)
    )


def shown(rule: PlannedRule) -> str:
    """A rule as `ip rule` shows it, in words that belong together, between semicolons."""
    words = [f"from {rule.source}" if rule.source else "from all"]
    words += [f"to {rule.to}"] if rule.to else []
    words += [f"iif {rule.nic}"] if rule.nic else []
    return "; ".join([*words, f"lookup {rule.table}"])


def lists_of(one: SteeredPrefix) -> str:
    """Its segment lists with their weights, as `steered_otherwise` reads them from a route."""
    if one.lists:
        return "; ".join(f"{' '.join(map(str, each.segments))} weight {each.weight}" for each in one.lists)
    return f"{' '.join(map(str, one.segments))} weight 1"


def _as_shown(one: SteeredPrefix) -> str:
    return "default" if one.prefix.prefixlen == 0 else str(one.prefix)
