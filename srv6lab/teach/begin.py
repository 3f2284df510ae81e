"""A task from its start to its end: the lab as the task has it, put back, solved, and left as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.errors import Interrupted, NodeError, UsageError
from srv6lab.host.progress import Progress
from srv6lab.live import lifecycle, sending, snapshot
from srv6lab.live.begun import FAULT, TASK, Begun, forget_begun, now, read_begun, write_begun
from srv6lab.live.changes import run_script
from srv6lab.live.instance import Instance, Reference, Request
from srv6lab.plan.nodes import Plan
from srv6lab.render.apply import changes_of
from srv6lab.suggest import or_all
from srv6lab.teach.learned import read_learned, told
from srv6lab.topology.actions import Action
from srv6lab.topology.exercises import Exercise

_PATIENCE = 60.0  # seconds for a script
Show = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a solution: why, in which node, what is shown of it, and the script that does it."""

    why: str
    node: str
    shown: tuple[str, ...]
    script: str


def task_of(plan: Plan, name: str) -> Exercise:
    """The exercise, if a learner has something to do in it; UsageError with those that there are."""
    tasks = {one.name: one for one in plan.exercises if one.is_task}
    if name in tasks:
        return tasks[name]
    mend = or_all(name, list(tasks)) if tasks else f"{CALLED} check {plan.called} runs its exercises"
    what = f"{plan.name} has no task {name!r}" if name else "no task is named"
    raise UsageError(what, mend)


def start(one: Instance, plan: Plan, name: str, progress: Progress) -> Begun:
    """Put the lab into the task's starting state, and write down that it is begun; on a failure the lab is as `up` left
    it. What was hinted and shown when it was begun before stays counted. UsageError where another is begun."""
    exercise = task_of(plan, name)
    if (other := read_begun(one.home)) is not None:
        raise _begun_already(plan, other, name)
    one = restore(one, plan, progress)
    before = read_learned(one.home).entry(plan.name, name)
    begun = Begun(name, TASK, now())
    if before:
        begun = replace(begun, hints=before.hints, causes=before.causes, solved=before.solved)
    _put(one, plan, exercise, begun, progress)
    found = read_begun(one.home) or begun
    told(one.home, plan, found)
    return found


def _begun_already(plan: Plan, other: Begun, asked: str) -> UsageError:
    what = "a fault is planted" if other.kind == FAULT else f"the task {other.exercise} is begun"
    again = f"{CALLED} reset {plan.running} goes back to its start, " if other.exercise == asked else ""
    return UsageError(f"{what} already, since {other.when}", f"{again}{CALLED} finish {plan.running} ends it")


def begun_of(one: Instance, plan: Plan) -> Begun:
    """What is begun; UsageError where nothing is."""
    if (found := read_begun(one.home)) is not None:
        return found
    tasks = [exercise.name for exercise in plan.exercises if exercise.is_task]
    mend = f"{CALLED} start {plan.running} --exercise {tasks[0]}" if tasks else "this lab has none"
    raise UsageError(f"no task is begun in {one.name}", mend)


def reset(one: Instance, plan: Plan, progress: Progress) -> Begun:
    """Go back to the start of the task that is begun; what was hinted and tried stays counted."""
    begun = begun_of(one, plan)
    one = restore(one, plan, progress)
    _put(one, plan, task_of(plan, begun.exercise), replace(begun, undo=()), progress)
    return read_begun(one.home) or begun


def finish(one: Instance, plan: Plan, progress: Progress) -> Begun:
    """End what is begun: the lab is as its file says again."""
    begun = begun_of(one, plan)
    one = restore(one, plan, progress)
    with one.locked():
        forget_begun(one.home)
    return begun


def restore(one: Instance, plan: Plan, progress: Progress) -> Instance:
    """The lab as `up` left it: what is begun keeps its record, and its changes are gone. What Day0 doesn't take away takes a
    lab that is made anew, where that takes seconds: then its nodes are others, so the instance is what is returned."""
    lifecycle.refuse_stale(one, plan)
    begun = read_begun(one.home)
    with one.locked():
        sending.take_back(one)
        _undo(one, begun)
        _undo_by_hand(one, plan, begun)
        as_up_left_it = snapshot.differences(one) == ()
    # A daemon that a fault has stopped is no difference that a node could tell of.
    hangs = begun is not None and begun.kind == FAULT and any(node.routing for node in plan.nodes)
    if as_up_left_it and not hangs:
        return one
    asked = Request(Reference(Path(one.state.topology), one.state.lab), one.provider)
    progress("putting the lab back to what its file says")
    one = lifecycle.up(one.home, plan, asked, _silent)
    if (hangs or snapshot.differences(one) != ()) and not one.provider.record.makes_machines:
        progress("making it anew, since Day0 doesn't undo all that was changed")
        lifecycle.destroy(one.home)
        one = lifecycle.up(one.home, plan, asked, _silent)
        if begun:
            write_begun(one.home, replace(begun, undo=()))
    return one


