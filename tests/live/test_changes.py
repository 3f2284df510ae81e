"""What an exercise changes is taken back, the latest first; how to is written down before it is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srv6lab.errors import LabError, NodeError
from srv6lab.host.command import Completed
from srv6lab.host.files import write_whole
from srv6lab.live.changes import Changes
from srv6lab.live.instance import Instance
from srv6lab.render.apply import Change
from tests.fake_provider import Fake, standing
from tests.small import planned


@pytest.fixture
def one(tmp_path: Path) -> Instance:
    return standing(Fake(), planned(), tmp_path)


def fake_of(one: Instance) -> Fake:
    assert isinstance(one.provider, Fake)
    return one.provider


def change(one: Instance, word: str, *, fails: bool = False, count: str = "") -> Change:
    """A change of the node `gate`; `count` is what it has counted."""
    fake = fake_of(one)
    fake.tell("gate", f"make-{word}", Completed(1, "", "no such thing") if fails else "")
    fake.tell("gate", f"take-{word}", "")
    if count:
        fake.tell("gate", f"count-{word}", count)
    return Change(word, "gate", f"make-{word}", f"take-{word}", f"count-{word}" if count else "", word)


def done(one: Instance) -> list[str]:
    return [line.removeprefix("bash -ec ") for _, line in fake_of(one).asked]


def test_latest_first(one: Instance) -> None:
    with (
        Changes(one).applied([change(one, "a"), change(one, "b")], {}),
        Changes(one).applied([change(one, "c")], {}),
    ):
        pass
    assert done(one) == ["make-a", "make-b", "make-c", "take-c", "take-b", "take-a"]
    assert not one.home.applied.exists()


def test_what_a_change_counted_is_told(one: Instance) -> None:
    counted: dict[str, int] = {}
    with Changes(one).applied([change(one, "a", count="3\n")], counted):
        pass
    assert counted == {"a": 3}


def test_taken_back_when_the_work_fails(one: Instance) -> None:
    with pytest.raises(KeyboardInterrupt), Changes(one).applied([change(one, "a")], {}):
        raise KeyboardInterrupt
    assert done(one) == ["make-a", "take-a"]


def test_taken_back_when_a_later_change_fails(one: Instance) -> None:
    changes = [change(one, "a"), change(one, "b", fails=True)]
    with (
        pytest.raises(NodeError, match=r"gate: no such thing\n  in: make-b"),
        Changes(one).applied(changes, {}),
    ):
        raise AssertionError("the work must not begin")
    assert done(one) == ["make-a", "make-b", "take-b", "take-a"]


def test_what_cannot_be_taken_back_stays_written_down(one: Instance) -> None:
    first, second = change(one, "a"), change(one, "b")
    fake_of(one).tell("gate", "take-b", Completed(1, "", "it is gone"))
    with pytest.raises(NodeError, match="it is gone"), Changes(one).applied([first, second], {}):
        pass
    assert json.loads(one.home.applied.read_text()) == [["gate", "take-a"], ["gate", "take-b"]]


def test_broken_records_are_named(one: Instance) -> None:
    write_whole(one.home.applied, "{")
    with pytest.raises(
        LabError, match=r"applied\.json isn't as it was written.*(.|\n)*invoke destroy lab=mine"
    ):
        Changes(one).take_back()
    assert done(one) == []
