"""A lab that is up is broken so that a check is red for that reason, tells nobody why, and is whole again after the mend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.errors import Interrupted, UsageError
from srv6lab.evidence.verdict import Status
from srv6lab.live import snapshot
from srv6lab.live.begun import Begun, forget_begun, read_begun, write_begun
from srv6lab.teach import breaking, diagnosis
from srv6lab.teach.campaign import Figures, Round, campaign
from srv6lab.teach.proof import Proof
from tests.conftest import SITE, Up, silent

SEED = 11


@pytest.fixture(scope="module")
def lab(labs_up: Callable[[str], Up]) -> Up:
    return labs_up(SITE.course()[0][0].name)


@pytest.fixture(scope="module")
def broken(lab: Up) -> Iterator[tuple[Up, breaking.Broken]]:
    """The lab with one fault in it that shows elsewhere."""
    shutil.rmtree(lab.running.home.runs, ignore_errors=True)  # of what was checked in it before
    for node in lab.running.nodes():
        lab.sh(node, "touch /run/before")
    found = diagnosis.break_lab(lab.running, lab.plan, SEED, 2, "", silent)
    yield lab, found
    breaking.mend(lab.running, found.faults[0].mend)
    forget_begun(lab.running.home)


def whole(lab: Up) -> bool:
    return snapshot.differences(lab.running) == () and read_begun(lab.running.home) is None


def test_an_interrupt_leaves_nothing(lab: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far it has come: while it looks, while a fault is in, and while it is written down."""
    real, calls = breaking.checked, []

    def interrupted(*args: object) -> Proof:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(breaking, "checked", interrupted)
    with pytest.raises(Interrupted, match="nothing is broken"):
        diagnosis.break_lab(lab.running, lab.plan, SEED, 1, "", silent)
    assert len(calls) == 2 and whole(lab)


def test_what_is_broken_is_red_for_its_reason(broken: tuple[Up, breaking.Broken]) -> None:
    _, found = broken
    assert found.proof and found.proof.red and found.proof.shows(found.faults[0])
    assert len(found.faults) == 1 and found.symptoms


def test_nothing_of_the_proof_stays(broken: tuple[Up, breaking.Broken]) -> None:
    lab, found = broken
    home = lab.running.home
    assert not home.run(found.exercise).exists(), "neither captures nor a verdict"
    assert not home.applied.exists() or json.loads(home.applied.read_text()) == []


def test_no_file_tells_what_it_is(broken: tuple[Up, breaking.Broken]) -> None:
    """An attack: all files of the instance, and all that nodes have written since, are read for its words."""
    lab, found = broken
    fault = found.faults[0]
    secrets = [fault.truth, fault.kind, *fault.causes, *(command for _, command in fault.do + fault.mend)]
    home, read = lab.running.home, []
    for path in (one for one in home.path.rglob("*") if one.is_file() and one.suffix != ".pcap"):
        relative = path.relative_to(home.path)
        if relative.parts[0] not in ("day0", "day0.json"):  # Day0, which everybody may read, is as it was
            read.append(relative)
            assert [word for word in secrets if word.encode() in path.read_bytes()] == [], relative
    assert Path("task.json") in read
    begun = read_begun(home)
    assert begun and [node for node in lab.running.nodes() if f'"{node}"' in begun.sealed] == []
    for node in lab.running.nodes():
        fresh = lab.sh(node, "find /run /var/lib/srv6lab -newer /run/before -type f ! -path /run/before")
        assert set(fresh.split()) <= {"/var/lib/srv6lab/nics"}, f"{node} has written {fresh}"  # Day0's own
    commands = " ".join(
        one.read_text(errors="replace") for one in Path("/proc").glob("[0-9]*/cmdline") if _there(one)
    )
    assert fault.do[0][1] not in commands.replace("\0", " ")


def _there(path: Path) -> bool:
    try:
        return bool(path.read_text(errors="replace"))
    except OSError:
        return False


