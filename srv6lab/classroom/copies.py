"""The same packets in two hand-ins: who of the two made them, as far as that can be known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from srv6lab.classroom.forged import FORGED, ODD, Suspicion
from srv6lab.evidence import tokens

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made:
    """A probe of an exercise, and the token that its packets carry."""

    exercise: str
    probe: str
    token: str


@dataclass(frozen=True, slots=True)
class Traits:
    """What a hand-in is known by: its `file` and the SHA-256 of that, whose it says that it is, its probes' tokens, and the
    SHA-256 of each capture with packets in it, by (exercise, file)."""

    file: str
    learner: str
    digest: str = ""
    made: tuple[Made, ...] = ()
    captures: Mapping[tuple[str, str], str] = field(default_factory=dict)


def twice_in_one(one: Traits) -> Iterator[Suspicion]:
    """A token is of one run of one probe."""
    first: dict[str, Made] = {}
    for made in one.made:
        known = first.setdefault(made.token, made)
        if known != made:
            what = (
                f"the packets of {made.exercise} are those of {known.exercise}: both carry token {made.token}"
            )
            yield Suspicion(FORGED, what, made.exercise)


def copied(every: Sequence[Traits], keys: Mapping[str, str]) -> dict[str, list[Suspicion]]:
    """What each hand-in, by its file, has in common with those of others; `keys` are those of the class, by learner. A
    learner who hands in twice copies nothing."""
    found: dict[str, list[Suspicion]] = {}
    for those in _by([(made.token, (one, made)) for one in every for made in one.made]):
        if _are_others([one for one, _ in those]):
            probe = those[0][1].probe
            owner = next(
                (name for name, key in keys.items() if tokens.is_of(key, probe, those[0][1].token)), None
            )
            for one, made in those:
                what = f"the packets of {made.exercise}, probe {probe} (token {made.token})"
                found.setdefault(one.file, []).append(
                    _shared(one, made.exercise, what, owner, [it for it, _ in those])
                )
    for alike in _by([(digest, (one, at)) for one in every for at, digest in one.captures.items()]):
        owners = [one for one, _ in alike]
        for one, (exercise, file) in alike if _are_others(owners) else ():
            if one.file not in found:
                found[one.file] = [_shared(one, exercise, f"{file} of {exercise}", None, owners)]
    return {file: list(dict.fromkeys(those)) for file, those in found.items()}


def same_file(every: Sequence[Traits]) -> dict[str, str]:
    """Hand-ins that are another, byte for byte, and that other."""
    first: dict[str, str] = {}
    for one in every:
        first.setdefault(one.digest or one.file, one.file)
    return {one.file: first[one.digest] for one in every if one.digest and first[one.digest] != one.file}


def _by(pairs: Sequence[tuple[str, T]]) -> list[list[T]]:
    """What has the same key."""
    found: dict[str, list[T]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return list(found.values())


def _are_others(those: Sequence[Traits]) -> bool:
    files, learners = {one.file for one in those}, {one.learner for one in those}
    return len(files) > 1 and (len(learners) > 1 or learners == {""})


def _shared(one: Traits, exercise: str, what: str, owner: str | None, those: Sequence[Traits]) -> Suspicion:
    others = ", ".join(
        sorted({f"{it.file} ({it.learner or 'nobody'})" for it in those if it.file != one.file})
    )
    said = f"{what} are in {others}, too"
    if owner is None:
        return Suspicion(ODD, f"{said}: who made them can't be told", exercise)
    if one.learner == owner:
        return Suspicion(ODD, f"{said}: they were made with this learner's own key", exercise)
    return Suspicion(FORGED, f"{said}: they were made with {owner}'s key", exercise)
