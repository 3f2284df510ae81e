"""What the page has in tables: counters, alerts, what SR proxies take in and give out, messages, policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from srv6lab.evidence.packets import Direction
from srv6lab.plan.nodes import Plan
from srv6lab.report.page.follow import Step
from srv6lab.report.page.shown import Shown
from srv6lab.report.page.stages import stages, words
from srv6lab.report.page.walks import Walked, look
from srv6lab.report.walk import HEADINGS, row
from srv6lab.topology.exercises import Probe


def counters(plan: Plan, shown: Shown) -> list[dict[str, Any]]:
    """Of firewalls and SR proxies, and of whatever else was counted: what had to be, and what was."""
    if shown.verdict is None:
        expected = plan.exercise(shown.name)[1].expect.counters
        return [
            _counter(f"firewall {one.firewall}" if one.firewall else f"sid {one.sid}", str(one.packets))
            for one in expected
        ]
    return [
        _counter(one["field"], one["expected"], one["captured"], one["status"])
        for one in shown.verdict["items"]
        if one["kind"] == "counter"
    ]


def _counter(
    what: str, expected: str | None, seen: str | None = None, status: str | None = None
) -> dict[str, Any]:
    return {"what": what, "expected": expected, "seen": seen, "status": status}


def alerts(shown: Shown) -> list[dict[str, Any]]:
    """Those that look alike are one, with how many there were."""
    return [
        {
            "service": one.service,
            "signature": one.signature,
            "source": one.source,
            "destination": one.destination,
            "tunnel": f"{one.tunnel_source} → {one.tunnel_destination}" if one.tunnel_source else None,
            "count": count,
        }
        for one, count in Counter(shown.observed.alerts).items()
    ]


def messages(plan: Plan, shown: Shown) -> list[dict[str, Any]]:
    """Those of routing protocols that are judged: what was seen of each, or what is expected where nothing was run."""
    expected = plan.exercise(shown.name)[1].expect.control
    if shown.verdict is None:
        return [_message(str(one.point), one.direction, one.protocol, None, None) for one in expected]
    protocols = sorted({one.protocol for one in expected}, key=len, reverse=True)
    return [
        _message(item["point"], item["direction"], protocol, _said(item), item["status"])
        for item in shown.verdict["items"]
        if item["kind"] in _OF_MESSAGES and item["point"] and not item["probe"]
        for protocol in [_protocol(item, protocols)]
        if protocol
    ]


_OF_MESSAGES = ("message", "missing", "field", "sids")


def _message(at: str, direction: str, protocol: str, words: str | None, status: str | None) -> dict[str, Any]:
    return {"at": at, "direction": str(direction), "protocol": protocol, "words": words, "status": status}


def _protocol(item: Mapping[str, Any], protocols: Sequence[str]) -> str:
    """That of an item: its field's name begins with it, or what was expected does."""
    said = item["field"] or item["expected"] or ""
    return next((one for one in protocols if said.startswith(one)), "")


def _said(item: Mapping[str, Any]) -> str | None:
    if item["kind"] == "message":
        return str(item["captured"])
    words = "expected {expected}, captured {captured}".format_map(item)
    return words if item["kind"] == "missing" else f"{item['field']}: {words}"


def proxies(plan: Plan, walked: Walked) -> list[dict[str, Any]]:
    """What an SR proxy takes in and gives out: the packet before and behind each of its two halves."""
    known = {proxy.behavior.name for node in plan.nodes for proxy in node.proxies}
    tables: dict[tuple[str, str, str], dict[str, Any]] = {}
    for probe, walks in walked:
        for walk in walks:
            for index, step in enumerate(walk.steps[1:], 1):
                acting = known & {*(step.model.behaviors if step.model else ())}
                if acting and step.spot[1] is Direction.OUT:
                    behavior, node = min(acting), step.spot[0].node
                    table = tables.setdefault((probe.id, behavior, node), _table(plan, probe, behavior, node))
                    table["rows"] += [_row(walk.steps, index - 1), _row(walk.steps, index)]
    for table in tables.values():
        seen = [row.pop("seen") for row in table["rows"]]
        table["witness"] = "captured" if all(seen) else "predicted"
    return list(tables.values())


def _on_the_wire(steps: Sequence[Step], index: int) -> Step:
    """The step, or the other end of its wire where only that one was traced."""
    step, out = steps[index], steps[index].spot[1] is Direction.OUT
    other = steps[index + 1 if out else index - 1] if 0 < index < len(steps) - 1 else step
    return step if step.captured or not other.captured or other.spot[1] is step.spot[1] else other


def _table(plan: Plan, probe: Probe, behavior: str, node: str) -> dict[str, Any]:
    sids = [str(one.sid) for one in plan.node(node).proxies if one.behavior.name == behavior]
    return {
        "probe": probe.id,
        "behavior": behavior,
        "node": node,
        "sid": ", ".join(sids),
        "columns": list(HEADINGS),
        "rows": [],
        "witness": "predicted",
    }


def _row(steps: Sequence[Step], index: int) -> dict[str, Any]:
    step = steps[index]
    at = f"{step.spot[0]} {step.spot[1]}"
    shown = _on_the_wire(steps, index)
    return {
        "at": at,
        "before": step.spot[1] is Direction.IN,
        "cells": list(row(at, look(shown))),
        "seen": bool(shown.captured),
    }


def policies(plan: Plan, shown: Shown) -> list[dict[str, Any]]:
    """SR policies with their candidate paths as the model elects them, for each part of an exercise in which that is
    otherwise than before. What a headend elected otherwise in a run is an item of the verdict."""
    if not any(node.headend for node in plan.nodes):
        return []
    from srv6lab.live.wait_for_policies import expected

    found: list[dict[str, Any]] = []
    before: list[dict[str, Any]] = []
    for actions in stages(plan.exercise(shown.name)[1]):
        now = [
            _policy(node, one) for node, said in expected(plan, actions).items() for one in said["policies"]
        ]
        if now != before:
            found += [{"when": words(plan, actions), **one} for one in now]
        before = now
    return found


def _policy(node: str, policy: Mapping[str, Any]) -> dict[str, Any]:
    name = f" {policy['name']}" if policy["name"] else ""
    return {
        "headend": node,
        "policy": f"<{policy['color']}, {policy['endpoint']}>{name}",
        "action": policy["action"],
        "binding_sid": policy["binding_sid"],
        "flows": [{"segments": one["segments"], "share": one["share"]} for one in policy["flows"]],
        "candidates": [_candidate(one) for one in policy["candidate_paths"]],
    }


def _candidate(one: Mapping[str, Any]) -> dict[str, Any]:
    word, _, why = one["state"].partition(":")
    return {
        "name": one["name"] or one["id"],
        "preference": one["preference"],
        "valid": not word.startswith("invalid"),
        "active": word == "active",
        "why": why.strip() or one["state"],
        "lists": [
            {"segments": each["segments"], "weight": each["weight"], "faults": each["faults"]}
            for each in one["segment_lists"]
        ],
    }
