"""What all formats say of marks."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from srv6lab.classroom.marks import GRADED, Marks
from srv6lab.evidence.score import Part, Score
from srv6lab.report.quoting import plain


def number(points: Fraction) -> str:
    """12, or 12.5."""
    return f"{float(points):.2f}".rstrip("0").rstrip(".")


def whose(one: Marks) -> str:
    """The learner as the list of the class calls him, else as the hand-in does."""
    return plain(one.person or one.learner) or ("-" if one.status != GRADED else "nobody")


def gist(one: Marks) -> str:
    """What came of it, in a line."""
    if one.why:
        return plain(one.why)
    exercises = ", ".join(f"{score.exercise} {number(score.points)}/{score.of}" for score in one.scores)
    if one.forged:
        more = f"; {len(one.forged) - 1} more" if len(one.forged) > 1 else ""
        return plain(f"{exercises}; {one.forged[0].what}{more}")
    return exercises


def lost(one: Marks) -> Iterator[str]:
    """A sentence for each thing of which points are lost."""
    for score in one.scores:
        for part in score.parts:
            if part.points < part.of:
                yield f"{score.exercise}, {lost_of(part)}"
        yield from (f"{score.exercise}: {plain(reason)}" for reason in score.reasons)


def lost_of(part: Part) -> str:
    return f"{part.name}: {number(part.points)} of {part.of} points: {plain(part.reason)}"


def beside(one: Marks) -> Iterator[str]:
    """Suspicions and notes."""
    yield from (f"{it.sure}: {plain(it.what)}" for it in one.suspicions)
    yield from (f"note: {plain(note)}" for note in one.notes)


def said_of(score: Score) -> str:
    """All that is to be said of an exercise, a line each."""
    lines = [lost_of(part) for part in score.parts if part.points < part.of]
    return "\n".join([*lines, *map(plain, score.reasons)])
