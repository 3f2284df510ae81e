"""Why a session of BGP isn't up: what one end lacks, or what FRR says at the two ends, but not alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srv6lab.live.why.answers import Answers, Line
from srv6lab.live.why.reason import Reason
from srv6lab.plan.frr.bgp import PlannedNeighbor
from srv6lab.plan.nodes import PlannedNode

_UP = "Established"


def of_sessions(node: PlannedNode, answers: Mapping[str, Answers]) -> Iterator[Reason]:
    """For each session of the node that isn't up."""
    known = answers.get(node.name)
    for vrf, one in node.routing.sessions() if node.routing and known else ():
        session = known.sessions.get((vrf, one.address), {}) if known else {}
        if known and session.get("bgpState") != _UP:
            found = [*_here(node, vrf, one, known), *_between(node.name, vrf, one, answers)]
            yield from found or _said(node.name, one, known, dict(session))


def _here(node: PlannedNode, vrf: str, one: PlannedNeighbor, known: Answers) -> Iterator[Reason]:
    block = _bgp(known, vrf)
    in_vrf = f" in {vrf}" if vrf else ""
    if not block:
        yield Reason(f"{node.name} runs no BGP{in_vrf}")
    elif not known.value(block, "neighbor", str(one.address), "remote-as"):
        yield Reason(f"{node.name} has no BGP neighbor {one.address} ({one.node}){in_vrf}")
    elif known.says(block, "neighbor", str(one.address), "shutdown"):
        yield _shut(node.name, one.node)
    elif not _families(known.blocks[block], str(one.address)):
        yield Reason(f"{node.name} has activated no address family of BGP with {one.node}")
    elif not vrf and not known.reaches(one.address):
        yield Reason(f"{node.name} has no route to {one.address} of {one.node}", final=False)
    elif not vrf and one.ebgp and not _may_be_far(known, block, one) and not _on_link(node, one):
        yield Reason(
            f"{one.address} of {one.node} is on no link of {node.name}, and the eBGP session says no `multihop`"
        )


def _between(name: str, vrf: str, one: PlannedNeighbor, answers: Mapping[str, Answers]) -> Iterator[Reason]:
    """What the two ends don't have in common; the other end may be in a VRF."""
    here, there = answers[name], answers.get(one.node)
    mine, me, it = _bgp(here, vrf), str(one.local), str(one.address)
    if there is None or not mine or not here.value(mine, "neighbor", it, "remote-as"):
        return
    if not (every := [block for block in there.blocks if block.startswith("router bgp ")]):
        yield Reason(f"{one.node} runs no BGP")
        return
    theirs = next((block for block in every if there.value(block, "neighbor", me, "remote-as")), "")
    if not theirs:
        yield Reason(f"{one.node} has no BGP neighbor {me} ({name})")
        return
    for who, block, known, peer, other, far in (
        (name, mine, here, it, one.node, theirs),
        (one.node, theirs, there, me, name, mine),
    ):
        expected, is_in = known.value(block, "neighbor", peer, "remote-as"), far.split()[2]
        if expected.isdigit() and expected != is_in:
            yield Reason(f"{who} takes {peer} ({other}) for AS {expected}, and {other} is in AS {is_in}")
    if here.value(mine, "neighbor", it, "password") != there.value(theirs, "neighbor", me, "password"):
        ends = " and ".join(sorted((name, one.node)))
        yield Reason(f"the BGP passwords of {ends} aren't the same, or one of them has none")
    if there.says(theirs, "neighbor", me, "shutdown"):
        yield _shut(one.node, name)
    if here.value(mine, "bgp", "router-id") == there.value(theirs, "bgp", "router-id") != "":
        ends = " and ".join(sorted((name, one.node)))
        yield Reason(f"{ends} have the same router id {here.value(mine, 'bgp', 'router-id')}")
    families = _families(here.blocks[mine], it), _families(there.blocks[theirs], me)
    if all(families) and not families[0] & families[1]:
        said = [" and ".join(sorted(each)) for each in families]
        yield Reason(f"{name} speaks {said[0]} of BGP with {one.node}, and {one.node} {said[1]} with it")


def _shut(at: str, other: str) -> Reason:
    return Reason(f"the BGP session with {other} is shut down at {at}")


def _said(name: str, one: PlannedNeighbor, known: Answers, session: Mapping[str, object]) -> Iterator[Reason]:
    """FRR's own last words about a session."""
    last = session.get("lastNotificationReason") or session.get("lastResetDueTo")
    if last:
        yield Reason(f"the last BGP session of {name} with {one.node} ended by: {last}", final=False)


def _bgp(known: Answers, vrf: str) -> str:
    """The block of BGP in a VRF, "" where there is none."""
    for block in known.blocks:
        words = block.split()
        if words[:2] == ["router", "bgp"] and (words[4] if "vrf" in words[3:4] else "") == vrf:
            return block
    return ""


def _families(lines: tuple[Line, ...], peer: str) -> set[str]:
    return {line.family for line in lines if line.words == ("neighbor", peer, "activate")}


def _may_be_far(known: Answers, block: str, one: PlannedNeighbor) -> bool:
    words = ("ebgp-multihop", "disable-connected-check", "ttl-security")
    return any(known.says(block, "neighbor", str(one.address), word) for word in words)


def _on_link(node: PlannedNode, one: PlannedNeighbor) -> bool:
    links = (network for nic in node.nics for network in nic.networks())
    return one.address.is_link_local or any(
        one.address.version == network.version and one.address in network for network in links
    )
