"""Reads `rules.yml`: a network, policies, and what a headend makes of them step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from ipaddress import IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any

import yaml

from srv6lab.srv6.policy import paths
from srv6lab.srv6.policy.binding_sid import SidSpace
from srv6lab.srv6.policy.identity import CandidateId, Originator, PolicyId
from srv6lab.srv6.policy.segments import Segment, parse
from srv6lab.srv6.policy.shares import linux_weights
from srv6lab.srv6.policy.sr_db import KnownSid, Link, Node, SrDb
from srv6lab.srv6.policy.state import NOTHING, Before, PolicyState, States, compute
from srv6lab.srv6.policy.view import View

FILE = Path(__file__).with_name("rules.yml")
NODES = {"h": 1, "m": 2, "n": 3, "e": 4, "r": 5}
CABLES = {"h-m": 10, "h-n": 10, "m-e": 10, "n-e": 10, "m-n": 100}
HEADEND, ENDPOINT = IPv6Address("fc00:1::1"), "fc00:4::1"
SIDS = {name.upper(): f"fc00:{number}::a" for name, number in NODES.items()}
SIDS |= {"S": "fc00:4::77", "X": "2001:db8::77"}


def _ends() -> Iterator[tuple[str, str, int]]:
    """The two directions of each cable, with the number of the NIC at the near end."""
    nics: dict[str, int] = {}
    for cable in CABLES:
        for near, far in (cable.split("-"), reversed(cable.split("-"))):
            nics[near] = nics.get(near, 0) + 1
            yield near, far, nics[near]


SIDS |= {f"{near}{far}".upper(): f"fc00:{NODES[near]}::{NODES[far]:x}" for near, far, _ in _ends()}
NAMES = {IPv6Address(sid): name for name, sid in SIDS.items()}


def network(changed: Mapping[str, Mapping[str, Any]], down: list[str]) -> SrDb:
    """The SR database of the file's head, with what a step changes; `changed` by cable, in both directions."""
    links = {}
    numbers = {(near, far): number for near, far, number in _ends()}
    for (near, far), number in numbers.items():
        cable = f"{near}-{far}" if f"{near}-{far}" in CABLES else f"{far}-{near}"
        prefix = f"2001:{''.join(str(NODES[node]) for node in cable.split('-'))}::"
        of = changed.get(cable, {})
        links[near, far] = Link(
            near,
            far,
            IPv6Address(f"{prefix}{NODES[near]}"),
            IPv6Address(f"{prefix}{NODES[far]}"),
            number,
            numbers[far, near],
            igp_metric=of.get("igp_metric", CABLES[cable]),
            te_metric=of.get("te_metric", CABLES[cable]),
            delay=of.get("delay", CABLES[cable]),
            affinities=frozenset(of.get("affinities", ())),
            srlgs=frozenset(of.get("srlgs", ())),
        )
    up = tuple(
        one for (near, far), one in links.items() if not {f"{near}-{far}", f"{far}-{near}"} & set(down)
    )
    nodes = tuple(Node(name, (IPv6Network(f"fc00:{number}::/64"),)) for name, number in NODES.items())
    ends = tuple(KnownSid(IPv6Address(SIDS[name.upper()]), name) for name in NODES)
    over = tuple(
        KnownSid(IPv6Address(SIDS[f"{near}{far}".upper()]), near, "End.X", link=link)
        for (near, far), link in links.items()
    )
    return SrDb(nodes, up, ends + over)


def sids(names: str) -> tuple[IPv6Address, ...]:
    return tuple(IPv6Address(SIDS[name]) for name in names.split())


def _segment(written: Any) -> Segment:
    if isinstance(written, str):
        return parse(SIDS[written])
    return parse({key: SIDS.get(value, value) if key == "sid" else value for key, value in written.items()})


def _list(written: Any) -> paths.SegmentList:
    weight = 1
    if isinstance(written, dict):
        ((written, weight),) = written.items()
    segments = written.split() if isinstance(written, str) else written
    return paths.SegmentList(tuple(map(_segment, segments)), weight)


def _originator(text: str) -> Originator:
    asn, _, node = text.partition(":")
    return Originator.of(int(asn), ip_address(node))


def candidate(name: str, written: Mapping[str, Any], number: int) -> paths.CandidatePath:
    """Where a candidate path is written without a discriminator, it has its `number`."""
    path: paths.Explicit | paths.Dynamic | paths.Composite
    if "dynamic" in written:
        given = dict(written["dynamic"])
        metric = paths.Metric[given.pop("metric", "igp").upper()]
        path = paths.Dynamic(metric, **{key: frozenset(value) for key, value in given.items()})
    elif "composite" in written:
        path = paths.Composite(
            tuple(paths.Constituent(color, weight) for color, weight in written["composite"].items())
        )
    else:
        path = paths.Explicit(tuple(map(_list, written["lists"])))
    return paths.CandidatePath(
        path,
        CandidateId(
            written.get("origin", 30),
            _originator(written["originator"]) if "originator" in written else Originator(),
            written.get("discriminator", number),
        ),
        name=name,
        checks=frozenset(paths.Check[one] for one in written.get("checks", ())),
        **{key: written[key] for key in ("preference", "priority") if key in written},
        binding_sid=IPv6Address(written["binding_sid"]) if "binding_sid" in written else None,
    )


