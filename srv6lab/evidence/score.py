"""What a learner's task is worth, and what of it was reached."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from srv6lab.called import CALLED

HINT = Fraction(1, 10)  # of a task's points, for each hint
CAUSES = Fraction(2, 10)  # for each look at the causes
MOST_LOST = Fraction(5, 10)  # by both together
WRONG = Fraction(1, 4)  # of a question's points, for each wrong answer; a hint for it costs as a task's does


@dataclass(frozen=True, slots=True)
class Part:
    """A thing that was judged: `points` of `of`, and a sentence for what of them is lost ("" for nothing)."""

    name: str
    points: Fraction
    of: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """What a task came to: its parts, and which share of their sum is lost by help, with the reasons for that."""

    exercise: str
    parts: tuple[Part, ...]
    lost: Fraction = Fraction(0)
    reasons: tuple[str, ...] = ()

    @property
    def of(self) -> int:
        return sum(part.of for part in self.parts)

    @property
    def points(self) -> Fraction:
        """In tenths, rounded down."""
        whole = sum((part.points for part in self.parts), Fraction(0)) * (1 - self.lost)
        return Fraction(int(whole * 10), 10)


def lost_by_help(hints: int, causes: int, solved: bool) -> tuple[Fraction, tuple[str, ...]]:
    """The share of a task's points that help costs, and a sentence for each kind of help."""
    if solved:
        return Fraction(1), (f"the solution was shown and done by `{CALLED} solve`",)
    said = []
    if hints:
        said.append(
            f"{hints} hint{'s' * (hints != 1)}: {_percent(min(hints * HINT, MOST_LOST))} of the points"
        )
    if causes:
        said.append(
            f"{causes} look{'s' * (causes != 1)} at the causes: {_percent(min(causes * CAUSES, MOST_LOST))} of the points"
        )
    return min(hints * HINT + causes * CAUSES, MOST_LOST), tuple(said)


def of_question(of: int, wrong: int, hints: int) -> Fraction:
    """What a right answer is worth after so many wrong ones and hints."""
    return of * max(Fraction(0), 1 - wrong * WRONG) * (1 - min(hints * HINT, MOST_LOST))


def _percent(share: Fraction) -> str:
    return f"{int(share * 100)}%"
