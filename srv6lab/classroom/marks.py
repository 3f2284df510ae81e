"""What came of a hand-in: values, for whoever shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from srv6lab.classroom.copies import Traits
from srv6lab.classroom.forged import FORGED, Suspicion
from srv6lab.evidence.score import Score

GRADED, DAMAGED, FOREIGN, MISSING = "graded", "damaged", "foreign", "missing"


@dataclass(frozen=True, slots=True)
class Marks:
    """A line of the table. `file` is the hand-in's path in the folder; `person` the learner as the list of the class has it;
    `status` GRADED (FORGED if anything of it is), DAMAGED where it can't be read, FOREIGN where it is of no learner or lab
    of the class, or MISSING where a learner handed in nothing for a lab: then `why` says it, and `scores` are empty. `notes`
    are what a trainer should know, and nobody's fault. `again` is the file that counts in its place, "" for one that counts
    itself; `by` the run by which an exercise is judged, where that is another's."""

    file: str
    status: str
    learner: str = ""
    lab: str = ""
    scores: tuple[Score, ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""
    written: str = ""
    again: str = ""
    person: str = ""
    by: Mapping[str, str] = field(default_factory=dict)
    traits: Traits = field(default_factory=lambda: Traits("", ""))

    @property
    def points(self) -> Fraction:
        return sum((one.points for one in self.scores), Fraction(0))

    @property
    def of(self) -> int:
        return sum(one.of for one in self.scores)

    @property
    def forged(self) -> tuple[Suspicion, ...]:
        return tuple(one for one in self.suspicions if one.sure == FORGED)

    @property
    def state(self) -> str:
        """The status in a word."""
        return FORGED if self.status == GRADED and self.forged else self.status

    def suspected(self, more: Iterable[Suspicion]) -> Marks:
        """With other suspicions beside its own; what depends on something forged has no points."""
        every = tuple(dict.fromkeys([*self.suspicions, *more]))
        return replace(
            self, suspicions=every, scores=tuple(self._worthless(one, every) for one in self.scores)
        )

    def _worthless(self, score: Score, suspicions: Iterable[Suspicion]) -> Score:
        runs = ("", score.exercise, self.by.get(score.exercise, ""))
        why = next((one for one in suspicions if one.sure == FORGED and one.exercise in runs), None)
        if why is None:
            return score
        parts = tuple(replace(part, points=Fraction(0), reason=f"forged: {why.what}") for part in score.parts)
        return replace(score, parts=parts, lost=Fraction(0), reasons=())
