"""What a node has of its own, in the kernel: it is done, the model is silent from there on, and nobody is accused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.errors import NodeError
from srv6lab.evidence.verdict import ChangeFailed, NotModeled, Status, Verdict
from srv6lab.live import snapshot
from srv6lab.live.instance import Request
from srv6lab.live.lifecycle import up
from tests.conftest import SITE, Up, silent

LAB = str(Path(__file__).parent / "more" / "way-out.yml")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(LAB)


def judged(lab: Up, exercise: str) -> Verdict:
    (verdict,) = check(lab.running, lab.plan, [exercise], silent)
    return verdict


def test_files_settings_and_commands_are_done(lab: Up) -> None:
    assert lab.sh("b", "cat /tmp/told") == "eth1 /root /\n"
    assert lab.sh("b", "cat /etc/own; stat -c '%a %U:%G' /etc/own") == "it's\n600 daemon:daemon\n"
    assert lab.sh("b", "cat /proc/sys/net/ipv6/conf/eth1/hop_limit") == "40\n"
    assert lab.sh("b", "pgrep -c sleep") == "1\n"


def test_nothing_of_it_is_outside_of_the_node(lab: Up) -> None:
    assert not Path("/usr/local/bin/tell").exists()
    assert lab.running.exec("a", ["cat", "/etc/own"]).exit_code != 0


def test_the_author_is_heard_where_the_model_is_silent(lab: Up) -> None:
    verdict = judged(lab, "by-the-author")
    assert verdict.status is Status.PASS, verdict
    (note,) = (item.gist() for item in verdict.items if isinstance(item, NotModeled))
    assert note == "not modeled from b on: b has commands, files and settings of its own"


def test_an_author_who_is_wrong_behind_it_accuses_no_node(lab: Up) -> None:
    verdict = judged(lab, "author-is-wrong")
    assert verdict.status is Status.FAIL
    assert [(one.cause, one.node) for one in verdict.suspects] == [("not-modeled", "b")]


def test_before_it_the_model_speaks(lab: Up) -> None:
    verdict = judged(lab, "before-it")
    assert verdict.status is Status.FAIL
    assert {item.alone for item in verdict.items if item.status is Status.FAIL} == {"expected"}


def test_commands_of_an_exercise_are_taken_back(lab: Up) -> None:
    before = lab.sh("d", "ip -6 route; ip -6 address show dev eth2 scope global")
    verdict = judged(lab, "by-command")
    assert verdict.status is Status.PASS, verdict
    assert lab.sh("d", "ip -6 route; ip -6 address show dev eth2 scope global") == before


def test_a_command_that_fails_is_named_and_what_was_put_is_taken_back(lab: Up) -> None:
    verdict = judged(lab, "refused")
    (failed,) = (item for item in verdict.items if isinstance(item, ChangeFailed))
    assert "d: its command put-2 failed with exit code 9: echo no >&2; exit 9\n  no" in failed.gist()
    assert lab.running.exec("d", ["cat", "/tmp/half"]).exit_code != 0
    assert not lab.running.home.applied.exists()


def test_a_file_that_somebody_changed_is_a_difference(lab: Up) -> None:
    lab.sh("b", "echo more >>/etc/own; rm /usr/local/bin/tell")
    found = [one for one in snapshot.differences(lab.running) or () if one.section == "file"]
    assert [one.node for one in found] == ["b"]
    assert len(found[0].gone) == 2 and len(found[0].new) == 1
    lab.again()
    assert snapshot.differences(lab.running) == ()


def test_commands_are_run_again_by_up(lab: Up) -> None:
    lab.sh("b", "ip -6 route del 2001:bc::2/128; rm -f /tmp/told")
    lab.again()
    assert lab.sh("b", "cat /tmp/told") == "eth1 /root /\n"
    assert "2001:bd::2" in lab.sh("b", "ip -6 route show 2001:bc::2")


def test_a_command_that_fails_leaves_nothing(lab: Up) -> None:
    """The lab that is up stays."""
    home = SITE.home(lab.reference, f"{lab.instance}-bad")
    b = lab.plan.node("b")
    bad = replace(b, own=replace(b.own, commands=("true", "echo oops >&2; exit 7")))
    plan = replace(lab.plan, nodes=tuple(bad if node is b else node for node in lab.plan.nodes))
    with pytest.raises(NodeError) as refused:
        up(home, plan, Request(lab.reference), silent)
    assert str(refused.value) == "b: its command 2 failed with exit code 7: echo oops >&2; exit 7\n  oops"
    assert not home.path.exists()
