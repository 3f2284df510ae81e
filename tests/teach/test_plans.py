"""What the loader and the planner say about tasks that can't be done."""

from __future__ import annotations

import pytest

from srv6lab.errors import TopologyError
from srv6lab.topology.load import loads
from tests.small import planned
from tests.teach.small_tasks import TASKS

ROUTE = '{route: {delete: {node: gate, prefix: "fc00:b::/64"}}}'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    task: Let the packets go with one segment.\n", "", "doesn't say what a learner is to reach"),
        ("        node: exit\n        run:", "        node: nobody\n        run:", "there is no node nobody"),
        ("        node: exit\n        run:", "        run:", "commands for a node, or an action"),
        (
            "        node: exit\n",
            f"        node: exit\n        do: {ROUTE}\n",
            "commands for a node, or an action",
        ),
        (
            '      - steering: {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::d4"]}}\n    probes: [{id: echo, from: west, to: east, icmp: 2}]',
            "      - firewall: {name: mine, at: gate, tool: ip6tables}\n    probes: [{id: echo, from: west, to: east, icmp: 2}]",
            "so no learner can do it",
        ),
        (
            "    probes: [{id: echo, from: west, to: east, icmp: 2}]\n",
            f"    steps: [{{apply: [{ROUTE}], probes: [{{id: echo, from: west, to: east, icmp: 2}}]}}]\n",
            "would undo what a learner did",
        ),
    ],
)
def test_it_is_said(old: str, new: str, words: str) -> None:
    assert TASKS.count(old) == 1
    with pytest.raises(TopologyError, match=words) as caught:
        planned(TASKS.replace(old, new))
    assert all(problem.location.line > 1 for problem in caught.value.problems)


def test_a_start_needs_a_solution() -> None:
    text = TASKS[: TASKS.index("    solution:")] + TASKS[TASKS.index("  - name: one-segment") :]
    with pytest.raises(TopologyError, match="exercise lost has no solution"):
        planned(text)


def test_by_hand_needs_something_to_do() -> None:
    text = (
        TASKS[: TASKS.index("    apply:")]
        + TASKS[TASKS.index("    probes: [{id: echo, from: west, to: east, icmp: 2}]") :]
    )
    with pytest.raises(TopologyError, match="nothing that a learner could do by hand"):
        planned(text)


def test_what_is_like_another_is_judged_as_that_one() -> None:
    plan = planned(TASKS)
    across, lost = plan.exercise("across")[1], plan.exercise("lost")[1]
    assert (lost.probes, lost.expect, lost.apply) == (across.probes, across.expect, across.apply)
    assert plan.locate("exercises", plan.exercise("lost")[0], "expect", "packets", 0) == plan.locate(
        "exercises", 0, "expect", "packets", 0
    )


def test_what_is_wrong_with_the_other_is_said_once() -> None:
    with pytest.raises(TopologyError) as caught:
        loads(TASKS.replace("from: west, to: east, icmp: 3", "from: west, to: nobody, icmp: 3"), "small.yml")
    assert len(caught.value.problems) == 1
