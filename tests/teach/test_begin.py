"""A task from its start to its end, in a lab of the tests' own that is really up."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli import learn
from srv6lab.cli import tasks as cli
from srv6lab.cli.status import status
from srv6lab.errors import LabError, UsageError
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.live import snapshot
from srv6lab.live.begun import read_begun
from srv6lab.live.instance import Reference
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.nodes import Plan
from srv6lab.teach import begin, learned
from tests.conftest import SITE, Up, bring, need_root, silent
from tests.in_process import Typed
from tests.teach.small_tasks import TASKS


@pytest.fixture(scope="module")
def home_and_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    need_root()
    path = tmp_path_factory.mktemp("tasks") / "small.yml"
    path.write_text(TASKS)
    reference = Reference(path, "small")
    home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    try:
        yield bring(home, SITE.load(reference)[0], reference)
    finally:
        destroy(home, purge=True)
        home.progress.unlink(missing_ok=True)


@pytest.fixture
def up(home_and_lab: Up) -> Iterator[Up]:
    """As it is now: a lab that was made anew has another state."""
    yield now(home_and_lab)
    if read_begun(home_and_lab.running.home):
        begin.finish(now(home_and_lab).running, home_and_lab.plan, silent)
    home_and_lab.running.home.progress.unlink(missing_ok=True)


def now(up: Up) -> Up:
    state = up.running.home.read()
    assert state
    return replace(up, running=replace(up.running, state=state))


def checked(up: Up, name: str, *, causes: bool = False) -> Verdict:
    (verdict,) = cli.check(up.running, up.plan, [name], silent, causes=causes)
    learn.after_check(up.running.home, up.plan, [verdict], causes=causes)
    return verdict


def run(up: Up, node: str, script: str) -> None:
    done = up.running.exec(node, ["bash", "-ec", script], timeout=10)
    assert done.exit_code == 0, done.stderr


def differs(up: Up) -> bool:
    return snapshot.differences(up.running) != ()


MEND = "ip -6 route add fc00:b::d4 encap seg6local action End.DX4 nh4 10.0.2.1 dev eth1"


def test_a_task_is_red_at_its_start_and_green_by_its_solution(up: Up) -> None:
    begin.start(up.running, up.plan, "lost", silent)
    red = checked(up, "lost")
    assert (red.status, red.suspects) == (Status.FAIL, ())
    said: list[str] = []
    begin.solve(up.running, up.plan, said.append)
    assert said == ["# exit has to hand the rest to east", f"exit# {MEND}"]
    assert checked(up, "lost").status is Status.PASS
    begin.finish(up.running, up.plan, silent)
    assert not differs(up) and read_begun(up.running.home) is None
    assert checked(up, "across").status is Status.PASS


def test_what_is_written_down_of_a_blind_run_names_no_cause(up: Up) -> None:
    """Neither the verdict nor what it was made of; and whoever judges the captures again isn't told either."""
    from srv6lab.judge.grade import grade

    begin.start(up.running, up.plan, "lost", silent)
    checked(up, "lost")
    folder = up.running.home.run("lost")
    (verdict,) = json.loads((folder / "verdict.json").read_text())
    observed = json.loads((folder / "observations.json").read_text())
    assert verdict["status"] == "fail" and verdict["suspects"] == []
    assert (observed["compared"], observed["differences"], observed["blind"]) == (False, [], True)
    assert grade(up.plan, "lost", folder, silent).suspects == ()
    told = checked(up, "lost", causes=True)
    assert told.suspects[0].cause == "sid-not-installed" and told.suspects[0].node == "exit"
    begun = read_begun(up.running.home)
    assert begun and (begun.causes, begun.checks) == (1, 2)


def test_by_hand_what_the_exercise_applies_is_left_to_the_learner(up: Up) -> None:
    assert checked(up, "one-segment").status is Status.PASS  # not begun: check applies it
    begin.start(up.running, up.plan, "one-segment", silent)
    by_hand = "ip route replace 10.0.2.0/24 encap seg6 mode encap segs fc00:b::d4 dev eth2"
    run(up, "gate", "ip route replace 10.0.2.0/24 encap seg6 mode encap segs fc00:b::e,fc00:b::d4 dev eth2")
    assert checked(up, "one-segment").status is Status.FAIL
    run(up, "gate", by_hand)
    assert checked(up, "one-segment").status is Status.PASS
    assert checked(up, "one-segment").status is Status.PASS  # it outlasts a check
    begin.finish(up.running, up.plan, silent)
    assert not differs(up)


def test_reset_takes_away_whatever_was_typed(up: Up) -> None:
    begin.start(up.running, up.plan, "lost", silent)
    run(
        up,
        "gate",
        "nft add table inet mine; ip route del 10.0.2.0/24; ip -6 route add fc00:b::d4 dev eth2 via 2001:ab::2",
    )
    run(up, "exit", MEND)
    begin.hint(up.running, up.plan)
    before = read_begun(up.running.home)
    after = begin.reset(up.running, up.plan, silent)
    assert before and (after.hints, after.when) == (1, before.when)
    up = now(up)
    changed = snapshot.differences(up.running)
    assert changed and {one.node for one in changed} == {"exit"}
    assert checked(up, "lost").status is Status.FAIL


