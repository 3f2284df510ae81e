"""What is dead or differs from Day0 in a lab that is up when `up` begins, and what of it `up` brings back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from srv6lab.errors import LabError
from srv6lab.evidence.drift import Difference
from srv6lab.live import snapshot
from srv6lab.live.instance import Instance

_MOST = 12  # lines of settings; `invoke status` shows all


@dataclass(frozen=True, slots=True)
class Defects:
    """The nodes and tracers that are dead, and what isn't as Day0 left it: None where nobody could tell."""

    dead: tuple[str, ...] = ()
    differences: tuple[Difference, ...] | None = None


def look(one: Instance) -> Defects:
    """Settings are asked for only where every node is alive: one that isn't is asked in vain, and long."""
    try:
        dead = [entry for entry in one.status() if not entry.alive]
    except LabError:
        return Defects()
    settings = None if any(entry.kind == "node" for entry in dead) else snapshot.differences(one)
    return Defects(tuple(f"{entry.kind} {entry.name}" for entry in dead), settings)


def told(before: Defects, after: Defects) -> Iterator[str]:
    """A line for each thing that came back, and for each that Day0 doesn't take away; or that there was nothing."""
    found = [one for one in before.dead if one not in after.dead]
    if before.differences is not None and after.differences is not None:
        found += _lines(_less(before.differences, after.differences))
    if found:
        yield "brought back what was dead or differed from Day0:"
        yield from _few(found)
    if left := _lines(after.differences or ()):
        yield "differs from Day0 still, since Day0 doesn't undo it:"
        yield from _few(left)
    if not found and not left:
        yield "nothing had to be brought back"


def _lines(differences: Sequence[Difference]) -> list[str]:
    return [line for one in differences for line in one.sentences()]


def _few(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield f"  and {len(lines) - _MOST} more"


def _less(before: Sequence[Difference], after: Sequence[Difference]) -> tuple[Difference, ...]:
    """What of the differences is gone."""
    left = {(one.node, one.netns, one.section): one for one in after}
    found = []
    for one in before:
        still = left.get((one.node, one.netns, one.section), Difference(one.node, one.netns, one.section))
        gone, new = (
            Counter(was) - Counter(now) for was, now in ((one.gone, still.gone), (one.new, still.new))
        )
        found.append(
            Difference(one.node, one.netns, one.section, tuple(gone.elements()), tuple(new.elements()))
        )
    return tuple(found)
