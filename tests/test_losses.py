"""`losses`, the older way to write a probe's `answered`."""

from __future__ import annotations

import pytest

from srv6lab.topology.exercises import Probe
from srv6lab.topology.load import loads

from .small import SMALL

PROBE = "probes: [{id: echo, from: west, to: east, icmp: 3}]\n    expect:\n"


def probe_with(losses: str) -> Probe:
    assert PROBE in SMALL
    (exercise,) = loads(
        SMALL.replace(PROBE, f"{PROBE}      losses: {losses}\n"), "small.yml"
    ).topology.exercises
    return exercise.probes[0]


@pytest.mark.parametrize(
    ("most", "answered", "bounds"),
    [
        (0, "all", (3, 3)),
        (1, "at least 2", (2, 3)),
        (2, "at least 1", (1, 3)),
        (3, None, None),
        (9, None, None),
    ],
)
def test_most_that_may_be_lost_says_how_many_are_answered(
    most: int, answered: str | None, bounds: tuple[int, int] | None
) -> None:
    probe = probe_with(f"[{{probe: echo, most: {most}}}]")
    assert (probe.answered, probe.answers) == (answered, bounds)


def test_a_loss_of_one_probe_says_nothing_of_another() -> None:
    assert probe_with("[]").answered is None


def test_what_is_wrong_with_the_answers_is_told_where_the_loss_is_written() -> None:
    text = SMALL.replace(PROBE, f"{PROBE}      losses: [{{probe: echo, most: 0}}]\n")
    lab = loads(text, "small.yml")
    where = lab.source.locate(("exercises", 0, "probes", 0, "answered"))
    assert text.splitlines()[where.line - 1].strip() == "losses: [{probe: echo, most: 0}]"


def test_probes_that_exercises_share_by_an_alias_are_told_once() -> None:
    first = SMALL.replace("probes: [{id", "probes: &p [{id").replace(
        "    expect:\n", "    expect:\n      losses: [{probe: echo, most: 0}]\n"
    )
    second = (
        "  - name: again\n    probes: *p\n    expect:\n      losses: [{probe: echo, most: 0}]\n"
        '      packets: [{at: "east:eth1", direction: in, probe: echo}]\n'
    )
    exercises = loads(first + second, "small.yml").topology.exercises
    assert [one.probes[0].answered for one in exercises] == ["all", "all"]
