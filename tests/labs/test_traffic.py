"""Real traffic over every path of every lab: a path that only pings is a black hole for TCP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from srv6lab.live.changes import Changes
from srv6lab.plan.nodes import Plan
from srv6lab.render.apply import changes_of
from srv6lab.topology.actions.sid import SidAction
from srv6lab.topology.actions.steering import SteeringAction
from srv6lab.topology.exercises import Exercise, Probe
from tests.conftest import SITE, Up, some_labs
from tests.traffic import sweep, transfer

# Bytes. A path that loses what is full-sized loses the first of them; a proxy has to do with segments that the
# kernel puts together too.
ENOUGH, ENOUGH_FOR_A_PROXY = 5 * 10**6, 50 * 10**6

PATHS = [
    pytest.param(lab, exercise.name, id=f"{lab}-{exercise.name}", marks=param.marks)
    for param in some_labs()
    for lab in param.values
    for exercise in SITE.load(SITE.refer(lab))[0].exercises
    if not exercise.steps
]


@pytest.fixture(scope="module")
def labs_up(bring_up):  # type: ignore[no-untyped-def]
    up: dict[str, Up] = {}
    return lambda name: up.setdefault(name, up.get(name) or bring_up(name))


@contextmanager
def on_the_path_of(lab: Up, exercise: Exercise) -> Iterator[None]:
    """The exercise's steering is applied, and the SIDs that it adds; its firewalls are not."""
    changes = Changes(lab.running)
    ways = [
        each
        for one in exercise.apply
        if isinstance(one, (SidAction, SteeringAction))
        for each in changes_of(lab.plan, one)
    ]
    with changes.applied(ways, {}):
        yield


def ends(plan: Plan, probe: Probe) -> tuple[str, str]:
    """The address of each end: where it sends from, where it sends to."""
    there = plan.target(probe)
    here = next(
        nic.address.ip for nic in plan.node(probe.source).nics if nic.address.version == there.version
    )
    return str(here), str(there)


@pytest.mark.parametrize(("name", "exercise_name"), PATHS)
def test_tcp_both_ways(labs_up, name: str, exercise_name: str) -> None:  # type: ignore[no-untyped-def]
    lab = labs_up(name)
    exercise = lab.plan.exercise(exercise_name)[1]
    size = ENOUGH_FOR_A_PROXY if any(machine.proxies for machine in lab.plan.nodes) else ENOUGH
    with on_the_path_of(lab, exercise):
        for probe in exercise.every_probe():
            here, there = ends(lab.plan, probe)
            transfer(lab, probe.source, probe.to, there, size)
            transfer(lab, probe.to, probe.source, here, size)


@pytest.mark.parametrize(("name", "exercise_name"), PATHS)
def test_every_size_unfragmented(labs_up, name: str, exercise_name: str) -> None:  # type: ignore[no-untyped-def]
    lab = labs_up(name)
    exercise = lab.plan.exercise(exercise_name)[1]
    with on_the_path_of(lab, exercise):
        for probe in exercise.every_probe():
            _, there = ends(lab.plan, probe)
            sweep(lab, probe.source, there, 1500)
