"""The register of checks and the few words that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Protocol

from srv6lab import suggest
from srv6lab.errors import Location, Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.yaml.tree import MAX_PROBLEMS


class Locate(Protocol):
    """`Source.locate`: the place of a value, or of its key."""

    def __call__(self, path: Path, key: bool = False) -> Location: ...


Check = Callable[[Facts, Locate], Iterator[Problem]]

CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Registers a check; checks are independent of each other and of their order."""
    CHECKS.append(function)
    return function


def run(view: Facts, locate: Locate) -> list[Problem]:
    """Everything that the checks find, in the order of the file."""
    return sorted({problem for one in CHECKS for problem in islice(one(view, locate), MAX_PROBLEMS)})


def warning(where: Location, what: str, mend: str) -> Problem:
    return Problem(where, what, mend, "warning")


def did_you_mean(word: str, known: Collection[str], nothing: str) -> str:
    """The nearest known name, else what there is to choose from."""
    if close := suggest.closest(word[:60].lower(), known):
        return suggest.did_you_mean(close)
    names = sorted(known)
    if not names:
        return nothing
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"known: {', '.join(names[:8])}{more}"


def line_of(locate: Locate, path: Path) -> str:
    """`line 7`, with its file where that is another than the lab's own."""
    where = locate(path)
    return f"line {where.line}" if where.file == locate(()).file else f"{where.file}, line {where.line}"
