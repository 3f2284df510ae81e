"""Which faults a seed means: the same ones for everybody who has a lab of this shape, whatever its addresses and names.

A candidate is known by where it stands in the lab's file and not by its name, and its place in the order is a hash of that
and of the seed: so a new kind of fault changes no order among the others, and a learner's variant of a lab has the same fault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from srv6lab.plan.nodes import Plan
from srv6lab.teach.faults import KINDS, Fault, Kind, Scene, faults
from srv6lab.topology.exercises import Exercise

LEVELS = (1, 2, 3)
_OF_A_KIND = 3  # that are tried before another kind is


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fault, and the exercise that is to show it."""

    exercise: str
    fault: Fault


def how_many(plan: Plan, seed: int, level: int) -> int:
    """One fault; of level 3 two or three."""
    return 1 if level < 3 else 2 + _rank(plan, seed, level, "number")[0] % 2


Scenes = Mapping[int, Scene]  # by the number of the exercise


def scenes_of(plan: Plan, only: Collection[str] = ()) -> Scenes:
    """All exercises that a fault may show in, or the `only` ones."""
    return {number: Scene.of(plan, one.name) for number, one in _exercises(plan, only)}


def candidates(plan: Plan, seed: int, level: int, scenes: Scenes) -> Iterator[Candidate]:
    """The faults in the order in which the seed has them tried, all of a kind together."""
    kinds = [one for one in KINDS.values() if level == 3 or one.level == level]
    for kind in sorted(kinds, key=lambda one: _rank(plan, seed, level, one.name)):
        ranked = [*_of_kind(plan, kind, scenes)]
        ranked.sort(key=lambda one: _rank(plan, seed, level, one[0]))
        yield from (candidate for _, candidate in ranked[:_OF_A_KIND])


def _exercises(plan: Plan, only: Collection[str]) -> Iterator[tuple[int, Exercise]]:
    """Those that send something and are run by themselves, each with its number."""
    for number, one in enumerate(plan.exercises):
        if one.probes and not getattr(one, "like", None) and (not only or one.name in only):
            yield number, one


def _of_kind(plan: Plan, kind: Kind, scenes: Scenes) -> Iterator[tuple[str, Candidate]]:
    """A kind's faults, each with what it is known by: the numbers of the exercise, of the node, and its own there."""
    nodes = {node.name: number for number, node in enumerate(plan.nodes)}
    for number, scene in scenes.items():
        for index, fault in enumerate(faults(kind, scene)):
            yield f"{kind.name}/{number}/{nodes[fault.node]}/{index}", Candidate(scene.exercise.name, fault)


def _rank(plan: Plan, seed: int, level: int, key: str) -> bytes:
    shape = [*(node.role for node in plan.nodes), *(one.name for one in plan.exercises)]
    return hashlib.sha256("\0".join((*shape, str(seed), str(level), key)).encode()).digest()
