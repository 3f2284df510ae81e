"""What is wrong with exercises as tasks that a learner does, once it is known what their actions come to."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.plan.actions import changes
from srv6lab.plan.nodes import Locate, Path, Plan
from srv6lab.topology.actions import Action
from srv6lab.topology.exercises import Exercise


def unsound_tasks(plan: Plan, locate: Locate) -> list[Problem]:
    """Every problem of the plan's tasks, each where it is written."""
    return [
        problem
        for index, exercise in enumerate(plan.exercises)
        for problem in (
            *_words(exercise, index, locate),
            *_steps(plan, exercise, index, locate),
            *_lost(plan, exercise, index, locate),
        )
    ]


def _words(exercise: Exercise, index: int, locate: Locate) -> Iterator[Problem]:
    where: Path = ("exercises", index)
    if exercise.changes_the_lab and not exercise.task.strip():
        key = "start" if exercise.start else "by_hand"
        yield Problem(
            locate((*where, key)),
            f"exercise {exercise.name} doesn't say what a learner is to reach",
            "add `task:`",
        )
    if exercise.by_hand and not exercise.apply:
        yield Problem(
            locate((*where, "by_hand")),
            f"exercise {exercise.name} applies nothing that a learner could do by hand",
            "add `apply:`, or take `by_hand` away",
        )


def _steps(plan: Plan, exercise: Exercise, index: int, locate: Locate) -> Iterator[Problem]:
    names = [node.name for node in plan.nodes]
    for number, step in enumerate(exercise.solution):
        where: Path = ("exercises", index, "solution", number)
        if (step.do is None) == (step.node is None) or bool(step.run) != (step.node is not None):
            yield Problem(
                locate(where),
                "a part of a solution is commands for a node, or an action",
                "write `node: …, run: […]`, or `do: {…}`",
            )
        elif step.node is not None and step.node not in names:
            yield Problem(
                locate((*where, "node")), f"there is no node {step.node}", f"there are: {', '.join(names)}"
            )
    if exercise.start and not exercise.solution:
        yield Problem(
            locate(("exercises", index, "start")),
            f"exercise {exercise.name} has no solution",
            "add `solution:`, by which a test can prove that the task can be done",
        )


def _lost(plan: Plan, exercise: Exercise, index: int, locate: Locate) -> Iterator[Problem]:
    """What a learner has done must outlast `check`: Day0, run again, would undo it."""
    if not exercise.changes_the_lab:
        return
    for path, action in _applied_by_check(exercise, index):
        if any(one.again for one in changes(action, plan)):
            what = f"`check` runs Day0 again to take `{action.key}` back, which would undo what a learner did in exercise {exercise.name}"
            yield Problem(locate(path), what, "use another exercise for the task, or `by_hand`")
    for number, action in enumerate(exercise.apply if exercise.by_hand else ()):
        if any(one.counter for one in changes(action, plan)):
            what = "a firewall's counter is read from the rule that `check` puts in, so no learner can do it"
            yield Problem(locate(("exercises", index, "apply", number)), what, "put the rule into a step")


def _applied_by_check(exercise: Exercise, index: int) -> Iterator[tuple[Path, Action]]:
    for number, action in enumerate(() if exercise.by_hand else exercise.apply):
        yield ("exercises", index, "apply", number), action
    for place, step in enumerate(exercise.steps):
        for number, action in enumerate(step.apply):
            yield ("exercises", index, "steps", place, "apply", number), action
