"""What is waited for is asked again until it is there, or until the time is over; a locked file is one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.host.lock import hold, is_free
from srv6lab.host.waiting import wait_until


def test_the_first_true_answer_ends_it() -> None:
    answers = iter(["", "", "there", "not asked"])
    assert wait_until(lambda: next(answers), 60, 0) == "there"
    assert next(answers) == "not asked"


def test_what_never_comes_is_given_up_with_its_last_answer() -> None:
    asked = []

    def ask() -> list[str]:
        asked.append("again")
        return []

    assert wait_until(ask, 0, 0) == []
    assert asked


def test_what_fails_is_not_asked_again() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, 60, 0)


def test_a_file_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as one, path.open("w") as other:
        hold(one)
        assert not is_free(other)
        with pytest.raises(BlockingIOError):
            hold(other)
    with path.open("w") as one:
        assert is_free(one)


def test_several_may_share_a_file_and_nobody_has_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as one, path.open("w") as other, path.open("w") as third:
        hold(one, shared=True)
        hold(other, shared=True)
        assert not is_free(third)
