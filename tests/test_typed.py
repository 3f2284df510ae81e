"""What the captures of a typed ping show of whether all of it is there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from srv6lab.evidence.packets import Direction, Icmp
from srv6lab.evidence.prediction import Hop, Prediction
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Status
from srv6lab.judge.compare.typed import judge_typed
from tests.small import EAST, PLACE, WEST, header, packet

PREDICTION = Prediction("echo", (), ())


def judged(
    sequences: Sequence[int],
    *,
    token: str = "",
    doubtful: Sequence[int] = (),
    prediction: Prediction = PREDICTION,
) -> list[tuple[Status, str | None]]:
    hops = [
        Hop(PLACE, Direction.OUT, packet(header(WEST, EAST, 64, "icmp"), icmp=Icmp(8, 0, 7, one)))
        for one in sequences
    ]
    frames = tuple((PLACE, number) for number in doubtful)
    found = Found(Sent("echo", len(hops), 0, token), tuple(hops), doubtful=frames)
    return [(item.status, item.captured or item.note) for item in judge_typed(found, prediction)]


@pytest.mark.parametrize(
    "sequences", [(), (1,), (1, 2, 3), (0, 1), (57, 58, 59), (3, 1, 2), (65534, 65535, 0, 1)]
)
def test_numbers_without_a_gap_are_all(sequences: tuple[int, ...]) -> None:
    assert judged(sequences) == []


@pytest.mark.parametrize(
    ("sequences", "words"),
    [
        ((1, 3), "none with sequence 2"),
        ((1, 4), "none with sequences 2, 3"),
        ((65535, 1), "none with sequence 0"),
        ((1, 2, 9), "none with sequences 3, 4, 5, 6, 7 and 1 more"),
    ],
)
def test_a_number_that_was_left_out_was_sent(sequences: tuple[int, ...], words: str) -> None:
    assert judged(sequences) == [(Status.FAIL, words)]


def test_while_the_lab_changes_some_may_be_lost() -> None:
    assert judged((1, 3), prediction=Prediction("echo", (), (), meanwhile=True)) == []


def test_our_own_says_itself_how_many_it_sent() -> None:
    assert judged((1, 3), token="aa", doubtful=[4]) == []


def test_what_may_be_of_it_is_unclear() -> None:
    words = "frames 4, 5 may be of this ping, and can't be told from it"
    assert judged((1, 2), doubtful=[4, 5]) == [(Status.INCONCLUSIVE, words)]
