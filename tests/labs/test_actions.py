"""What exercises change in nodes, in the kernel: it is what the model says, and taken back to the last line, also when
the check is interrupted or killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check, exit_code
from srv6lab.evidence.verdict import ChangeFailed, Status, Verdict
from srv6lab.live import sending, snapshot
from srv6lab.live.send import program
from srv6lab.topology.actions import parsed
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.expectations import Expect
from tests.conftest import INVOKE, REPOSITORY, SITE, Up, silent
from tests.machine import settles

LAB = Path(__file__).parent / "more" / "actions.yml"
NOT_HERE = "lossy"  # it takes netem
PLAN = SITE.load(SITE.refer(str(LAB)))[0]
EXERCISES = [one.name for one in PLAN.exercises if one.name != NOT_HERE]


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(str(LAB))


def judged(lab: Up, exercise: str) -> Verdict:
    (verdict,) = check(lab.running, lab.plan, [exercise], silent)
    return verdict


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_kernel_does_what_the_model_says_and_all_is_taken_back(lab: Up, exercise: str) -> None:
    verdict = judged(lab, exercise)
    assert verdict.status is Status.PASS, verdict
    assert snapshot.differences(lab.running) == ()
    assert not lab.running.home.applied.exists()


@pytest.fixture(scope="module")
def routers(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(str(LAB.with_name("actions-isis.yml")))


def test_routers_find_another_way_and_the_first_again(routers: Up) -> None:
    names = [one.name for one in routers.plan.exercises]
    verdicts = check(routers.running, routers.plan, names, silent)
    assert [one.status for one in verdicts] == [Status.PASS] * len(names), verdicts
    assert snapshot.differences(routers.running) == ()


def test_a_headend_elects_without_its_nics_and_anew_with_them(labs_up: Callable[[str], Up]) -> None:
    """The model is the only witness beside the captures: one NIC after the other, then the headend itself."""
    plan, node = next((one, node) for one in SITE.plans() for node in one.nodes if node.headend)
    lab = labs_up(plan.name)
    probe = next(probe for exercise in plan.exercises for probe in exercise.every_probe() if probe.icmp)
    few = probe.model_copy(update={"icmp": 3, "answered": None})
    assert node.headend
    nics = sorted({nic for _, nic in node.headend.nics})[:2]
    actions = [parsed({"link": {"at": f"{node.name}:{nic}", "state": "down"}}) for nic in nics]
    exercises = tuple(
        Exercise(name=f"without-{number}", apply=(action,), probes=(few,), expect=Expect())
        for number, action in enumerate([*actions, parsed({"stop": {"node": node.name}})])
    )
    names = [one.name for one in exercises]
    verdicts = check(lab.running, replace(plan, exercises=(*plan.exercises, *exercises)), names, silent)
    assert [one.status for one in verdicts] == [Status.PASS] * len(names), verdicts
    assert snapshot.differences(lab.running) == ()


def test_what_the_kernel_lacks_is_inconclusive_with_the_mend(lab: Up) -> None:
    if lab.running.exec("a", ["sh", "-c", "tc qdisc add dev lo root netem delay 1ms"]).exit_code == 0:
        lab.sh("a", "tc qdisc del dev lo root")
        assert judged(lab, NOT_HERE).status is Status.PASS
        return
    verdict = judged(lab, NOT_HERE)
    (item,) = verdict.items
    assert isinstance(item, ChangeFailed) and item.status is Status.INCONCLUSIVE
    assert "no netem (CONFIG_NET_SCH_NETEM)" in item.note and "--kernel newest" in item.note
    assert exit_code([verdict]) == 3
    assert not lab.running.home.applied.exists()


def test_a_nic_that_was_down_already_is_found(lab: Up) -> None:
    """Somebody's own doing is no part of the exercise, and named."""
    lab.sh("b", "ip link set dev eth2 down")
    verdict = judged(lab, "plain")
    assert verdict.status is Status.FAIL
    assert "b" in {one.node for one in verdict.suspects}
    lab.again()
    assert judged(lab, "plain").status is Status.PASS


def running(lab: Up, node: str, name: str) -> list[str]:
    """The processes of that name in a node, and those alone that live."""
    stats = lab.sh(node, "cat /proc/[0-9]*/stat 2>/dev/null || :").splitlines()
    return [line for line in stats if f"({name}) " in line and f"({name}) Z" not in line]


ENDS = {signal.SIGINT: 1, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}


@pytest.mark.parametrize("number", ENDS)
def test_a_check_that_ends_in_the_middle(lab: Up, number: signal.Signals) -> None:
    """Its probe ends with it, however it ends. Interrupted, it takes back what it did; killed, the next check does. The run
    before it is as it was."""
    left = number == signal.SIGKILL
    earlier = lab.running.home.run("dead") / "earlier"
    earlier.parent.mkdir(parents=True, exist_ok=True)
    earlier.touch()
    words = [*INVOKE, "check", str(LAB), "dead", "--instance", lab.instance]
    with subprocess.Popen(
        words,
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as popen:
        assert popen.stderr
        while "probe ping" not in (line := popen.stderr.readline()):
            assert line, "it ended before it sent anything"
        assert "DOWN" in lab.sh("b", "ip -oneline link show dev eth1")
        assert settles(lambda: bool(running(lab, "a", "ping")))
        os.killpg(popen.pid, number)
        popen.stderr.read()
    assert popen.returncode == ENDS[number] and earlier.exists()
    assert settles(lambda: not running(lab, "a", "ping"))
    assert (lab.running.home.applied.exists(), lab.running.home.sending.exists()) == (left, left)
    assert ("DOWN" in lab.sh("b", "ip -oneline link show dev eth1")) is left
    assert judged(lab, "plain").status is Status.PASS
    assert snapshot.differences(lab.running) == ()
    assert not lab.running.home.applied.exists()
    assert not lab.running.home.sending.exists()


def test_a_probe_that_is_stopped_ends_what_it_began_and_nothing_else(lab: Up) -> None:
    """What listens in the background, too; with `up` what a killed check has left."""
    listen = program("transfer", "listen", "6")
    home, one = lab.running.home, lab.running
    with sending.begun(one, ["d"], "another"):
        assert sending.run(one, "d", [*listen, "7001"], "another", 10).exit_code == 0
        with pytest.raises(KeyboardInterrupt), sending.begun(one, ["a", "d"], "mine"):
            for port in ("7002", "7003"):
                assert sending.run(one, "d", [*listen, port], "mine", 10).exit_code == 0
            assert len(running(lab, "d", "python3")) == 3
            raise KeyboardInterrupt
        assert len(running(lab, "d", "python3")) == 1, "another probe's goes on"
        left = home.sending.read_text()
    assert not home.sending.exists()
    home.sending.write_text(left)
    lab.again()
    assert not running(lab, "d", "python3") and not home.sending.exists()
