"""What is written beside a captured packet: where it is on its walk, what the model says of it, and what is wrong.

The words are those of `predict` and `check`. A filter finds an exercise's and a probe's packets by how a comment begins,
and what is wrong by a word in capitals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import Leg
from srv6lab.evidence.verdict import Item, Status, Suspect
from srv6lab.evidence.wording import foretell, sentence
from srv6lab.judge.grade import Graded
from srv6lab.judge.matched import At, Match, matched
from srv6lab.report.text import cause_lines
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.wireshark.merge import Note

DIFFERS, UNFORESEEN, MISSING = "DIFFERS", "UNFORESEEN", "MISSING"  # the words that a filter looks for
_LEGS = {Leg.THERE: "there", Leg.BACK: "back"}
_BACK = 1 << 16  # the rank of an answer's hops is behind that of what it answers

Notes = dict[Point, dict[int, Note]]


def opening(exercise: str, probe: str = "") -> str:
    """How the comments on an exercise's packets begin, or on a probe's."""
    return f"exercise {exercise}, probe {probe}," if probe else f"exercise {exercise},"


def acted(behavior: str) -> str:
    """How a comment names a behavior that has let the packet out."""
    return f"[{behavior}]"


def notes(graded: Graded, suspects: Sequence[Suspect], *, judged: bool) -> Notes:
    """A note on every packet of the exercise's probes. Of captures that were not `judged` as a run nothing is said but
    what the model says of each packet."""
    found: Notes = {}
    items = _amiss(graded.verdict.items) if judged else {}
    causes = [line.removeprefix("  ") for line in cause_lines(suspects)] if judged else []
    for probe, packets in graded.found.items():
        for match in matched(packets, graded.predicted[probe]):
            here = items.get((match.point, match.direction, probe), [])
            lines = [*_lines(match, graded.verdict.exercise, graded.tracers)]
            lines += [f"verdict: {line}" for item in here for line in item.gist().split("\n")]
            wrong = here or (judged and (match.differs or _lost(match, graded.tracers)))
            comment = "\n".join([*lines, *(causes if wrong else ())])
            found.setdefault(match.point, {})[match.packet.number] = Note(
                comment, match.direction, _rank(match)
            )
    return found


def with_directions(found: Notes, directions: Mapping[Point, Mapping[int, Direction]]) -> Notes:
    """Notes on the packets of no probe too: which way they went."""
    for point, known in directions.items():
        here = found.setdefault(point, {})
        for number, direction in known.items():
            here.setdefault(number, Note(direction=direction))
    return found


def _amiss(items: Sequence[Item]) -> dict[tuple[Point, Direction, str], list[Item]]:
    """What is not as it should be, by where and of which probe."""
    found: dict[tuple[Point, Direction, str], list[Item]] = {}
    for item in items:
        if item.status is not Status.PASS and item.point and item.direction:
            found.setdefault((item.point, item.direction, item.probe), []).append(item)
    return found


def _place(at: At | None) -> object:
    return (id(at.trace), at.step) if at else None


def _rank(match: Match) -> int:
    if match.at is None:
        return -1
    return match.at.step + (_BACK if match.at.trace.leg is Leg.BACK else 0)


def _lines(match: Match, exercise: str, tracers: Mapping[Point, Tracer]) -> Iterator[str]:
    at, begin = match.at, opening(exercise, match.probe)
    what = " an ICMP error about it" if match.error else ""
    if at is None:
        yield f"{begin}{what} {match.point} {match.direction}"
        yield f"{UNFORESEEN}: the model has no such packet here"
        return
    leg = what or f" {_LEGS[at.trace.leg]}"
    yield f"{begin}{leg}, hop {at.step + 1} of {len(at.trace.hops)}: {match.point} {match.direction}"
    yield from _why(match)
    yield from _model(match)
    if at.step == len(at.trace.hops) - 1:
        yield f"its walk ends: {at.trace.end}"
    elif match.last:
        yield _further(match, tracers)


def _why(match: Match) -> Iterator[str]:
    hop = (match.rfc or match.linux).hop  # type: ignore[union-attr]
    if words := " ".join(filter(None, (*map(acted, hop.behaviors), hop.reason))):
        yield words


def _model(match: Match) -> Iterator[str]:
    """What the model says by the RFC, what of it Linux does otherwise, and what the packet has otherwise."""
    rfc = foretell(match.rfc.hop.packet) if match.rfc else None
    linux = foretell(match.linux.hop.packet) if match.linux else None
    if rfc is not None:
        yield f"predicted: {sentence(rfc)}"
    if linux is not None and linux != rfc:
        yield (
            f"predicted of Linux: {sentence(linux)}"
            if rfc is None or sentence(rfc) != sentence(linux)
            else _apart(rfc, linux)
        )
    if match.linux and (rfc is None or linux != rfc):
        quirks = (QUIRKS[name] for name in match.linux.hop.quirks)
        yield from (f"Linux, not {quirk.section}: {quirk.what}" for quirk in quirks)
    if not match.differs:
        yield "captured: as predicted" + (" of Linux" if linux is not None and linux != rfc else "")
    for one in match.differs:
        yield f"{DIFFERS} in {one.field}: predicted {one.predicted}, captured {one.captured}"


def _apart(rfc: Mapping[str, str], linux: Mapping[str, str]) -> str:
    others = (f"{name} {value}" for name, value in linux.items() if rfc.get(name) != value)
    return f"predicted of Linux: {', '.join(others)}"


def _next(match: Match) -> tuple[Point, Direction]:
    at = match.linux or match.rfc
    assert at is not None
    hop = at.trace.hops[min(at.step + 1, len(at.trace.hops) - 1)]
    return hop.point, hop.direction


def _lost(match: Match, tracers: Mapping[Point, Tracer]) -> bool:
    """Whether its walk goes on, and a tracer that missed nothing didn't see it there."""
    if not match.last or match.at is None:
        return False
    tracer = tracers.get(_next(match)[0])
    return tracer is not None and tracer.sound


def _further(match: Match, tracers: Mapping[Point, Tracer]) -> str:
    point, direction = _next(match)
    if _lost(match, tracers):
        return f"{MISSING} behind this: the model has it next at {point} {direction}, where it was not seen"
    return f"not seen further: the capture at {point} can't tell whether it came there"
