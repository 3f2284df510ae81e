"""What is suspected of a node's VRF, asked where it is: in the kernel's, or in the network namespace that stands for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.plan.nodes import PlainVrf, Plan, PlannedNode, PlannedSid

# How the namespace's route of a SID is bound: its main table is the VRF's.
_INSIDE: Mapping[str, str] = {"End.DT4": "End.DX4", "End.DT46": "End.DT6"}

_BOTH = ("sid-in-no-vrf", "policy-in-main-table")  # whose commands ask both


def asked_in_vrfs(plan: Plan, suspects: Iterable[Suspect]) -> Iterator[Suspect]:
    """What concerns a VRF is asked of it, and before that whether its NIC is in it: a NIC at the other end may be down
    because of that. In a VPN of BGP, which may have a namespace of its own, nobody sees whether a NIC is up."""
    nodes = {node.name: node for node in plan.nodes}
    plain = {(node.name, vrf.name): vrf for node in plan.nodes for vrf in node.vrfs}
    ends = {nic.point: nic for nic in plan.nics()}
    for one in suspects:
        node, about = nodes.get(one.node), dict(one.about)
        nic = next((nic for nic in node.nics if nic.name == about.get("nic")), None) if node else None
        far = ends.get(nic.peer) if nic and one.cause == "nic-down" else None
        for end in filter(None, (nic, far)):
            if (end.point.node, end.vrf) in plain:
                yield suspect("nic-out-of-vrf", end.point.node, nic=end.name, vrf=end.vrf)
        if vrf := plain.get((one.node, about.get("vrf") or (nic.vrf if nic else ""))):
            yield one if one.cause in _BOTH else _asked(one, vrf)
        elif not (nic and nic.vrf):
            yield one


def passed(node: PlannedNode, came: Hop | None, out: Hop) -> tuple[str, ...]:
    """The VRFs of a node that a packet came in by, or left by."""
    points = {hop.point for hop in (came, out) if hop is not None}
    return tuple(dict.fromkeys(nic.vrf for nic in node.nics if nic.point in points and nic.vrf))


def asked_of_each(suspects: Iterable[Suspect], vrfs: Sequence[str]) -> Iterator[Suspect]:
    """What may be so in the main table or in a VRF, asked of both; rules are the node's."""
    for one in suspects:
        yield one
        of = vrfs if one.cause != "policy-rule" else ()
        yield from (replace(one, about=(*one.about, ("vrf", name))) for name in of)


def _asked(one: Suspect, vrf: PlainVrf) -> Suspect:
    """The same command inside of the VRF."""
    table = str(vrf.table)
    inside = ["ip", "netns", "exec", vrf.name, *("main" if word == table else word for word in one.argv)]
    own = [*one.argv]
    if own[2:4] == ["route", "get"]:
        own += ["vrf", vrf.name]
    elif own[2:3] == ["route"] and table not in own:
        own += ["table", table]
    if not own:
        return one
    script = f"if [ -e /run/netns/{vrf.name} ]; then exec {shlex.join(inside)}; fi; exec {shlex.join(own)}"
    return replace(one, argv=("sh", "-c", script))


def of_sid(node: PlannedNode, sid: PlannedSid) -> Iterator[Suspect]:
    """A SID that isn't there, or that looks into another table than its VRF's."""
    vrf, name = next(vrf for vrf in node.vrfs if vrf.name == sid.vrf), sid.behavior.name
    word = "vrftable" if sid.behavior.takes else "table"
    yield suspect(
        "sid-in-no-vrf",
        node.name,
        sid=sid.sid,
        prefix=sid.prefix,
        behavior=name,
        vrf=vrf.name,
        own=f"action {name} {word} {vrf.table}",
        inside=f"action {_INSIDE.get(name, name)}",
    )


def of_policy(node: PlannedNode, about: Mapping[str, object]) -> Iterator[Suspect]:
    """A policy that is in the main table, where what comes in by a NIC of the VRF isn't looked up."""
    if name := about.get("vrf"):
        vrf = next(vrf for vrf in node.vrfs if vrf.name == name)
        known = {key: about[key] for key in ("version", "prefix", "vrf")}
        yield suspect("policy-in-main-table", node.name, **known, table=vrf.table)
