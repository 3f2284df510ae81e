"""What an exercise applies is taken back: at its end, after a failure, after a crash."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from srv6lab.cli.tasks import check, exit_code
from srv6lab.evidence.verdict import DiffersFromDay0, Status
from srv6lab.live.snapshot import KEPT
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


def test_what_a_dead_check_left_is_no_difference_from_day0(up_once: Up) -> None:
    """It is taken back before anybody looks."""
    node = up_once.plan.nodes[0].name
    up_once.sh(node, "ip rule add to 203.0.113.0/24 lookup 77")
    take_back = json.dumps([(node, "ip rule del to 203.0.113.0/24 lookup 77")])
    up_once.running.home.applied.write_text(take_back)
    (verdict,) = check(up_once.running, up_once.plan, [up_once.plan.exercises[0].name], silent)
    assert not any(isinstance(item, DiffersFromDay0) for item in verdict.items)


def test_leftovers_that_touch_nothing_are_notes_on_a_pass(up_once: Up) -> None:
    """They stay notes after another `up`, which keeps what Day0 left, until somebody takes them back."""
    node, exercise = up_once.plan.nodes[0].name, up_once.plan.exercises[0].name
    up_once.sh(node, "ip rule add to 203.0.113.0/24 lookup 77; sysctl -qw net.ipv4.conf.lo.log_martians=1")
    up_once.sh(
        node, "nft 'table inet aside { chain c { type filter hook input priority 0; tcp dport 22 drop; }; }'"
    )
    try:
        for again in (False, True):
            if again:
                up_once.again()
            verdicts = check(up_once.running, up_once.plan, [exercise], silent)
            (notes,) = [
                [one for one in verdict.items if isinstance(one, DiffersFromDay0)] for verdict in verdicts
            ]
            assert exit_code(verdicts) == 0 and verdicts[0].suspects == ()
            found = {one.note.partition(", ")[2] for one in notes}
            assert "rule: + 32765: from all to 203.0.113.0/24 lookup 77" in found
            assert "firewall: + table inet aside chain c (input): tcp dport 22 drop" in found
            assert "sysctl: net.ipv4.conf.lo.log_martians = 0 → 1" in found
    finally:
        up_once.sh(
            node, "ip rule del to 203.0.113.0/24 lookup 77; sysctl -qw net.ipv4.conf.lo.log_martians=0"
        )
        up_once.sh(node, "nft delete table inet aside")
    (verdict,) = check(up_once.running, up_once.plan, [exercise], silent)
    assert not any(isinstance(one, DiffersFromDay0) for one in verdict.items)


def test_a_lab_of_which_nothing_was_kept_is_judged_all_the_same(up_once: Up) -> None:
    (up_once.running.home.path / KEPT).unlink()
    node, exercise = up_once.plan.nodes[0].name, up_once.plan.exercises[0].name
    up_once.sh(node, "ip rule add to 203.0.113.0/24 lookup 77")
    try:
        (verdict,) = check(up_once.running, up_once.plan, [exercise], silent)
    finally:
        up_once.sh(node, "ip rule del to 203.0.113.0/24 lookup 77")
    assert verdict.status is Status.PASS
    assert not any(isinstance(one, DiffersFromDay0) for one in verdict.items)


def test_what_a_dead_check_left_is_taken_back_by_up(up_once: Up) -> None:
    left(up_once)
    up_once.again()
    assert said(up_once) == "-left"


def test_every_action_of_every_lab_leaves_nothing(light_lab: Up) -> None:
    """Routes and rules of all nodes are after an exercise's actions what they were before. The numbers that routers
    give to next hops are their own affair."""
    rules = "ip rule; ip -6 rule; iptables-save | grep ^-A; ip6tables-save | grep ^-A"
    show = f"ip route; ip -6 route; {rules}; nft list tables | grep -vE ' ip6? filter'; true"

    def whole() -> list[list[str]]:
        shown = [light_lab.sh(machine.name, show) for machine in light_lab.plan.nodes]
        return [sorted(re.sub(r" nhid \d+", "", text).splitlines()) for text in shown]

    check(light_lab.running, light_lab.plan, [light_lab.plan.exercises[0].name], silent)
    before = whole()
    names = [exercise.name for exercise in light_lab.plan.exercises]
    assert all(v.status is Status.PASS for v in check(light_lab.running, light_lab.plan, names, silent))
    assert whole() == before
