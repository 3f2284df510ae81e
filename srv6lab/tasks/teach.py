"""Tasks for learners: begin one, ask for a hint, go back, see the solution, the score, the course."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from srv6lab.called import CALLED
from srv6lab.errors import UsageError
from srv6lab.report import formats
from srv6lab.tasks.words import INSTANCE, LAB, SITE, TRUST, progress

_EXERCISE = f"the task: an exercise that has one ({CALLED} course lists them)"


@task(
    help={"lab": LAB, "exercise": _EXERCISE, "instance": INSTANCE, "trust": TRUST},
    positional=["lab", "exercise"],
)
def start(_: Context, lab: str, exercise: str = "", instance: str = "", trust: bool = False) -> None:
    """Begin a task: put a lab that is up into the task's starting state, and say what to reach.

    From then on check judges this task alone and tells no cause, until invoke finish.
    """
    from srv6lab.cli.trust import require_start
    from srv6lab.report.learning import task_text
    from srv6lab.teach import begin

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    found = begin.task_of(plan, exercise)
    require_start(plan, found, trust=trust, known=SITE.is_own(reference))
    with progress(f"start {exercise}") as line:
        begin.start(SITE.running(reference, instance), plan, exercise, line)
    sys.stdout.write(task_text(plan, found))


@task(
    help={"lab": LAB, "question": "the question to be helped with, and not the task", "instance": INSTANCE},
    positional=["lab"],
)
def hint(_: Context, lab: str, question: str = "", instance: str = "") -> None:
    """Show the next hint for the task that is begun, or for a question. Each costs a tenth of its points."""
    from srv6lab.teach import begin, questions

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    if question:
        text, number, of = questions.hint(SITE.home(reference, instance), plan, question)
    else:
        text, number, of = begin.hint(SITE.running(reference, instance), plan)
    print(f"hint {number} of {of}: {text}")


@task(
    help={
        "lab": LAB,
        "seed": f"of a planted fault: what {CALLED} break said",
        "instance": INSTANCE,
        "trust": TRUST,
    },
    positional=["lab"],
)
def solve(_: Context, lab: str, seed: str = "", instance: str = "", trust: bool = False) -> None:
    """Show the solution of the task that is begun, command by command and why, and do it. It has no points then.

    Of a planted fault it shows what is wrong and what mends it, and mends it; that takes the seed.
    """
    from srv6lab.cli.trust import require_solution
    from srv6lab.live.begun import FAULT
    from srv6lab.report import faults
    from srv6lab.teach import begin, diagnosis

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    one = SITE.running(reference, instance)
    begun = begin.begun_of(one, plan)
    if begun.kind == FAULT:
        sys.stdout.write(faults.truth_text(diagnosis.solve(one, plan, _seed_of(seed))))
    else:
        found = begin.task_of(plan, begun.exercise)
        require_solution(plan, found, trust=trust, known=SITE.is_own(reference))
        begin.solve(one, plan, print)
    print(f"next: {CALLED} check {plan.running}")


def _seed_of(seed: str) -> int:
    if not seed:
        raise UsageError(
            "a planted fault is opened by its seed only", f"--seed takes what {CALLED} break said"
        )
    if not (seed.isascii() and seed.isdigit()):
        raise UsageError(f"{seed!r} is no seed", "--seed takes a number")
    return int(seed[:40])


@task(
    help={"lab": LAB, "seed": f"of a planted fault: what {CALLED} break said", "instance": INSTANCE},
    positional=["lab"],
)
def reset(_: Context, lab: str, seed: str = "", instance: str = "") -> None:
    """Go back to the start of the task that is begun, whatever was typed since. What was hinted and tried stays counted.

    A planted fault is planted again, which takes its seed: nobody else knows it.
    """
    from srv6lab.live.begun import FAULT
    from srv6lab.teach import begin, diagnosis

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    one = SITE.running(reference, instance)
    with progress(f"reset {reference.name}") as line:
        if begin.begun_of(one, plan).kind == FAULT:
            begun = diagnosis.reset(one, plan, _seed_of(seed), line)
        else:
            begun = begin.reset(one, plan, line)
    print(f"{begun.exercise} is at its start again")


@task(help={"lab": LAB, "instance": INSTANCE}, positional=["lab"])
def finish(_: Context, lab: str, instance: str = "") -> None:
    """End the task that is begun: the lab is as its file says again. What was reached stays written down."""
    from srv6lab.teach import begin

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    with progress(f"finish {reference.name}") as line:
        begun = begin.finish(SITE.running(reference, instance), plan, line)
    print(f"{begun.exercise} is ended. Next: {CALLED} course")


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
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    sys.stdout.write(show(learn.scores(SITE.home(reference, instance), plan, exercise)))


@task(help={"format": f"{', '.join(formats.COURSES)}"})
def course(_: Context, format: str = "text") -> None:
    """Show every task of the course, what you have reached in it, and what is next."""
    from srv6lab.cli import learn

    show = formats.chosen(formats.COURSES, format)
    sys.stdout.write(show(learn.course(SITE)))


@task(
    name="break",
    help={
        "lab": LAB,
        "seed": "which fault: the same for everybody who says the same (default: any, and it is said)",
        "level": "1: it is where it shows; 2: it shows elsewhere, or in part; 3: two or three of other kinds",
        "exercise": "the exercise that is to show it (default: any)",
        "campaign": "so many times: break, diagnose, mend, with no learner; prints the figures of our own diagnosis",
        "format": f"how a campaign is printed: {', '.join(formats.CAMPAIGNS)}",
        "instance": INSTANCE,
    },
    positional=["lab"],
)
def break_(
    _: Context,
    lab: str,
    seed: str = "",
    level: int = 0,
    exercise: str = "",
    campaign: int = 0,
    format: str = "text",
    instance: str = "",
) -> None:
    """Plant a fault into a lab that is up, for somebody to find, and say what its users would report.

    A check is red because of it: that is proven before. What it is, is sealed: invoke answer judges place and cause.
    """
    from srv6lab.report import faults
    from srv6lab.teach import breaking, diagnosis
    from srv6lab.teach.campaign import campaign as rounds_of

    show = formats.chosen(formats.CAMPAIGNS, format)
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    one = SITE.running(reference, instance)
    chosen = _seed_of(seed) if seed else breaking.any_seed()
    with progress(f"break {reference.name}") as line:
        if campaign:
            with one.locked():
                rounds = [*rounds_of(one, plan, campaign, chosen, level, exercise, line)]
        else:
            broken = diagnosis.break_lab(one, plan, chosen, level or 1, exercise, line)
    sys.stdout.write(show(rounds) if campaign else faults.broken_text(plan, broken))
    if campaign and not all(each.good for each in rounds):
        raise Exit(code=4)


@task(
    help={
        "lab": LAB,
        "question": "the question to answer (default: list them all)",
        "text": "the answer: all words behind the question",
        "seal": "for authors: print what a topology says of this answer, so that nobody can read it there",
        "node": "of a planted fault: where it is",
        "cause": "of a planted fault: what it is; list says which there are",
        "mend": "of a planted fault: commands for that node, or NODE: COMMANDS, repeatable; then it is checked",
        "format": f"of questions: {', '.join(formats.ANSWERS)}",
        "instance": INSTANCE,
    },
    iterable=["text", "mend"],
    positional=["lab", "question", "text"],
)
def answer(
    _: Context,
    text: Sequence[str],
    mend: Sequence[str],
    lab: str = "",
    question: str = "",
    seal: str = "",
    node: str = "",
    cause: str = "",
    format: str = "text",
    instance: str = "",
) -> None:
    """Answer a question of a lab by what its newest check captured; without one, list them. Or say what is broken.

    An answer may be spelled as you like: 43, 0x2b or routing. Each wrong one costs a quarter of the question's points.
    Of a planted fault --node and --cause say what is wrong, or --mend mends it. All faults named are 60%, a check that is
    green again 40%; a wrong answer or mend costs 10%, a look at the causes 20%.
    """
    show_all, show = formats.chosen(formats.QUESTIONS, format), formats.chosen(formats.ANSWERS, format)
    if seal:
        from srv6lab.teach.seals import seal as sealed

        print(sealed(seal))
        return
    if node or cause or mend:
        _answer_fault(lab, mend, node, cause, instance)
        return
    from srv6lab.teach import questions

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    home = SITE.home(reference, instance)
    if not text:
        sys.stdout.write(show_all(plan, questions.asked(home, plan, question)))
        return
    found = questions.answer(home, plan, question, " ".join(text))
    sys.stdout.write(show(plan, found))
    sys.stdout.flush()
    if not found.judged.right:
        raise Exit(code=4 if found.judged.counted else 1)


def _answer_fault(lab: str, mend: Sequence[str], node: str, cause: str, instance: str) -> None:
    from srv6lab.report import faults
    from srv6lab.teach import diagnosis

    if cause == "list":
        sys.stdout.write(faults.causes_text(diagnosis.causes()))
        return
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    one = SITE.running(reference, instance)
    diagnosis.broken_of(one, plan)
    if cause or not mend:
        judged = diagnosis.judge_diagnosis(one, plan, node, cause)
        sys.stdout.write(faults.judged_text(judged, diagnosis.standing(diagnosis.broken_of(one, plan))))
    green = True
    if mend:
        with progress(f"answer {reference.name}") as line:
            green = diagnosis.judge_mend(one, plan, node, mend, line)
        print("green: it is mended" if green else "still red: that doesn't mend it, or not all of it")
    sys.stdout.write(faults.standing_text(plan, diagnosis.standing(diagnosis.broken_of(one, plan))))
    if not green or (cause and not judged.fault):
        raise Exit(code=4)
