"""Where a learner is in the course, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from srv6lab.judge.score import worth
from srv6lab.teach.learned import Entry, Learned, state
from srv6lab.topology.model import Topology


@dataclass(frozen=True, slots=True)
class Station:
    """A task of the course: what it is worth, how many minutes it takes (None where nobody says), what was reached, and
    its `state`: `new`, `begun`, `shown` or `done`."""

    lab: str
    exercise: str
    description: str
    of: int
    minutes: int | None
    entry: Entry | None
    state: str = "new"


def stations(course: Iterable[Topology], learned: Iterable[Learned]) -> list[Station]:
    """Every task in the order of the course; of several instances of a lab the one in which most was reached."""
    best = _best(learned)
    return [
        Station(
            lab.name,
            one.name,
            one.description,
            worth(one),
            one.minutes,
            (entry := best.get((lab.name, one.name))),
            state(one, entry),
        )
        for lab in course
        for one in lab.exercises
        if one.is_task
    ]


def following(found: Iterable[Station]) -> Station | None:
    """What is next: what is begun, else the first that is new, else the first whose solution was shown."""
    rest = list(found)
    wanted = (one for state in ("begun", "new", "shown") for one in rest if one.state == state)
    return next(wanted, None)


def _best(learned: Iterable[Learned]) -> Mapping[tuple[str, str], Entry]:
    found: dict[tuple[str, str], Entry] = {}
    for one in learned:
        for lab, entries in one.labs.items():
            for exercise, entry in entries.items():
                known = found.get((lab, exercise))
                if known is None or _rank(entry) > _rank(known):
                    found[lab, exercise] = entry
    return found


def _rank(entry: Entry) -> tuple[bool, Fraction, str]:
    return bool(entry.passed), Fraction(entry.best), entry.began
