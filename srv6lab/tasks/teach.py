"""Tasks for learners: begin one, ask for a hint, go back, see the solution, the score, the course."""

from __future__ import annotations

import sys

from invoke.context import Context
from invoke.tasks import task

from srv6lab.report import formats
from srv6lab.tasks.words import INSTANCE, LAB, SITE, TRUST, progress

_EXERCISE = "the task: an exercise that has one (invoke course lists them)"


@task(
    help={"lab": LAB, "exercise": _EXERCISE, "instance": INSTANCE, "trust": TRUST},
    positional=["lab", "exercise"],
)
def start(_: Context, lab: str, exercise: str = "", instance: str = "", trust: bool = False) -> None:
    """Begin a task: put a lab that is up into the task's starting state, and say what to reach.

    From then on check judges this task alone and tells no cause, until invoke finish.
    """
    from srv6lab.cli.trust import require_task
    from srv6lab.report.learning import task_text
    from srv6lab.teach import begin

    reference = SITE.refer(lab)
    plan, _warnings = SITE.load(reference, instance)
    found = begin.task_of(plan, exercise)
    require_task(plan, found, trust=trust, known=SITE.is_own(reference))
    with progress(f"start {exercise}") as line:
        begin.start(SITE.running(reference, instance), plan, exercise, line)
    sys.stdout.write(task_text(plan, found))


@task(help={"lab": LAB, "instance": INSTANCE}, positional=["lab"])
def hint(_: Context, lab: str, instance: str = "") -> None:
    """Show the next hint for the task that is begun. Each costs a tenth of its points."""
    from srv6lab.teach import begin

    reference = SITE.refer(lab)
    plan, _warnings = SITE.load(reference, instance)
    text, number, of = begin.hint(SITE.running(reference, instance), plan)
    print(f"hint {number} of {of}: {text}")


@task(help={"lab": LAB, "instance": INSTANCE, "trust": TRUST}, positional=["lab"])
def solve(_: Context, lab: str, instance: str = "", trust: bool = False) -> None:
    """Show the solution of the task that is begun, command by command and why, and do it. It has no points then."""
    from srv6lab.cli.trust import require_task
    from srv6lab.teach import begin

    reference = SITE.refer(lab)
    plan, _warnings = SITE.load(reference, instance)
    one = SITE.running(reference, instance)
    found = begin.task_of(plan, begin.begun_of(one, plan).exercise)
    require_task(plan, found, trust=trust, known=SITE.is_own(reference))
    begin.solve(one, plan, print)
    print(f"next: invoke check {plan.running}")


@task(help={"lab": LAB, "instance": INSTANCE}, positional=["lab"])
def reset(_: Context, lab: str, instance: str = "") -> None:
    """Go back to the start of the task that is begun, whatever was typed since. What was hinted and tried stays counted."""
    from srv6lab.teach import begin

    reference = SITE.refer(lab)
    plan, _warnings = SITE.load(reference, instance)
    with progress(f"reset {reference.name}") as line:
        begun = begin.reset(SITE.running(reference, instance), plan, line)
    print(f"{begun.exercise} is at its start again")


@task(help={"lab": LAB, "instance": INSTANCE}, positional=["lab"])
def finish(_: Context, lab: str, instance: str = "") -> None:
    """End the task that is begun: the lab is as its file says again. What was reached stays written down."""
    from srv6lab.teach import begin

    reference = SITE.refer(lab)
    plan, _warnings = SITE.load(reference, instance)
    with progress(f"finish {reference.name}") as line:
        begun = begin.finish(SITE.running(reference, instance), plan, line)
    print(f"{begun.exercise} is ended. Next: invoke course")


@task(
    help={
        "lab": LAB,
        "exercise": "only this task (default: all that were begun)",
        "format": f"{', '.join(formats.SCORES)}",
        "instance": INSTANCE,
    },
    positional=["lab", "exercise"],
)
def score(_: Context, lab: str, exercise: str = "", format: str = "text", instance: str = "") -> None:
    """Show the points of a lab's tasks, by the newest check of each, with a reason for each that is lost."""
    from srv6lab.cli import learn

    show = formats.chosen(formats.SCORES, format)
    reference = SITE.refer(lab)
    plan, _warnings = SITE.load(reference, instance)
    sys.stdout.write(show(learn.scores(SITE.home(reference, instance), plan, exercise)))


@task(help={"format": f"{', '.join(formats.COURSES)}"})
def course(_: Context, format: str = "text") -> None:
    """Show every task of the course, what you have reached in it, and what is next."""
    from srv6lab.cli import learn

    show = formats.chosen(formats.COURSES, format)
    sys.stdout.write(show(learn.course(SITE)))
