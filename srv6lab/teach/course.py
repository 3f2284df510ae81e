"""Where a learner is in the course, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from srv6lab.judge.score import worths
from srv6lab.teach.learned import Entry, Learned
from srv6lab.topology.model import Topology


@dataclass(frozen=True, slots=True)
class Station:
    """A task of the course: what it is worth, how many minutes it takes (None where nobody says), and what was reached."""

    lab: str
    exercise: str
    description: str
    of: int
    minutes: int | None
    entry: Entry | None

    @property
    def state(self) -> str:
        """`done`, `begun`, or `new`."""
        if self.entry is None:
            return "new"
        return "done" if self.entry.passed else "begun"


def stations(course: Iterable[Topology], learned: Iterable[Learned]) -> list[Station]:
    """Every task in the order of the course; of several instances of a lab the one in which most was reached."""
    best = _best(learned)
    return [
        Station(
            lab.name,
            one.name,
            one.description,
            sum(worths(one).values()) + sum(question.points for question in one.questions),
            one.minutes,
            best.get((lab.name, one.name)),
        )
        for lab in course
        for one in lab.exercises
        if one.is_task
    ]


def following(found: Iterable[Station]) -> Station | None:
    """What is next: what is begun, else the first that isn't done."""
    rest = [one for one in found if one.state != "done"]
    return next((one for one in rest if one.state == "begun"), rest[0] if rest else None)


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
