"""What a headend makes of its policies (RFC 9256 sections 2.9 to 2.12, 6 and 7): a function of all that it knows.

Section 2.9 wants the selection again whenever anything changes: so this is called again, with what it installed
before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from ipaddress import IPv6Address
from types import MappingProxyType

from .binding_sid import Binding, BoundBy, SidSpace, bind, specified_only
from .election import Election, elect
from .faults import Fault, Rule
from .identity import CandidateId, PolicyId
from .paths import CandidatePath, Policy, in_order_of_priority
from .shares import shares
from .validity import CandidateState, judge
from .view import Sids, View


class Action(Enum):
    """What becomes of traffic that is steered into a policy (sections 2.11, 8.1 and 8.2)."""

    STEER = "over the active candidate path"
    FORWARD = "as without the policy"
    DROP = "dropped"


@dataclass(frozen=True)
class Flow:
    """The share of a policy's flows that goes over one list of SIDs."""

    sids: Sids
    share: Fraction


@dataclass(frozen=True)
class Installed:
    """What a policy has in the forwarding plane: its active candidate path, and its binding SID."""

    candidate: CandidateId | None = None
    binding_sid: IPv6Address | None = None


@dataclass(frozen=True)
class PolicyState:
    """A policy at a headend: every candidate path, the choice among them, its binding SID, and the flows that
    are to be installed, none where it isn't valid."""

    policy: Policy
    candidates: tuple[CandidateState, ...]
    election: Election
    binding: Binding
    flows: tuple[Flow, ...] = ()

    @property
    def valid(self) -> bool:
        """With at least one valid candidate path (section 2.10)."""
        return self.election.active is not None

    @property
    def installed(self) -> Installed:
        """What the next computation has to know of this one."""
        active = self.election.active
        return Installed(active.id if active else None, self.binding.sid)

    @property
    def action(self) -> Action:
        if self.valid:
            return Action.STEER
        return Action.DROP if self.policy.drop_upon_invalid else Action.FORWARD

    def reason(self, candidate: CandidatePath) -> str:
        """Why a candidate path is active, or isn't (section 7)."""
        if candidate == self.election.active:
            return f"active: {self.election.chosen_by}"
        left_out = dict(self.election.left_out)
        if candidate in left_out:
            return f"valid, but not {left_out[candidate]}"
        state = next(one for one in self.candidates if one.candidate == candidate)
        return f"invalid: {'; '.join(map(str, state.faults))}"


States = Mapping[PolicyId, PolicyState]
Before = Mapping[PolicyId, Installed]
NOTHING: Before = MappingProxyType({})


def compute(policies: Iterable[Policy], view: View, space: SidSpace, before: Before = NOTHING) -> States:
    """The state of every policy, in the order in which they were computed: by priority, but constituents
    before what they make up. `before` is what was installed so far."""
    ordered = in_order_of_priority(policies)
    known = {policy.id: (policy, False) for policy in ordered}
    if len(known) < len(ordered):
        raise ValueError("two policies have one identity")
    found: dict[PolicyId, PolicyState] = {}
    for policy in sorted(ordered, key=lambda policy: policy.is_composite):
        candidates = [judge(policy.id, one, view, known) for one in policy.candidates]
        others = _others(policy.id, known, found, before)
        last = before.get(policy.id, Installed())
        state = _state(policy, candidates, replace(space, taken={**space.taken, **others}), last)
        found[policy.id] = replace(state, flows=_flows(state, found))
        known[policy.id] = (policy, state.valid)
    return found


def _others(me: PolicyId, known: Iterable[PolicyId], found: States, before: Before) -> dict[IPv6Address, str]:
    """The binding SIDs of other policies: of those that were not computed yet, the ones that they had."""
    others = {one: found[one].installed if one in found else before.get(one) for one in known if one != me}
    return {one.binding_sid: f"policy {id}" for id, one in others.items() if one and one.binding_sid}


def _state(policy: Policy, candidates: list[CandidateState], space: SidSpace, last: Installed) -> PolicyState:
    """Without its flows. A path that becomes active without the binding SID that it has to have is invalid, and
    the next is tried (section 6.2.3)."""
    alerts: list[str] = []
    while True:
        valid = (one.candidate for one in candidates if one.valid)
        election = elect(valid, last.candidate if policy.keep_installed else None)
        active = election.active
        if active is None or not policy.specified_bsid_only or not (why := specified_only(active, space)):
            break
        alerts.append(f"candidate path {active}: {why}")
        fault = Fault(Rule.BINDING_SID, why)
        candidates = [replace(one, faults=(fault,)) if one.candidate == active else one for one in candidates]
    held = last.binding_sid
    binding = bind(active, space, held) if active else Binding(held, BoundBy.KEPT if held else BoundBy.NONE)
    binding = replace(binding, alerts=(*alerts, *binding.alerts))
    return PolicyState(policy, tuple(candidates), election, binding)


def _flows(state: PolicyState, found: States) -> tuple[Flow, ...]:
    """Over the valid lists of the active path by their weights; of a composite path, over the lists of each
    valid constituent by its weight and theirs (section 2.11)."""
    active = next((one for one in state.candidates if one.candidate == state.election.active), None)
    if active is None:
        return ()
    if active.constituents:
        me = state.policy.id
        parts = [found[PolicyId(me.headend, one.color, me.endpoint)].flows for one in active.constituents]
        of_each = shares([one.weight for one in active.constituents])
        return tuple(
            Flow(flow.sids, flow.share * share) for flows, share in zip(parts, of_each) for flow in flows
        )
    lists = [one for one in active.lists if one.valid]
    of_each = shares([one.weight for one in lists])
    return tuple(Flow(one.sids, share) for one, share in zip(lists, of_each))
