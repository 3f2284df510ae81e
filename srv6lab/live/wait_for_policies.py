"""What the agents of headends have elected, and waiting until it is what the model elects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from srv6lab.agent import FOLDER as FOLDER
from srv6lab.called import CALLED
from srv6lab.errors import MachineError, NodeError
from srv6lab.host.progress import Progress
from srv6lab.host.waiting import wait_until
from srv6lab.live.instance import Instance
from srv6lab.plan.actions import after
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions import Action

if TYPE_CHECKING:
    from srv6lab.predict.policy_routes import Elected

PATIENCE, SHORT_PATIENCE, NO_PATIENCE = 20.0, 5.0, 1.5
_INTERVAL = 0.1
_STOPPED = "State:\tT (stopped)\n"
_ASK = f'grep -s "^State:.T" "/proc/$(cat {FOLDER}/pid)/status"; cat {FOLDER}/state.json'
# An agent that Day0 has just started doesn't catch the signal yet, and would end by it. What it has said is to be said
# again before anybody believes it.
_FORGET = f"""pid=$(cat {FOLDER}/pid)
for try in $(seq 50); do
  if grep -qs '^SigCgt:.*[2367abef]..$' "/proc/$pid/status"; then
    sed -i 's/"installed": true/"installed": false/' {FOLDER}/state.json
    kill -USR1 "$pid"
    exit
  fi
  sleep 0.1
done"""
Told = Mapping[str, Any]


def look(lab: Instance, node: str) -> Told | None:
    """What the agent of a node says of its policies, with `stopped` if it can't say anything new; None where it has
    said nothing yet."""
    answer = lab.exec(node, ["sh", "-c", _ASK], timeout=10)
    _, stopped, said = answer.stdout.rpartition(_STOPPED)
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found | ({"stopped": True} if stopped else {}) if isinstance(found, dict) else None


def expected(plan: Plan, actions: Sequence[Action] = ()) -> dict[str, Told]:
    """What the agent of every headend would say by the model, but for its routes; nothing of one whose probes meet a
    node that isn't modeled, nor of one that can't install the route without its policies, whose NIC is down."""
    if not any(node.headend for node in plan.nodes):
        return {}
    from srv6lab.predict.policies import elect

    down = after(plan, actions).down
    unable = {
        node.name
        for node in plan.nodes
        for one in (node.headend.steered if node.headend else ())
        if any(nic.name in one.otherwise and nic.point in down for nic in node.nics)
    }
    elected = elect(plan, actions)
    return {node: told_by(one) for node, one in elected.items() if not one.unknown and node not in unable}


def told_by(one: Elected) -> Told:
    from srv6lab.agent.report import report

    return report(one.states, {})


def wait(
    lab: Instance, plan: Plan, actions: Sequence[Action] = (), patience: float = PATIENCE
) -> list[tuple[str, str]] | None:
    """Until every headend has elected and installed what the model says, or can't; what differs in the end, each with
    its node. None for a lab without policies."""
    wanted = expected(plan, actions)
    if not wanted:
        return None
    found: list[tuple[str, str]] = []

    def agree() -> bool:
        found.clear()
        stuck = set()
        for node, model in wanted.items():
            try:
                told = look(lab, node)
            except MachineError as error:
                found.append((node, f"the agent of {node} can't be asked: {error.what.split(': ')[0]}"))
                continue
            found.extend((node, what) for what in astray(node, model, told))
            stuck |= {node} if told and told.get("stopped") else set()
        return all(node in stuck for node, _ in found)

    wait_until(agree, patience, _INTERVAL)
    return found


def begin_anew(lab: Instance, plan: Plan) -> None:
    """Of a lab whose file was edited every headend elects as in a new one. Else a policy would keep the binding SID that it
    had (RFC 9256 section 6.2), and of paths that are equal the one that was active (section 2.9)."""
    for node in plan.nodes:
        if node.headend:
            lab.exec(node.name, ["sh", "-c", _FORGET], timeout=10)


def up(lab: Instance, plan: Plan, progress: Progress, patience: float = PATIENCE) -> None:
    """Wait for a lab that has just come up; NodeError with what its headends elected instead."""
    found = wait(lab, plan, patience=patience)
    if found:
        lines = ["its headends have not elected what they should", *(f"  {what}" for _, what in found)]
        mend = f"the lab is still up: {CALLED} policy {plan.running}, {CALLED} check {plan.running}"
        raise NodeError("\n".join(lines), mend)
    if found is not None:
        progress("headends have elected")


def astray(node: str, wanted: Told, told: Told | None) -> Iterator[str]:
    """What of a headend's policies isn't as the model has it, in words."""
    if told is None:
        yield f"{node} has elected nothing yet"
        return
    if told.get("stopped"):
        yield f"the agent of {node} doesn't answer: it is stopped"
    known = {(one["color"], one["endpoint"]): one for one in told["policies"]}
    for policy in wanted["policies"]:
        name = f"policy {policy['color']} to {policy['endpoint']} of {node}"
        one = known.get((policy["color"], policy["endpoint"]))
        if one is None:
            yield f"{name} isn't there"
        elif _decision(one) != _decision(policy):
            yield f"{name} has {_words(one)}; the model has {_words(policy)}{_faults(one)}"
    if not told.get("installed", True):
        missing = [" ".join(one["route"]) for one in told["routes"] if one["behind"] == ["unknown"]]
        yield f"{node} has not installed {', '.join(missing) or 'what it elected'}"


def _decision(policy: Told) -> tuple[Any, ...]:
    flows = sorted((flow["segments"], flow["share"]) for flow in policy["flows"])
    return policy["action"], policy["active"], flows, policy["binding_sid"]


def _words(policy: Told) -> str:
    lists = [f"{', '.join(flow['segments'])} ({flow['share']})" for flow in policy["flows"]]
    return " and ".join(lists) if lists else f"no valid path ({policy['action']})"


def _faults(policy: Told) -> str:
    faults = [
        fault
        for candidate in policy["candidate_paths"]
        for one in candidate["segment_lists"]
        for fault in one["faults"]
    ]
    return f": {'; '.join(dict.fromkeys(faults))}" if faults else ""
