"""Why two routers have no adjacency of IS-IS: what their NICs, or what FRR says at the two ends, don't have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srv6lab.live.why.answers import Answers
from srv6lab.live.why.reason import Reason
from srv6lab.plan.nodes import PlannedNode

_LEVELS = {"level-1": {1}, "level-2-only": {2}, "level-1-2": {1, 2}, "": {1, 2}}


def of_isis(node: PlannedNode, answers: Mapping[str, Answers]) -> Iterator[Reason]:
    """For every neighbor that the node should have."""
    isis = node.routing.isis if node.routing else None
    for nic in isis.nics if isis else ():
        for neighbor in nic.neighbors:
            ends = (node.name, nic.nic), (neighbor.node, neighbor.nic)
            if isis and node.name in answers and neighbor.node in answers:
                yield from _between(*ends, answers, isis.instance)


def _between(
    here: tuple[str, str], there: tuple[str, str], answers: Mapping[str, Answers], instance: str
) -> Iterator[Reason]:
    ends = tuple(sorted((here, there)))
    names = tuple(":".join(end) for end in ends)
    for (node, nic), name in zip(ends, names, strict=True):
        known = answers[node]
        if nic in known.down:
            yield Reason(f"{name} is down", final=False)
        elif not _instance(known):
            yield Reason(f"{node} runs no IS-IS")
        elif not _runs(known, nic):
            yield Reason(f"IS-IS doesn't run on {name}")
        elif known.says(f"interface {nic}", "isis", "passive"):
            yield Reason(f"IS-IS is passive on {name}")
    if all(_instance(answers[node]) and _runs(answers[node], nic) for node, nic in ends):
        yield from _apart(ends, names, answers)


def _apart(
    ends: tuple[tuple[str, str], ...], names: tuple[str, ...], answers: Mapping[str, Answers]
) -> Iterator[Reason]:
    """What isn't the same at both ends, and has to be."""
    (a, x), (b, y) = ends
    one, other = answers[a], answers[b]
    if (mine := one.mtus.get(x)) and (theirs := other.mtus.get(y)) and mine != theirs:
        yield Reason(
            f"{names[0]} has an MTU of {mine} and {names[1]} of {theirs}: IS-IS fills its hellos up to the MTU, and"
            " the smaller end takes none that long"
        )
    networks = [known.value(f"interface {nic}", "isis", "network") for known, nic in ((one, x), (other, y))]
    if networks[0] != networks[1]:
        said = [network or "a LAN" for network in networks]
        yield Reason(f"the link is {said[0]} for IS-IS at {names[0]}, and {said[1]} at {names[1]}")
    levels = [_levels(known, nic) for known, nic in ((one, x), (other, y))]
    if not levels[0] & levels[1]:
        said = [" and ".join(map(str, sorted(each))) or "none" for each in levels]
        yield Reason(f"IS-IS has level {said[0]} at {names[0]} and level {said[1]} at {names[1]}")
    areas = [_net(known).rsplit(".", 4)[0] for known in (one, other)]
    if levels[0] & levels[1] == {1} and areas[0] != areas[1]:
        yield Reason(
            f"{a} is in the IS-IS area {areas[0]} and {b} in {areas[1]}: neighbors of level 1 are in one area"
        )
    ids = [_net(known).rsplit(".", 4)[1:4] for known in (one, other)]
    if ids[0] == ids[1]:
        yield Reason(f"{a} and {b} have the same IS-IS system id {'.'.join(ids[0])}")
    secrets = [known.value(f"interface {nic}", "isis", "password") for known, nic in ((one, x), (other, y))]
    if secrets[0] != secrets[1]:
        without = [name for name, secret in zip(names, secrets, strict=True) if not secret]
        how = f"{without[0]} has none" if without else "they aren't the same"
        yield Reason(f"IS-IS hellos have a password between {names[0]} and {names[1]}, and {how}")


def _instance(known: Answers) -> str:
    return next((name for name in known.blocks if name.startswith("router isis ")), "")


def _runs(known: Answers, nic: str) -> bool:
    block = f"interface {nic}"
    return known.says(block, "ipv6", "router", "isis") or known.says(block, "ip", "router", "isis")


def _net(known: Answers) -> str:
    return known.value(_instance(known), "net")


def _levels(known: Answers, nic: str) -> set[int]:
    router = _LEVELS.get(known.value(_instance(known), "is-type"), {1, 2})
    return router & _LEVELS.get(known.value(f"interface {nic}", "isis", "circuit-type"), {1, 2})
