"""Breaks a lab many times, has our own `check` find out why, and mends it by the reference: the figures of our diagnosis."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from srv6lab.errors import LabError
from srv6lab.host import interrupts
from srv6lab.host.progress import Progress
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan
from srv6lab.teach.breaking import Broken, Tried, mend, plant, settled
from srv6lab.teach.choosing import LEVELS
from srv6lab.teach.proof import checked


@dataclass(frozen=True, slots=True)
class Round:
    """A lab that was broken once. `tried` are all faults that were planted for it, also those that were taken out since no
    check was red for their reason. `red` says whether the check was, `first` whether it named one of the faults first,
    `mended` whether it was green after the reference mend, and `left` what then wasn't as Day0 left it. `note` says why
    nothing came of it."""

    seed: int
    level: int
    exercise: str = ""
    faults: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    red: bool = False
    first: bool = False
    mended: bool = False
    left: str = ""
    seconds: float = 0.0
    note: str = ""

    @property
    def good(self) -> bool:
        return self.red and self.mended and not self.left


def campaign(
    one: Instance, plan: Plan, count: int, seed: int, level: int, exercise: str, progress: Progress
) -> Iterator[Round]:
    """So many rounds, of one `level` or, for 0, of all in turn. Who calls holds the instance's lock. It ends with the first
    round after which the lab isn't as it was."""
    for number in range(count):
        own = seed_of(seed, number)
        rung = level or LEVELS[number % len(LEVELS)]
        progress(f"round {number + 1} of {count}")
        found = _round(one, plan, own, rung, exercise, progress)
        yield found
        if found.left:
            return


def seed_of(seed: int, number: int) -> int:
    """Each round's own, the same for the same campaign."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4])


def _round(one: Instance, plan: Plan, seed: int, level: int, exercise: str, progress: Progress) -> Round:
    began = time.monotonic()
    try:
        broken = plant(one, plan, seed, level, exercise, progress)
    except LabError as error:
        if error.exit_code == 1 and "shows in" not in error.what:  # nobody can break this lab
            raise
        left = settled(one, plan)
        return Round(seed, level, seconds=time.monotonic() - began, note=error.what, left=left)
    try:
        progress(f"mending {', '.join(fault.kind for fault in broken.faults)}")
    finally:
        with interrupts.held():
            for fault in reversed(broken.faults):
                mend(one, fault.mend)
            left = settled(one, plan)
    after = checked(one, plan, broken.exercise)
    return Round(
        seed,
        level,
        broken.exercise,
        tuple(f"{fault.kind} {fault.node}" for fault in broken.faults),
        broken.tried,
        broken.proof is not None and broken.proof.red,
        _first(broken),
        after.green,
        left,
        time.monotonic() - began,
    )


def _first(broken: Broken) -> bool:
    return broken.proof is not None and any(broken.proof.names_first(fault) for fault in broken.faults)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of many rounds."""

    rounds: int
    broken: int
    faults: int
    tried: int
    red_alone: int
    first_alone: int
    first: int
    mended: int
    clean: int
    seconds: float

    @classmethod
    def of(cls, rounds: list[Round]) -> Figures:
        found = [one for one in rounds if one.faults]
        tried = [each for one in rounds for each in one.tried]
        return cls(
            rounds=len(rounds),
            broken=len(found),
            faults=sum(len(one.faults) for one in found),
            tried=len(tried),
            red_alone=sum(one.red for one in tried),
            first_alone=sum(one.first for one in tried),
            first=sum(one.first for one in found),
            mended=sum(one.mended for one in found),
            clean=sum(not one.left for one in rounds),
            seconds=round(median([one.seconds for one in rounds] or [0]), 1),
        )

    def __str__(self) -> str:
        return (
            f"{self.broken} of {self.rounds} rounds broke the lab, with {self.faults} faults; {self.tried} were tried alone: "
            f"{self.red_alone} made the check red, {self.first_alone} were named first. "
            f"Of the {self.broken}: one of the faults named first {self.first}, green after the reference mend {self.mended}. "
            f"Nothing left after {self.clean} of {self.rounds}. {self.seconds:g} s a round (median)"
        )