def test_a_check_is_blind(broken: tuple[Up, breaking.Broken]) -> None:
    lab, found = broken
    (verdict,) = check(lab.running, lab.plan, [found.exercise], silent)
    assert verdict.status is Status.FAIL and verdict.suspects == ()
    run = lab.running.home.run(found.exercise)
    fault = found.faults[0]
    texts = [path.read_text() for path in run.glob("*.json")]
    assert texts and not [text for text in texts for cause in fault.causes if cause in text]


def test_a_second_one_is_refused(broken: tuple[Up, breaking.Broken]) -> None:
    lab, _ = broken
    with pytest.raises(UsageError, match="planted already"):
        diagnosis.break_lab(lab.running, lab.plan, 1, 1, "", silent)


def test_it_is_found_mended_and_planted_again(broken: tuple[Up, breaking.Broken]) -> None:
    lab, found = broken
    fault = found.faults[0]
    assert diagnosis.judge_diagnosis(lab.running, lab.plan, fault.node, fault.causes[0]).fault == 1
    assert not diagnosis.judge_mend(lab.running, lab.plan, fault.node, ["true"], silent)
    said = [f"{node}: {command}" for node, command in fault.mend]
    assert diagnosis.judge_mend(lab.running, lab.plan, "", said, silent)
    standing = diagnosis.standing(diagnosis.broken_of(lab.running, lab.plan))
    assert (standing.percent, standing.tries) == (90, 1)
    assert snapshot.differences(lab.running) == ()
    with pytest.raises(UsageError, match="isn't the seed"):
        diagnosis.reset(lab.running, lab.plan, SEED + 1, silent)
    diagnosis.reset(lab.running, lab.plan, SEED, silent)
    assert snapshot.differences(lab.running) != ()
    assert diagnosis.solve(lab.running, lab.plan, SEED) == found.faults
    assert snapshot.differences(lab.running) == ()
    assert diagnosis.standing(diagnosis.broken_of(lab.running, lab.plan)).percent == 0


@pytest.mark.parametrize(
    ("level", "exercise", "says"), [(4, "", "no level 4"), (1, "nothing", "no exercise 'nothing'")]
)
def test_what_cannot_be_asked_for_is_said(lab: Up, level: int, exercise: str, says: str) -> None:
    forget_begun(lab.running.home)
    with pytest.raises(UsageError, match=says):
        diagnosis.break_lab(lab.running, lab.plan, 1, level, exercise, silent)


def test_a_lab_that_is_not_whole_is_refused(lab: Up) -> None:
    forget_begun(lab.running.home)
    node = lab.running.nodes()[0]
    lab.sh(node, "ip address add 10.99.0.1/32 dev lo")
    try:
        with pytest.raises(UsageError, match="isn't as Day0 left it"):
            diagnosis.break_lab(lab.running, lab.plan, 1, 1, "", silent)
    finally:
        lab.sh(node, "ip address del 10.99.0.1/32 dev lo")


def test_a_task_that_is_begun_is_refused(lab: Up) -> None:
    write_begun(lab.running.home, Begun("anything", "task", "now"))
    try:
        with pytest.raises(UsageError, match="anything is begun"):
            diagnosis.break_lab(lab.running, lab.plan, 1, 1, "", silent)
        with pytest.raises(UsageError, match="no fault is planted"):
            diagnosis.judge_diagnosis(lab.running, lab.plan, lab.running.nodes()[0], "frozen")
    finally:
        forget_begun(lab.running.home)


def test_a_campaign_leaves_the_lab_as_it_was(broken: tuple[Up, breaking.Broken]) -> None:
    lab, found = broken
    breaking.mend(lab.running, found.faults[0].mend)
    forget_begun(lab.running.home)
    with lab.running.home.locked():
        rounds = [*campaign(lab.running, lab.plan, 2, 5, 0, "", silent)]
    assert all(one.good for one in rounds), rounds
    assert whole(lab)
    figures = Figures.of(rounds)
    assert (figures.rounds, figures.broken, figures.mended, figures.clean) == (2, 2, 2, 2)


def test_figures_count_what_was_not_red() -> None:
    figures = Figures.of([Round(1, 1), Round(2, 2, "ping", ("sid-gone r2",), red=True, left="a route")])
    assert (figures.broken, figures.mended, figures.first, figures.clean) == (1, 0, 0, 1)
