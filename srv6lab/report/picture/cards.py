"""What is written on a node's card, and how large the card is. Addresses are in a monospaced font, so a line's width is
known without drawing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from srv6lab.plan.nodes import Plan, PlannedNode, PlannedService

CHARACTER, LINE = 6.7, 15.0  # width and height of a character of 11 px, in px
NAME_CHARACTER, HEAD = 8.6, 30.0  # of a name, of 14 px
PAD, CHIP = 9.0, 22.0
LEAST_WIDTH = 92.0
_LONG = 20  # characters of a line; a SID and its behavior are on two where they would be longer
_MOST = 12  # lines
_WIDEST = 36  # characters of a line
MANY = 40  # nodes, of which each has its name alone


@dataclass(frozen=True, slots=True)
class CardLine:
    """`kind` is domain, address, locator, sid, behavior (of the SID in the line before), vrf, policy or more."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """The lines below the name, and the services that have a chip below those; sizes in px."""

    width: float
    height: float
    lines: tuple[CardLine, ...]
    chips: tuple[str, ...] = ()


def small(plan: Plan) -> bool:
    """Whether a lab has so many nodes that there is no room for more than their names."""
    return len(plan.nodes) > MANY


def card(node: PlannedNode, *, small: bool) -> Card:
    """A node's card; a small one has its name alone."""
    lines = () if small else _cut(tuple(_lines(node)))
    chips = () if small else tuple(chip(one) for one in node.services)
    widths = [len(line.text) * CHARACTER for line in lines] + [len(text) * CHARACTER + 14 for text in chips]
    width = max(LEAST_WIDTH, len(node.name) * NAME_CHARACTER + 34, *widths, 0.0) + 2 * PAD
    height = HEAD + PAD / 2 + LINE * len(lines) + CHIP * len(chips) + (PAD / 2 if lines or chips else 0)
    return Card(width, height, lines, chips)


def chip(service: PlannedService) -> str:
    """A service's name, with its engine's where the author names one."""
    named = service.engine not in ("", "auto", service.name)
    return f"{service.name} ({service.engine})" if named else service.name


def sids(node: PlannedNode) -> Iterator[tuple[str, str]]:
    """The SIDs that the plan binds, each with its behavior, flavors and what it works on."""
    for one in node.local_sids:
        flavors = f" {'+'.join(one.flavors)}" if one.flavors else ""
        where = f" {one.vrf}" if one.vrf else "".join(f" {value}" for _, value in one.parameters[:1])
        text = str(one.prefix) if one.prefix.prefixlen < 128 and one.csid else str(one.sid)
        yield text, f"{one.behavior.name}{flavors}{where}"
    for proxy in node.proxies:
        yield str(proxy.sid), f"{proxy.behavior.name} {proxy.service}"
    for vrf in node.routing.vrfs if node.routing else ():
        for sid in vrf.sids:
            yield str(sid.sid), f"{sid.behavior} {vrf.name}"


def _lines(node: PlannedNode) -> Iterator[CardLine]:
    if node.routing and node.routing.bgp:
        yield CardLine("domain", f"AS {node.routing.bgp.as_number}")
    for loopback in node.loopbacks:
        yield CardLine("address", f"lo {loopback.ip}")
    if node.locator:
        yield CardLine("locator", f"locator {node.locator}")
    for vrf in node.every_vrf():
        yield CardLine("vrf", f"VRF {vrf.name}: {', '.join(vrf.nics) or '-'}")
    for sid, behavior in sids(node):
        if len(sid) + 1 + len(behavior) <= _LONG:
            yield CardLine("sid", f"{sid} {behavior}")
        else:
            yield CardLine("sid", sid)
            yield CardLine("behavior", f"  {behavior}")
    for policy in node.headend.policies if node.headend else ():
        yield CardLine("policy", f"policy {policy.name or policy.id.color}")


def _cut(lines: tuple[CardLine, ...]) -> tuple[CardLine, ...]:
    lines = tuple(
        one if len(one.text) <= _WIDEST else CardLine(one.kind, one.text[: _WIDEST - 1] + "…")
        for one in lines
    )
    if len(lines) <= _MOST:
        return lines
    return (*lines[: _MOST - 1], CardLine("more", f"and {len(lines) - _MOST + 1} lines more"))
