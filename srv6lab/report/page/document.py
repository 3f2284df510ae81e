"""A lab's walks as the one JSON document that the page is made of. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from srv6lab.plan.nodes import Plan
from srv6lab.report.page import tables
from srv6lab.report.page.picture import names, picture, sids
from srv6lab.report.page.shown import Shown
from srv6lab.report.page.walks import probes, probes_json

SCHEMA = 1


def document(plan: Plan, shown: Sequence[Shown], made: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """`made` says by which version, under which provider and when; `kind` is "check" or "prediction"."""
    return {
        "schema": SCHEMA,
        "lab": plan.name,
        "description": plan.description,
        "kind": kind,
        "made": dict(made),
        "picture": picture(plan),
        "sids": sids(plan),
        "names": names(plan),
        "exercises": [_exercise(plan, one) for one in shown],
    }


def _exercise(plan: Plan, shown: Shown) -> dict[str, Any]:
    exercise = plan.exercise(shown.name)[1]
    walked = probes(plan, shown)
    verdict = shown.verdict or {}
    return {
        "name": shown.name,
        "description": exercise.description,
        "status": verdict.get("status"),
        "seconds": shown.seconds,
        "when": shown.when or None,
        "note": shown.note or None,
        "probes": probes_json(plan, shown, walked),
        "items": verdict.get("items", []),
        "suspects": verdict.get("suspects", []),
        "counters": tables.counters(plan, shown),
        "alerts": tables.alerts(shown),
        "proxies": tables.proxies(plan, walked),
        "messages": tables.messages(shown),
        "policies": [],
    }
