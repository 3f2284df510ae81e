"""SR policies of a lab's headends, as their agents or the model tell of them: for a person, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Told = Mapping[str, Mapping[str, Any]]  # what each headend says


def policies_json(told: Told, source: str) -> str:
    headends = [{"headend": node, "source": source, **said} for node, said in told.items()]
    return json.dumps(headends, indent=2) + "\n"


def policies_text(told: Told, source: str) -> str:
    if not told:
        return "no policies\n"
    lines = [f"as {source} has it"]
    for node, said in told.items():
        for policy in said["policies"]:
            lines += _policy(node, policy)
    return "\n".join(lines) + "\n"


def _policy(node: str, policy: Mapping[str, Any]) -> Iterator[str]:
    name = f" {policy['name']}" if policy["name"] else ""
    yield f"{node} <{policy['color']}, {policy['endpoint']}>{name}: {_ACTIONS[policy['action']]}"
    if policy["binding_sid"]:
        yield f"  binding SID {policy['binding_sid']}: {policy['bound_by']}"
    yield from (f"  alert: {alert}" for alert in policy["alerts"])
    for candidate in policy["candidate_paths"]:
        called = f"{candidate['name']} " if candidate["name"] else ""
        yield f"  candidate {called}{candidate['id']}, preference {candidate['preference']}: {candidate['state']}"
        for one in candidate["segment_lists"]:
            faults = f": {'; '.join(one['faults'])}" if one["faults"] else ""
            yield f"    [{', '.join(one['segments'])}] weight {one['weight']}{faults}"
    for flow in policy["flows"]:
        yield f"  {flow['share']} of its flows over {', '.join(flow['segments'])}, weight {flow['weight']} in Linux"
    if policy["weight_error"] != "0":
        yield f"  Linux's weights are off by {policy['weight_error']} at most"


_ACTIONS = {"steer": "valid", "forward": "invalid, as without it", "drop": "invalid, dropped"}
