"""What an agent says of its policies (RFC 9256 section 7): plain values, for JSON."""

from __future__ import annotations

from typing import Any

from ..srv6.policy.shares import linux_weights
from ..srv6.policy.state import PolicyState, States
from ..srv6.policy.validity import CandidateState
from .routes import Routes


def report(states: States, routes: Routes) -> dict[str, Any]:
    """Every policy with its candidate paths and the rule that chose among them, and every route."""
    return {
        "policies": [_policy(state) for state in states.values()],
        "routes": [{"route": list(route), "behind": list(behind)} for route, behind in routes.items()],
    }


def _policy(state: PolicyState) -> dict[str, Any]:
    active = state.election.active
    weights = linux_weights([flow.share for flow in state.flows]) if state.flows else None
    return {
        "color": state.policy.id.color,
        "endpoint": str(state.policy.id.endpoint),
        "name": state.policy.name,
        "priority": state.policy.effective_priority,
        "action": state.action.name.lower(),
        "active": [active.id.protocol_origin, str(active.id.originator.value), active.id.discriminator]
        if active
        else None,
        "chosen_by": str(state.election.chosen_by),
        "binding_sid": str(state.binding.sid) if state.binding.sid else None,
        "bound_by": str(state.binding.chosen_by),
        "alerts": list(state.binding.alerts),
        "candidate_paths": [_candidate(state, one) for one in state.candidates],
        "flows": [
            {"segments": list(map(str, flow.sids)), "share": str(flow.share), "weight": weight}
            for flow, weight in zip(state.flows, weights.weights if weights else ())
        ],
        "weight_error": str(weights.error) if weights else "0",
    }


def _candidate(state: PolicyState, one: CandidateState) -> dict[str, Any]:
    return {
        "name": one.candidate.name,
        "id": str(one.candidate.id),
        "preference": one.candidate.preference,
        "state": state.reason(one.candidate),
        "segment_lists": [
            {
                "segments": list(map(str, each.sids)),
                "weight": each.weight,
                "faults": list(map(str, each.faults)),
            }
            for each in one.lists
        ],
    }
