"""What tasks for learners ask for: a task begun, its score, the course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from srv6lab.called import CALLED
from srv6lab.cli.labs import LabsFolder
from srv6lab.errors import UsageError
from srv6lab.evidence.score import Score
from srv6lab.live.begun import TASK, read_begun, write_begun
from srv6lab.providers.state import Home
from srv6lab.suggest import or_all
from srv6lab.teach import learned

if TYPE_CHECKING:
    from srv6lab.evidence.verdict import Verdict
    from srv6lab.plan.nodes import Plan
    from srv6lab.teach.course import Station


def checked_names(home: Home, plan: Plan, names: Sequence[str], asked: Sequence[str]) -> list[str]:
    """The exercises that `check` runs: while something is begun only that; UsageError where another is asked for."""
    begun = read_begun(home)
    if begun is None:
        return list(names)
    if others := [name for name in asked if name != begun.exercise]:
        what = f"{begun.exercise} is begun, so {', '.join(others)} can't be checked"
        raise UsageError(what, f"{CALLED} check {plan.running}, or first {CALLED} finish {plan.running}")
    return [begun.exercise]


def after_check(home: Home, plan: Plan, verdicts: Sequence[Verdict], *, causes: bool) -> Score | None:
    """Count the check of what is begun and write down what it came to; None where nothing is begun."""
    from srv6lab.evidence.verdict import Status
    from srv6lab.judge.score import parts

    begun = read_begun(home)
    found = next((one for one in verdicts if begun and one.exercise == begun.exercise), None)
    if begun is None or found is None:
        return None
    begun = replace(begun, checks=begun.checks + 1, causes=begun.causes + causes)
    write_begun(home, begun)
    if begun.kind != TASK:
        return None
    task = plan.exercise(begun.exercise)[1]
    entry = learned.told(home, plan, begun, parts(task, found), passed=found.status is Status.PASS)
    return learned.score(task, entry)


def scores(home: Home, plan: Plan, asked: str) -> list[Score]:
    """The scores of the instance's tasks, or of one; UsageError where nothing was begun."""
    entries = learned.read_learned(home).labs.get(plan.name, {})
    if asked and asked not in entries:
        tasks = [one.name for one in plan.exercises if one.is_task]
        mend = f"{CALLED} start {plan.running} --exercise {asked}" if asked in tasks else or_all(asked, tasks)
        raise UsageError(f"{asked} was never begun", mend)
    if not entries:
        raise UsageError(f"no task of {plan.name} was begun", f"{CALLED} course shows them")
    return [
        learned.score(one, entries[one.name])
        for one in plan.exercises
        if one.name in entries and asked in ("", one.name)
    ]


def course(site: LabsFolder) -> list[Station]:
    """Every task of the course with what was reached in it, in any instance."""
    from srv6lab.teach.course import stations

    folder = site.instances / ".progress"
    homes = [Home(site.instances / path.stem) for path in sorted(folder.glob("*.json"))]
    return stations(site.course()[0], [learned.read_learned(home) for home in homes])
