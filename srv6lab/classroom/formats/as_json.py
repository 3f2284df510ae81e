"""All of it, for programs. `tests` of each hand-in is the list that Gradescope reads in results.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from srv6lab.classroom.formats.words import said_of
from srv6lab.classroom.marks import GRADED, Marks
from srv6lab.evidence.score import Score
from srv6lab.host.version import version

SCHEMA = 1


def marks(group: str, every: Sequence[Marks]) -> str:
    found = {
        "schema": SCHEMA,
        "class": group,
        "version": version(),
        "hand_ins": [_hand_in(one) for one in every],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _hand_in(one: Marks) -> dict[str, Any]:
    graded = one.status == GRADED
    return {
        "file": one.file,
        "learner": one.learner,
        "name": one.person or one.learner,
        "lab": one.lab,
        "state": one.state,
        "counts": graded and not one.again,
        "superseded_by": one.again,
        "score": float(one.points) if graded else None,
        "max_score": one.of if graded else None,
        "written": one.written,
        "why": one.why,
        "notes": list(one.notes),
        "suspicions": [{"sure": it.sure, "exercise": it.exercise, "what": it.what} for it in one.suspicions],
        "exercises": [_exercise(score) for score in one.scores],
        "tests": [test(score) for score in one.scores],
    }


def _exercise(score: Score) -> dict[str, Any]:
    return {
        "exercise": score.exercise,
        "points": float(score.points),
        "of": score.of,
        "lost_by_help": float(score.lost),
        "reasons": list(score.reasons),
        "parts": [
            {"name": part.name, "points": float(part.points), "of": part.of, "reason": part.reason}
            for part in score.parts
        ],
    }


def test(score: Score) -> dict[str, Any]:
    """An exercise as an entry of Gradescope's `tests`."""
    return {
        "name": score.exercise,
        "score": float(score.points),
        "max_score": score.of,
        "status": "passed" if score.points == score.of else "failed",
        "output": said_of(score),
    }
