"""The catalogue of faults holds together, and a seed means the same fault for everybody."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from srv6lab.judge.diagnose import CAUSES
from srv6lab.plan.nodes import Plan
from srv6lab.teach.choosing import Candidate, Scenes, candidates, how_many, scenes_of
from srv6lab.teach.faults import KINDS, Fault, Kind, Scene, faults
from tests.conftest import LABS, SITE
from tests.small import SMALL, planned


def plans() -> Iterator[Plan]:
    return (SITE.load(SITE.refer(lab))[0] for lab in LABS)


def first(plan: Plan, seed: int, level: int, scenes: Scenes, count: int = 1) -> list[Candidate]:
    return [*itertools.islice(candidates(plan, seed, level, scenes), count)]


@pytest.fixture(scope="module")
def found() -> dict[str, list[Fault]]:
    """All faults of all labs, by their kind."""
    every: dict[str, list[Fault]] = {name: [] for name in KINDS}
    for plan in plans():
        for exercise in (one for one in plan.exercises if one.probes):
            scene = Scene.of(plan, exercise.name)
            for kind in KINDS.values():
                every[kind.name] += faults(kind, scene)
    return every


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 15
    assert {kind.level for kind in KINDS.values()} == {1, 2}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_says_all_that_is_needed(kind: Kind, found: dict[str, list[Fault]]) -> None:
    assert kind.causes and set(kind.causes) <= set(CAUSES)
    assert len(kind.causes) < 16, "as many as a seal has room for"
    assert kind.words and kind.mends and kind.learns.endswith(".")
    assert found[kind.name], "no lab of the course can have it"
    for fault in found[kind.name]:
        assert fault.truth and fault.do and fault.mend
        assert (fault.kind, fault.causes) == (kind.name, kind.causes)
        assert fault.do != fault.mend


def test_nothing_is_put_in_where_an_exercise_changes_something(found: dict[str, list[Fault]]) -> None:
    """What it takes back in the end would take the fault back as well."""
    text = SMALL.replace(
        "exercises:\n  - name: across\n",
        "exercises:\n  - name: across\n    apply: [{steering: {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ['fc00:b::d4']}}}]\n",
    )
    scene = Scene.of(planned(text), "across")
    nodes = {fault.node for kind in KINDS.values() for fault in faults(kind, scene)}
    assert "gate" not in nodes and "exit" in nodes


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_seed_means_the_same_for_everybody(level: int) -> None:
    one, two = planned(), planned()
    assert first(one, 7, level, scenes_of(one), 6) == first(two, 7, level, scenes_of(two), 6)
    assert how_many(one, 7, level) == how_many(two, 7, level)


def test_other_seeds_mean_other_faults() -> None:
    plan = planned()
    scenes = scenes_of(plan)
    kinds = {first(plan, seed, level, scenes)[0].fault.kind for seed in range(40) for level in (1, 2)}
    assert len(kinds) > 12
    assert {how_many(plan, seed, 3) for seed in range(20)} == {2, 3}
    assert {how_many(plan, seed, 1) for seed in range(20)} == {1}


def test_a_learners_variant_has_the_same_fault() -> None:
    """It has other names and other addresses, and its nodes and exercises in the same order."""
    text = SMALL.replace("gate", "door").replace("fc00:a:", "fc00:1a:").replace("2001:ab:", "2001:db8:")
    plan, other = planned(), planned(text)
    scenes, others = scenes_of(plan), scenes_of(other)
    for seed in range(30):
        one, two = first(plan, seed, 2, scenes)[0].fault, first(other, seed, 2, others)[0].fault
        assert (one.kind, one.node.replace("gate", "door")) == (two.kind, two.node)


def test_levels_have_kinds_of_their_own() -> None:
    plan = planned()
    scenes = scenes_of(plan)
    for level in (1, 2):
        assert {KINDS[one.fault.kind].level for one in candidates(plan, 3, level, scenes)} == {level}
    assert {KINDS[one.fault.kind].level for one in candidates(plan, 3, 3, scenes)} == {1, 2}
    assert scenes_of(plan, ["nothing"]) == {}
