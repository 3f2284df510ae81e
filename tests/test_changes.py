"""What an exercise applies is taken back: at its end, after a failure, after a crash."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from tests.conftest import LABS, Up, silent


@pytest.fixture(scope="module")
def up_once(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(LABS[0])


def left(lab: Up) -> None:
    """A change that a check which died has left: taken back, it writes a word to a file."""
    lab.running.home.applied.write_text(json.dumps([(lab.plan.nodes[0].name, "echo -left >>/tmp/said")]))


def said(lab: Up) -> str:
    node = lab.plan.nodes[0].name
    return " ".join(lab.sh(node, "cat /tmp/said 2>/dev/null; rm -f /tmp/said").split())


def test_what_a_dead_check_left_is_taken_back_by_the_next(up_once: Up) -> None:
    left(up_once)
    (verdict,) = check(up_once.running, up_once.plan, [up_once.plan.exercises[0].name], silent)
    assert verdict.status is Status.PASS
    assert said(up_once) == "-left"


def test_what_a_dead_check_left_is_taken_back_by_up(up_once: Up) -> None:
    left(up_once)
    up_once.again()
    assert said(up_once) == "-left"


def test_every_action_of_every_lab_leaves_nothing(lab: Up) -> None:
    """Routes and rules of all nodes are after an exercise's actions what they were before. The numbers that routers
    give to next hops are their own affair."""
    rules = "ip rule; ip -6 rule; iptables-save | grep ^-A; ip6tables-save | grep ^-A"
    show = f"ip route; ip -6 route; {rules}; nft list tables | grep -vE ' ip6? filter'; true"

    def whole() -> list[list[str]]:
        shown = [lab.sh(machine.name, show) for machine in lab.plan.nodes]
        return [sorted(re.sub(r" nhid \d+", "", text).splitlines()) for text in shown]

    check(lab.running, lab.plan, [lab.plan.exercises[0].name], silent)
    before = whole()
    names = [exercise.name for exercise in lab.plan.exercises]
    assert all(v.status is Status.PASS for v in check(lab.running, lab.plan, names, silent))
    assert whole() == before
