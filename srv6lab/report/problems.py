"""Problems of topology files → text for people, JSON for editors, annotations for GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from srv6lab.errors import Problem

SCHEMA = 1


def problems_text(problems: Iterable[Problem]) -> str:
    return "".join(f"{problem}\n" for problem in problems)


def problems_json(files: Sequence[tuple[str, bool]], problems: Iterable[Problem]) -> str:
    """Each file and whether it is valid, and all problems."""
    document = {
        "schema": SCHEMA,
        "files": [{"file": file, "valid": valid} for file, valid in files],
        "problems": [
            {
                "file": problem.location.file,
                "line": problem.location.line,
                "column": problem.location.column,
                "severity": problem.severity,
                "what": problem.what,
                "mend": problem.mend,
            }
            for problem in problems
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def problems_github(problems: Iterable[Problem]) -> str:
    """Workflow commands: one line a problem, shown at its line of the pull request."""
    return "".join(f"{_annotation(problem)}\n" for problem in problems)


def _annotation(problem: Problem) -> str:
    where = problem.location
    place = {"file": where.file.replace("\\", "/"), "line": where.line, "col": where.column}
    told = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    text = f"{problem.what}\nmend: {problem.mend}" if problem.mend else problem.what
    return f"::{problem.severity} {told}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
