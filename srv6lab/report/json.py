"""Verdicts for a program. `schema` counts up when a field changes its meaning."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from srv6lab.evidence.verdict import Item, Suspect, Verdict


def verdicts_json(verdicts: Sequence[Verdict]) -> str:
    """A list of verdicts: exercise, status, items with the words of every witness."""
    return json.dumps([verdict_json(verdict) for verdict in verdicts], indent=2) + "\n"


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """One of them."""
    return {
        "schema": verdict.schema,
        "exercise": verdict.exercise,
        "status": verdict.status,
        "items": [_item(item) for item in verdict.items],
        "suspects": [_suspect(one) for one in verdict.suspects],
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "status": item.status,
        "point": str(item.point) if item.point else None,
        "direction": item.direction,
        "field": item.field,
        "expected": item.expected,
        "predicted": item.predicted,
        "captured": item.captured,
        "alone": item.alone,
        "location": str(item.location) if item.location else None,
        "note": item.note,
        "quirks": list(item.quirks),
        "probe": item.probe or None,
    }


def _suspect(one: Suspect) -> dict[str, Any]:
    return {
        "cause": one.cause,
        "node": one.node,
        "what": one.what,
        "command": shlex.join(one.argv),
        "proven": one.proven,
        "mend": one.mend,
    }
