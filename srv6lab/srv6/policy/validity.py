"""Whether a candidate path is valid (RFC 9256 sections 2.8 and 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .computation import NoSolution, solve
from .faults import Fault, Rule
from .identity import PolicyId
from .lists import ListState, dead, judge_list
from .paths import CandidatePath, Check, Composite, Constituent, Dynamic, Explicit, Policy
from .view import View

Others = Mapping[PolicyId, tuple[Policy, bool]]  # each with whether it is valid


@dataclass(frozen=True)
class CandidateState:
    """A candidate path at a headend. Of a composite path, `constituents` are those whose policies are valid."""

    candidate: CandidatePath
    lists: tuple[ListState, ...] = ()
    constituents: tuple[Constituent, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.faults


def judge(policy: PolicyId, candidate: CandidatePath, view: View, others: Others) -> CandidateState:
    """A candidate path with all that is wrong with it and with its lists; `others` are the headend's policies."""
    path = candidate.path
    if isinstance(path, Explicit):
        return _explicit(policy, candidate, path, view)
    if isinstance(path, Dynamic):
        return _dynamic(policy, candidate, path, view)
    return _composite(policy, candidate, path, others)


def _explicit(policy: PolicyId, candidate: CandidatePath, path: Explicit, view: View) -> CandidateState:
    lists = tuple(judge_list(one, policy, candidate.checks, view) for one in path.lists)
    return CandidateState(candidate, lists, faults=tuple(_explicit_faults(path, candidate.checks, lists)))


def _explicit_faults(
    path: Explicit, checks: frozenset[Check], lists: tuple[ListState, ...]
) -> Iterator[Fault]:
    if not any(one.valid for one in lists):
        yield Fault(Rule.NO_LIST, "none of its segment lists is valid" if lists else "it has no segment list")
    planes = {segment.type.data_plane.value for one in path.lists for segment in one.segments}
    if Check.DATA_PLANES in checks and len(planes) > 1:
        yield Fault(Rule.DATA_PLANES, f"its segment lists are of {' and of '.join(sorted(planes))}")


def _dynamic(policy: PolicyId, candidate: CandidatePath, path: Dynamic, view: View) -> CandidateState:
    answer = solve(path, view.db, view.node, policy.endpoint, view.forest)
    if isinstance(answer, NoSolution):
        return CandidateState(candidate, faults=(Fault(Rule.NO_SOLUTION, answer.why),))
    found = ListState(answer.sids, 1, tuple(dead(answer.sids, policy, view)))
    return CandidateState(candidate, (found,), faults=found.faults)


def _composite(policy: PolicyId, candidate: CandidatePath, path: Composite, others: Others) -> CandidateState:
    valid: list[Constituent] = []
    faults: list[Fault] = []
    for one in path.constituents:
        other, is_valid = others.get(PolicyId(policy.headend, one.color, policy.endpoint), (None, False))
        if other is not None and other.is_composite:
            faults.append(
                Fault(Rule.CONSTITUENT, f"its constituent of color {one.color} is composite itself")
            )
        elif is_valid:
            valid.append(one)
    if not valid:
        faults.append(Fault(Rule.NO_CONSTITUENT, "none of its constituent policies is valid"))
    return CandidateState(candidate, constituents=tuple(valid), faults=tuple(faults))
