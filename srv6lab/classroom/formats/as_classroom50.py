"""Classroom 50's result.json (`classroom50/result/v1`): one object for one hand-in, a list of them for several.

Its runner says in the environment whose submission it grades and where that is; its points are whole numbers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from srv6lab.classroom.marks import Marks

_PLACES = {
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}


def marks(group: str, every: Sequence[Marks]) -> str:
    counted = [one for one in every if not one.again]
    found = [_result(group, one) for one in counted]
    return json.dumps(found[0] if len(found) == 1 else found, indent=1, ensure_ascii=False) + "\n"


def _result(group: str, one: Marks) -> dict[str, Any]:
    tests = [
        {
            "test-name": score.exercise,
            "passed": score.points == score.of,
            "score": int(score.points),
            "max-score": score.of,
        }
        for score in one.scores
    ]
    return {
        "schema": "classroom50/result/v1",
        "classroom": os.environ.get("CLASSROOM") or group,
        "assignment": os.environ.get("ASSIGNMENT") or one.lab,
        "usernames": [os.environ.get("USERNAME") or one.learner],
        **{key: os.environ.get(variable, "") for key, variable in _PLACES.items()},
        "datetime": one.written.replace("+00:00", "Z"),
        "score": sum(int(score.points) for score in one.scores),
        "max-score": one.of,
        "tests": tests,
    }