def _silent(_: str) -> None:
    """What comes back would say what a task has taken away."""


def _undo(one: Instance, begun: Begun | None) -> None:
    for node, script in reversed(begun.undo if begun else ()):
        run_script(one, node, script)
    if begun and begun.undo:
        write_begun(one.home, replace(begun, undo=()))


def _undo_by_hand(one: Instance, plan: Plan, begun: Begun | None) -> None:
    """Take back what a learner was to do, as far as an action undoes it: that spares a lab that is made anew. What was
    never done may fail to be undone."""
    exercise = task_of(plan, begun.exercise) if begun and begun.kind == TASK else None
    for action in reversed(exercise.apply if exercise and exercise.by_hand else ()):
        for change in reversed(changes_of(plan, action)):
            one.exec(change.node, ["bash", "-ec", change.undo], timeout=_PATIENCE)


def _put(one: Instance, plan: Plan, exercise: Exercise, begun: Begun, progress: Progress) -> None:
    with one.locked():
        progress(f"{exercise.name}: putting the lab into its starting state")
        write_begun(one.home, begun)
        try:
            for change in (one_ for action in exercise.start for one_ in changes_of(plan, action)):
                begun = replace(begun, undo=(*begun.undo, (change.node, change.undo)))
                write_begun(one.home, begun)
                run_script(one, change.node, change.do)
        except BaseException as error:
            _undo(one, begun)
            forget_begun(one.home)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted(f"interrupted: {exercise.name} isn't begun", by=error) from None
            raise


def solution(plan: Plan, exercise: Exercise) -> list[Step]:
    """What solves a task, in order; of one that is done by hand and has no other, what the exercise applies."""
    steps: list[Step] = []
    for part in exercise.solution:
        if part.do is not None:
            steps += _of_action(plan, part.do, part.why)
        else:
            steps.append(Step(part.why, part.node or "", part.run, "\n".join(part.run)))
    if not exercise.solution and exercise.by_hand:
        for action in exercise.apply:
            steps += _of_action(plan, action, "")
    return steps


def _of_action(plan: Plan, action: Action, why: str) -> list[Step]:
    found = changes_of(plan, action)
    return [Step(why or change.what, change.node, tuple(_lines(change.do)), change.do) for change in found]


def _lines(script: str) -> list[str]:
    return [line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def solve(one: Instance, plan: Plan, show: Show) -> Begun:
    """Do the solution of the task that is begun, with each command shown and why. From then on it has no points. Where what a
    learner has typed is in its way, it is done from the start."""
    begun = begun_of(one, plan)
    task = task_of(plan, begun.exercise)
    steps = solution(plan, task)
    if not steps:
        raise UsageError(
            f"{begun.exercise} has no solution: it is to look and to answer", f"{CALLED} hint {plan.running}"
        )
    with one.locked():
        begun = replace(begun, solved=True)
        write_begun(one.home, begun)
        told(one.home, plan, begun)
    try:
        _do(one, steps, show)
    except NodeError:
        show("# what was typed before is in the way: back to the start, and once more")
        one = restore(one, plan, _silent)
        _put(one, plan, task, replace(begun, undo=()), _silent)
        _do(one, steps, show)
    return read_begun(one.home) or begun


def _do(one: Instance, steps: Sequence[Step], show: Show) -> None:
    with one.locked():
        for step in steps:
            show(f"# {step.why}")
            for line in step.shown:
                show(f"{step.node}# {line}")
            run_script(one, step.node, step.script)


def hint(one: Instance, plan: Plan) -> tuple[str, int, int]:
    """The next hint, its number and how many there are; it is counted. UsageError where there is none left."""
    with one.locked():
        begun = begun_of(one, plan)
        hints: Sequence[str] = task_of(plan, begun.exercise).hints if begun.kind == TASK else ()
        if begun.hints >= len(hints):
            what = (
                f"there is no other hint for {begun.exercise}" if hints else f"{begun.exercise} has no hints"
            )
            raise UsageError(
                what, f"{CALLED} solve {plan.running} shows the solution, which then has no points"
            )
        begun = replace(begun, hints=begun.hints + 1)
        write_begun(one.home, begun)
        told(one.home, plan, begun)
    return hints[begun.hints - 1], begun.hints, len(hints)
