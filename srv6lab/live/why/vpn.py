"""Why a route of a VPN isn't there, and why a SID isn't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from srv6lab.live.why.answers import Answers, Path
from srv6lab.live.why.reason import Reason
from srv6lab.plan.learned import ExpectedRoutes
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.scalars import Network


def of_vpn_routes(
    plan: Plan, node: PlannedNode, wanted: ExpectedRoutes, answers: Mapping[str, Answers]
) -> Iterator[Reason]:
    """For each prefix of other sites: FRR's path to it, the route targets, and what the other end announces."""
    if (known := answers.get(node.name)) is None:
        return
    for vrf, routes in wanted.vpns.items():
        for route in routes:
            owner = next((one for one in plan.nodes if one.locator and route.sid in one.locator), None)
            there = answers.get(owner.name) if owner else None
            paths = [one for one in known.paths if one.prefix == route.prefix]
            yield from _invalid(node.name, route.prefix, paths, known)
            if owner and there and owner is not node:
                yield from _not_announced(node.name, vrf, known, owner.name, there, route.prefix, paths)


def _invalid(node: str, prefix: Network, paths: Sequence[Path], known: Answers) -> Iterator[Reason]:
    """FRR installs nothing over a next hop that it has no way to."""
    for path in paths:
        if not path.own and (not path.valid or not _reaches(known, path.next_hop)):
            why = "" if _reaches(known, path.next_hop) else f", to which {node} has no route"
            what = f"{node} has a path to {prefix} that isn't valid: its next hop is {path.next_hop}{why}"
            yield Reason(what, final=False)


def _reaches(known: Answers, next_hop: str) -> bool:
    return all(known.reaches(ip_address(hop)) for hop in next_hop.split(", ") if hop)


def _not_announced(
    node: str, vrf: str, known: Answers, owner: str, there: Answers, prefix: Network, paths: Sequence[Path]
) -> Iterator[Reason]:
    """By the route targets, or because the other end has nothing to announce, or its path doesn't come."""
    imported = _targets(known, vrf, ("import", "both"))
    exported = _targets(there, "", ("export", "both"))
    if imported and exported and not imported & exported:
        yield Reason(
            f"{node} imports the route targets {' '.join(sorted(imported))} into {vrf}, and {owner} exports"
            f" {' '.join(sorted(exported))}"
        )
    elif not any(one.prefix == prefix and one.own for one in there.paths):
        yield Reason(f"{owner} announces no route to {prefix}", final=False)
    elif not paths:
        yield Reason(f"{owner} announces its route to {prefix}, and it doesn't come to {node}", final=False)


def _targets(known: Answers, vrf: str, directions: Sequence[str]) -> set[str]:
    """The route targets of a VRF, "" for those of all: `rt vpn both 1:1` and the like."""
    return {
        target
        for name, lines in known.blocks.items()
        if name.startswith("router bgp ") and name.endswith(f" vrf {vrf}" if vrf else "")
        for line in lines
        if line.words[0] == "rt" and line.words[2] in directions
        for target in line.words[3:]
    }


def of_sids(node: PlannedNode, answers: Mapping[str, Answers]) -> Iterator[Reason]:
    """What FRR wrote about the SIDs that it didn't give."""
    known = answers.get(node.name)
    if known is None or node.routing is None:
        return
    if node.locator and "segment-routing" in known.blocks:
        srv6 = [line.words for line in known.blocks["segment-routing"]]
        if not any(words[0] == "prefix" and words[1] == str(node.locator) for words in srv6):
            yield Reason(f"FRR of {node.name} has no locator {node.locator}")
    elif node.locator:
        yield Reason(f"FRR of {node.name} has no locator {node.locator}")
    yield from (Reason(f"FRR of {node.name} wrote: {line}", final=False) for line in known.refused)
