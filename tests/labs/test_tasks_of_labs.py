"""Every task of every lab is done: red at its start, green by its solution, put back, and nothing is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from srv6lab.cli import tasks as cli
from srv6lab.evidence.verdict import Status
from srv6lab.live import snapshot
from srv6lab.live.begun import read_begun
from srv6lab.live.lifecycle import destroy
from srv6lab.providers.state import Home
from srv6lab.teach import begin
from srv6lab.topology.exercises import Exercise
from tests.conftest import SITE, Up, bring, need_root, silent

COURSE, _ = SITE.course()
TASKS = [(lab.name, task.name) for lab in COURSE for task in lab.exercises if task.changes_the_lab]
# In `make test` those of the first two labs that have any.
SAMPLE = {name for name, _ in TASKS[:1]} | {name for name, _ in TASKS[4:5]}
PARAMETERS = [pytest.param(*one, marks=[] if one[0] in SAMPLE else [pytest.mark.prove]) for one in TASKS]


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, Up]]:
    need_root()
    found: dict[str, Up] = {}
    yield found
    for up in found.values():
        destroy(up.running.home, purge=True)
        up.running.home.progress.unlink(missing_ok=True)


def now(up: Up) -> Up:
    """As it is now: a lab that was made anew has another state."""
    return bring(up.running.home, up.plan, up.reference) if up.running.home.read() is None else _read(up)


def _read(up: Up) -> Up:
    return Up(SITE.running(up.reference, up.running.name), up.plan, up.reference)


def status(up: Up, task: str) -> Status:
    (verdict,) = cli.check(_read(up).running, up.plan, [task], silent)
    return verdict.status


@pytest.mark.parametrize(("lab", "task"), PARAMETERS)
def test_a_task_can_be_done(
    running: dict[str, Up], record_property: Callable[[str, object], None], lab: str, task: str
) -> None:
    if lab not in running:
        for other in [*running.values()]:  # one lab at a time
            destroy(other.running.home, purge=True)
        running.clear()
        reference = SITE.refer(lab)
        running[lab] = bring(_home(lab), SITE.load(reference)[0], reference)
    up = running[lab]
    begin.start(_read(up).running, up.plan, task, silent)
    assert status(up, task) is Status.FAIL, "the start is green"
    begin.solve(_read(up).running, up.plan, lambda _: None)
    assert status(up, task) is Status.PASS, "the solution is red"
    began = time.monotonic()
    begin.reset(_read(up).running, up.plan, silent)
    record_property("reset", round(time.monotonic() - began, 2))
    assert status(up, task) is Status.FAIL, "after a reset it is green"
    begin.finish(_read(up).running, up.plan, silent)
    one = _read(up).running
    assert read_begun(one.home) is None and snapshot.differences(one) == ()


def _home(lab: str) -> Home:
    return SITE.home(SITE.refer(lab), f"test-task-{lab}")


@pytest.mark.parametrize("lab", COURSE, ids=lambda lab: lab.name)
def test_a_lab_has_three_tasks_and_says_how_long_each_takes(lab: object) -> None:
    tasks: list[Exercise] = [one for one in lab.exercises if one.is_task]  # type: ignore[attr-defined]
    assert len(tasks) >= 3
    for one in tasks:
        assert one.task.strip() and one.minutes and one.description, one.name
        assert one.hints or one.questions, one.name
        assert len({*one.hints}) == len(one.hints), one.name
        last = " ".join(line for step in one.solution for line in step.run)
        assert not any(last and last in hint for hint in one.hints[:-1]), (
            f"{one.name}: an early hint tells all"
        )
