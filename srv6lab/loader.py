"""A topology file → a Topology, or every problem of the file at once.

Two passes: what each part is (`topology.py`, told in our words by `words/`), then what the
parts mean together (`checks/`). The second runs over whatever the first found sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from srv6lab import checks
from srv6lab.errors import Problem, TopologyError, UsageError
from srv6lab.source import MAX_BYTES, Source, examine
from srv6lab.source import Path as KeyPath
from srv6lab.topology import Topology
from srv6lab.words.schema import findings_of, misplaced, real_path, schema_problems, value_at
from srv6lab.yamltree import MAX_PROBLEMS


@dataclass(frozen=True, slots=True)
class Lab:
    """A topology that stands, its source with the place of each part, and what is odd but allowed."""

    topology: Topology
    source: Source
    warnings: tuple[Problem, ...]


def load(path: Path, shown: str | None = None) -> Lab:
    """The file's lab; `shown` is the file's name in messages."""
    return loads(read(path), shown or str(path))


def read(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most, so that a huge file answers at once."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", "check the path, or name a lab") from None
    except IsADirectoryError:
        mend = f"name the file in it: {path / 'topology.yml'}"
        raise UsageError(f"{path} is a folder, not a topology file", mend) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"{path} can't be read: {reason}", "check the path and its permissions") from None


def loads(text: str | bytes, shown: str) -> Lab:
    """The lab of a text that stands in no file, or not yet."""
    source, problems = examine(text, shown)
    try:
        topology = Topology.model_validate(source.data)
    except ValidationError as error:
        schema = islice(schema_problems(error, source), MAX_PROBLEMS)
        raise _refusal(problems, schema, _checks_of_the_rest(source, error)) from None
    found = checks.run(checks.view_of(source.data, topology), source.locate)
    if problems or any(problem.severity == "error" for problem in found):
        raise _refusal(problems, found)
    return Lab(topology, source, tuple(map(_printable, found)))


def _refusal(*phases: Iterable[Problem]) -> TopologyError:
    """All problems of all phases; where one phase has complained, the next has nothing to add."""
    problems: set[Problem] = set()
    for phase in phases:
        taken = {problem.location for problem in problems}
        problems |= {problem for problem in phase if problem.location not in taken}
    return TopologyError(map(_printable, problems))


def _printable(problem: Problem) -> Problem:
    """The problem without the control characters that a text in "double quotes" can smuggle in."""
    if problem.what.isprintable() and problem.mend.isprintable():
        return problem
    return replace(problem, what=_escaped(problem.what), mend=_escaped(problem.mend))


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _checks_of_the_rest(source: Source, error: ValidationError) -> list[Problem]:
    """What the checks find in the parts that are sound."""
    findings = findings_of(error, source.data)
    unknown = {real_path(source.data, one["loc"])[0] for one in findings if one["type"] == "extra_forbidden"}
    data = _without(source.data, unknown)
    try:
        topology = Topology.model_validate(data)
    except ValidationError:
        topology = None
    cut = frozenset(path[:-1] for path in unknown)
    lost = frozenset(misplaced(source.data).values())
    return checks.run(checks.view_of(data, topology, cut, lost), source.locate)


def _without(data: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """The data without some keys. Aliases share parts of it, so a key may be gone already."""
    data = deepcopy(data)
    for path in sorted(paths, key=len, reverse=True):
        value_at(data, path[:-1]).pop(path[-1], None)
    return data
