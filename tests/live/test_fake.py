"""The fake provider refuses what it was not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.host.command import Completed
from tests.fake_provider import Fake, NotTold, standing
from tests.small import planned


def test_answers_come_in_their_order_and_the_last_stays(tmp_path: Path) -> None:
    fake = Fake()
    one = standing(fake, planned(), tmp_path)
    fake.tell("gate", "cat", "first", Completed(7, "", "no"), MachineError("node gate isn't running"))
    assert one.exec("gate", ["cat", "x"]) == Completed(0, "first", "")
    assert one.exec("gate", ["cat", "x"]).exit_code == 7
    for _ in range(2):
        with pytest.raises(MachineError, match="isn't running"):
            one.exec("gate", ["cat", "x"])


def test_what_it_was_not_told_is_refused_with_what_was_asked(tmp_path: Path) -> None:
    fake = Fake()
    one = standing(fake, planned(), tmp_path)
    fake.tell("gate", "cat a", "")
    for node, argv in (("gate", ["cat", "b"]), ("exit", ["cat", "a"])):
        with pytest.raises(NotTold, match=f"{node} was asked `{' '.join(argv)}`.*told: gate: cat a"):
            one.exec(node, argv)
    with pytest.raises(NotTold):
        one.captures(None, tmp_path / "out")


def test_two_answers_to_one_question_are_none(tmp_path: Path) -> None:
    fake = Fake()
    fake.tell("gate", "cat", "")
    fake.tell("gate", "a", "")
    with pytest.raises(NotTold, match="2 answers"):
        standing(fake, planned(), tmp_path).exec("gate", ["cat", "a"])
