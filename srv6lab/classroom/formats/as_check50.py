"""What check50 prints with `--output json`: one object for one hand-in, a list of them for several. Of a part that nothing
was handed in of, `passed` is null, as for a check that can't be made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from srv6lab.classroom.formats.words import lost_of
from srv6lab.classroom.marks import Marks
from srv6lab.evidence.score import Part, Score
from srv6lab.host.version import version


def marks(group: str, every: Sequence[Marks]) -> str:
    found = [_report(group, one) for one in every]
    return json.dumps(found[0] if len(found) == 1 else found, indent=1, ensure_ascii=False) + "\n"


def _report(group: str, one: Marks) -> dict[str, Any]:
    whose = "/".join(filter(None, (group, one.learner, one.lab)))
    report: dict[str, Any] = {"slug": whose, "results": [], "version": version()}
    for score in one.scores:
        report["results"] += [_result(score, part) for part in score.parts]
    if one.why:
        report["error"] = {"type": one.status, "value": one.why, "traceback": [], "actions": {}, "data": {}}
    return report


def _result(score: Score, part: Part) -> dict[str, Any]:
    full = part.points == part.of
    return {
        "name": f"{score.exercise}-{part.name}".replace("-", "_"),
        "description": f"{score.exercise}: {part.name}",
        "passed": full,
        "log": list(score.reasons),
        "cause": None if full else {"rationale": lost_of(part), "help": None},
        "data": {"points": float(part.points), "of": part.of},
        "dependency": None,
    }