@dataclass(frozen=True)
class Case:
    name: str
    says: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]

    def differences(self) -> list[str]:
        """Where what the headend makes of it isn't what was expected."""
        found: list[str] = []
        before: Before = NOTHING
        step: dict[str, Any] = {}
        for number, change in enumerate(self.steps, 1):
            step |= change
            states = run(step, self._numbers(), before)
            before = {id: state.installed for id, state in states.items()}
            for color, expected in change["expect"].items():
                policy = next(state for id, state in states.items() if id.color == color)
                said = spoken(policy, expected)
                found += inconsistent(policy)
                found += [
                    f"step {number}, policy {color}, {key}: {said[key]!r}, not {value!r}"
                    for key, value in expected.items()
                    if said[key] != value
                ]
        return found

    def _numbers(self) -> dict[tuple[int, str], int]:
        """Each candidate path's number in its policy, in the order in which they are written first."""
        found: dict[tuple[int, str], int] = {}
        for step in self.steps:
            for color, written in step.get("policies", {}).items():
                for name in written:
                    found.setdefault((color, name), sum(one == color for one, _ in found))
        return found


def run(step: Mapping[str, Any], numbers: Mapping[tuple[int, str], int], before: Before) -> States:
    def has(key: str, color: int) -> bool:
        return color in step.get(key, ())

    policies = [
        paths.Policy(
            PolicyId(HEADEND, color, ip_address(step.get("endpoint", ENDPOINT))),
            tuple(candidate(name, one, numbers[color, name]) for name, one in written.items()),
            keep_installed=has("keep", color),
            drop_upon_invalid=has("drop", color),
            specified_bsid_only=has("specified_only", color),
        )
        for color, written in step["policies"].items()
    ]
    db = network(step.get("links", {}), step.get("down", []))
    dead = ((policies[0].id.endpoint, sids(names)) for names in step.get("dead", ()))
    view = View("h", db, frozenset(dead))
    taken = {IPv6Address(sid): "an End SID" for sid in step.get("taken", ())}
    return compute(
        policies, view, SidSpace(taken, pool=tuple(map(IPv6Address, step.get("pool", ())))), before
    )


def inconsistent(state: PolicyState) -> list[str]:
    """Every valid path but the active one is left out by one rule, and no other is."""
    left_out = sorted(one.name for one, _ in state.election.left_out)
    valid = sorted(
        one.candidate.name for one in state.candidates if one.valid and one.candidate != state.election.active
    )
    return [] if left_out == valid else [f"left out are {left_out}, and valid but not active {valid}"]


def spoken(state: PolicyState, expected: Mapping[str, Any]) -> dict[str, Any]:
    """A state as a case writes it."""
    flows = {" ".join(NAMES[sid] for sid in flow.sids): flow.share for flow in state.flows}
    said: dict[str, Any] = {
        "active": state.election.active.name if state.election.active else None,
        "by": state.election.chosen_by.name,
        "action": state.action.name,
        "flows": {names: _number(share) for names, share in flows.items()},
        "why": {name: _why(state, name) for name in expected.get("why", ())},
        "lists": {
            one.candidate.name: [[fault.rule.name for fault in each.faults] for each in one.lists]
            for one in state.candidates
            if one.candidate.name in expected.get("lists", ())
        },
    }
    said["binding_sid"] = str(state.binding.sid) if state.binding.sid else None
    said["bound_by"] = state.binding.chosen_by.name
    said["alerts"] = len(state.binding.alerts)
    if "reasons" in expected:
        by_name = {one.candidate.name: one.candidate for one in state.candidates}
        said["reasons"] = {name: state.reason(by_name[name]) for name in expected["reasons"]}
    if "faults" in expected:
        said["faults"] = {
            one.candidate.name: [str(fault) for each in one.lists for fault in each.faults]
            for one in state.candidates
            if one.candidate.name in expected["faults"]
        }
    if "linux" in expected:
        found = linux_weights([flow.share for flow in state.flows])
        said["linux"] = [list(found.weights), _number(found.error)]
    return said


def _why(state: PolicyState, name: str) -> Any:
    """The rule by which a valid path was left out, or the faults of an invalid one."""
    one = next(one for one in state.candidates if one.candidate.name == name)
    if one.faults:
        return [fault.rule.name for fault in one.faults]
    return dict(state.election.left_out)[one.candidate].name


def _number(share: Fraction) -> int | str:
    return int(share) if share.denominator == 1 else f"{share.numerator}/{share.denominator}"


def book() -> tuple[Mapping[str, str], tuple[Case, ...]]:
    document = yaml.safe_load(FILE.read_text("utf-8"))
    sentences = {str(key): value for key, value in document["sentences"].items()}
    cases = (
        Case(one["name"], tuple(map(str, one["says"])), tuple(one["steps"])) for one in document["cases"]
    )
    return sentences, tuple(cases)


def failing() -> list[str]:
    """The names of the cases that the code has wrong, or can't do."""
    found = []
    for case in book()[1]:
        try:
            wrong = bool(case.differences())
        except Exception:  # a mutant may do anything
            wrong = True
        if wrong:
            found.append(case.name)
    return found
