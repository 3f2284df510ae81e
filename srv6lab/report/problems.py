"""Problems of topology files → text for people, JSON for editors, annotations for GitHub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from srv6lab.errors import Problem

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """One file: its problems, warnings among them, and what it is if it is sound."""

    file: str
    problems: tuple[Problem, ...]
    summary: str = ""

    @property
    def valid(self) -> bool:
        return all(problem.severity != "error" for problem in self.problems)


# What goes to stdout, and what goes to stderr.
Told = tuple[str, str]


def checked_text(checked: Sequence[Checked]) -> Told:
    return _valid(checked), "".join(f"{problem}\n" for one in checked for problem in one.problems)


def checked_github(checked: Sequence[Checked]) -> Told:
    """The problems as annotations of a pull request."""
    return problems_github(problem for one in checked for problem in one.problems), _valid(checked)


def checked_json(checked: Sequence[Checked]) -> Told:
    """Each file and whether it is valid, and all problems."""
    problems = [_problem(problem) for one in checked for problem in one.problems]
    files = [{"file": one.file, "valid": one.valid} for one in checked]
    document = {"schema": SCHEMA, "files": files, "problems": problems}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n", ""


def _valid(checked: Iterable[Checked]) -> str:
    return "".join(f"{one.summary}: valid\n" for one in checked if one.valid)


def _problem(problem: Problem) -> dict[str, Any]:
    where = problem.location
    place = {"file": where.file, "line": where.line, "column": where.column}
    return {**place, "severity": problem.severity, "what": problem.what, "mend": problem.mend}


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
