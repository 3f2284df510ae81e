"""What is changed in the lab while the probes of an exercise are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from srv6lab.plan.actions import changes
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions import Action
from srv6lab.topology.exercises import Exercise, Probe

Actions = tuple[Action, ...]


def stages(exercise: Exercise) -> Iterator[Actions]:
    """What holds in each part of an exercise, in their order."""
    if exercise.probes:
        yield exercise.apply
    for step in exercise.steps:
        yield (*exercise.apply, *step.apply)


def of_probes(exercise: Exercise) -> Iterator[tuple[Probe, Actions, bool]]:
    """Each probe with what holds while it is sent, and whether that is done meanwhile."""
    yield from ((probe, exercise.apply, False) for probe in exercise.probes)
    for step in exercise.steps:
        actions = (*exercise.apply, *step.apply)
        if step.across:
            yield step.across, actions, True
        yield from ((probe, actions, False) for probe in step.probes)


def words(plan: Plan, actions: Sequence[Action]) -> list[str]:
    """In sentences, each once."""
    return list(dict.fromkeys(one.what for action in actions for one in changes(action, plan)))