def test_only_what_is_begun_is_checked(up: Up) -> None:
    home, names = up.running.home, ["across", "one-segment"]
    assert learn.checked_names(home, up.plan, names, []) == names
    begin.start(up.running, up.plan, "lost", silent)
    assert learn.checked_names(home, up.plan, names, []) == ["lost"]
    with pytest.raises(UsageError, match="lost is begun, so across can't be checked"):
        learn.checked_names(home, up.plan, ["across"], ["across"])


def test_status_and_up_tell_nothing_of_what_a_learner_is_to_find(up: Up, typed: Typed) -> None:
    """Nor does `up` mend it."""
    begin.start(up.running, up.plan, "lost", silent)
    _, told = status(up.running)
    assert told is None and differs(up)
    words = f"lab={up.reference.path}", "--instance", up.instance
    done = typed("status", *words)
    assert (
        (done.returncode, done.stderr) == (0, "")
        and "gate" in done.stdout
        and "fc00:b::d4" not in done.stdout
    )
    done = typed("up", *words)
    assert done.returncode == 0 and "nothing is brought back" in done.stdout
    assert differs(up) and read_begun(up.running.home)
    begin.finish(up.running, up.plan, silent)
    run(up, "exit", "ip -6 route del fc00:b::d4")
    _, told = status(up.running)
    assert told and told[0].node == "exit"
    begin.restore(up.running, up.plan, silent)


def test_hints_come_in_order_and_cost_points(up: Up) -> None:
    begin.start(up.running, up.plan, "lost", silent)
    assert begin.hint(up.running, up.plan) == ("Look at exit.", 1, 2)
    assert begin.hint(up.running, up.plan)[1:] == (2, 2)
    with pytest.raises(UsageError, match="no other hint"):
        begin.hint(up.running, up.plan)
    run(up, "exit", MEND)
    checked(up, "lost")
    (score,) = learn.scores(up.running.home, up.plan, "lost")
    assert (float(score.points), score.of, score.reasons) == (4.8, 6, ("2 hints: 20% of the points",))


def test_who_begins_again_has_had_his_hints(up: Up) -> None:
    """Else a task that is finished and begun again would be worth all of its points."""
    begin.start(up.running, up.plan, "lost", silent)
    begin.hint(up.running, up.plan)
    begin.solve(up.running, up.plan, lambda _: None)
    begin.finish(up.running, up.plan, silent)
    again = begin.start(now(up).running, up.plan, "lost", silent)
    assert (again.hints, again.solved) == (1, True)
    assert begin.hint(now(up).running, up.plan)[1:] == (2, 2)


def test_what_was_reached_outlasts_destroy(up: Up) -> None:
    begin.start(up.running, up.plan, "lost", silent)
    run(up, "exit", MEND)
    checked(up, "lost")
    assert destroy(up.running.home, purge=True)
    entry = learned.read_learned(up.running.home).entry("small", "lost")
    assert entry and entry.passed and entry.best == "6"
    bring(up.running.home, up.plan, up.reference)
    assert read_begun(up.running.home) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("lost", "lost is begun already"), ("one-segment", "lost is begun already")],
)
def test_one_task_at_a_time(up: Up, name: str, words: str) -> None:
    begin.start(up.running, up.plan, "lost", silent)
    with pytest.raises(UsageError, match=words):
        begin.start(up.running, up.plan, name, silent)


def test_a_start_that_fails_leaves_nothing(up: Up) -> None:
    lost = up.plan.exercise("lost")[1]
    broken = lost.model_copy(update={"start": (*lost.start, _commands())})
    plan = replace(up.plan, exercises=(broken,))
    with pytest.raises(LabError, match="No such file"):
        begin.start(up.running, plan, "lost", silent)
    assert read_begun(up.running.home) is None and not differs(up)


def _commands() -> object:
    from srv6lab.topology.actions import parsed

    return parsed({"commands": {"node": "west", "put": ["cat /nowhere"], "back": ["true"]}})


def test_a_record_that_was_tampered_with_is_told(up: Up) -> None:
    up.running.home.task.write_text('{"schema": 1, "exercise": 3}')
    with pytest.raises(LabError, match="isn't as it was written"):
        read_begun(up.running.home)
    up.running.home.task.unlink()
    up.running.home.progress.parent.mkdir(exist_ok=True)
    up.running.home.progress.write_text("[]")
    with pytest.raises(LabError, match="isn't as it was written"):
        learned.read_learned(up.running.home)


def test_what_is_no_task_is_refused(up: Up) -> None:
    plan: Plan = up.plan
    with pytest.raises(UsageError, match="small has no task 'across'"):
        begin.task_of(plan, "across")
    for verb in (begin.reset, begin.finish):
        with pytest.raises(UsageError, match="no task is begun"):
            verb(up.running, plan, silent)


def test_where(tmp_path: Path) -> None:
    """What a learner reached lies beside the instances, never in one that is called so."""
    from srv6lab.providers.state import Home

    assert Home(tmp_path / "x").progress == tmp_path / ".progress" / "x.json"
