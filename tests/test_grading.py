"""Runs that wait for their verdicts are judged together, and what is wrong with one is told of that one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from srv6lab.capture import ahead
from srv6lab.cli import grading
from srv6lab.errors import UsageError
from srv6lab.evidence.verdict import Verdict
from srv6lab.judge import captures, grade
from tests.conftest import silent
from tests.small import planned


class Busy(Executor):
    """Works when it is told to."""

    def __init__(self) -> None:
        self.given: list[Callable[[], object]] = []

    def submit(self, work: Any, /, *_: Any, **__: Any) -> Any:
        self.given.append(work)

    def work(self) -> None:
        for one in self.given:
            one()
        self.given.clear()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The exercises that were judged together; those that are called `bad` can't be."""
    found: list[list[str]] = []

    def graded(
        plan: object, folders: Mapping[str, Path], progress: object, *, ahead: object
    ) -> dict[str, grade.Graded]:
        found.append([*folders])
        if "bad" in folders:
            raise UsageError("bad holds no capture")
        return {name: grade.Graded(Verdict(name, ()), None) for name in folders}  # type: ignore[arg-type]

    monkeypatch.setattr(grade, "graded", graded)
    return found


def folder(tmp_path: Path, name: str, size: int = 1) -> Path:
    (tmp_path / name / "captures").mkdir(parents=True)
    (tmp_path / name / "captures" / "nic.pcap").write_bytes(bytes(size))
    return tmp_path / name


@pytest.fixture
def tsharks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What became of each tshark that waits."""
    said: list[str] = []

    class Waiting:
        def __init__(self, _: object) -> None:
            said.append("begun")

        def close(self) -> None:
            said.append("closed")

    monkeypatch.setattr(ahead, "Waiting", Waiting)
    return said


def grade_of(busy: Busy, names: Sequence[str]) -> grading.Grading:
    return grading.Grading(planned(), silent, busy, names)


@pytest.fixture(autouse=True)
def nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "messages_of", lambda *_: ())


def test_all_that_wait_are_judged_together_and_the_last_one_alone(
    batches: list[list[str]], tsharks: list[str], tmp_path: Path
) -> None:
    busy, names = Busy(), ["one", "other", "third", "fourth", "fifth"]
    with grade_of(busy, names) as work:
        busy.work()
        verdicts = [work.submit(name, folder(tmp_path, name)) for name in names[:3]]
        busy.work()
        assert batches == [] and tsharks == ["begun"]
        verdicts.append(work.submit("fourth", folder(tmp_path, "fourth")))
        busy.work()
        assert batches == [names[:4]] and tsharks == ["begun", "closed", "begun"]
        verdicts.append(work.submit("fifth", folder(tmp_path, "fifth")))
        busy.work()
    assert [verdict.result().exercise for verdict in verdicts] == names
    assert batches == [names[:4], ["fifth"]] and tsharks == ["begun", "closed"] * 2


def test_who_asks_waits_for_no_other_run(
    batches: list[list[str]], tsharks: list[str], tmp_path: Path
) -> None:
    busy = Busy()
    with grade_of(busy, ["one", "other", "third"]) as work:
        verdict = work.submit("one", folder(tmp_path, "one"))
        busy.work()
        assert not verdict.done()
        work.begin()
        busy.work()
        assert verdict.result().exercise == "one"
    assert tsharks == ["begun", "closed"] * 2


def test_where_all_is_asked_for_in_other_words_no_tshark_waits(
    batches: list[list[str]], tsharks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "messages_of", lambda *_: ("isis",))
    busy = Busy()
    with grade_of(busy, ["one"]) as work:
        verdict = work.submit("one", folder(tmp_path, "one"))
        busy.work()
    assert verdict.result().exercise == "one" and tsharks == []


def test_large_captures_are_read_alone(batches: list[list[str]], tsharks: list[str], tmp_path: Path) -> None:
    busy = Busy()
    work = grade_of(busy, ["one", "other"])
    for name in ("one", "other"):
        work.submit(name, folder(tmp_path, name, grading._MOST))
    busy.work()
    assert batches == [["one"], ["other"]]


def test_what_is_wrong_with_one_is_told_of_that_one(
    batches: list[list[str]], tsharks: list[str], tmp_path: Path
) -> None:
    busy = Busy()
    work = grade_of(busy, ["good", "bad"])
    good, bad = (work.submit(name, folder(tmp_path, name)) for name in ("good", "bad"))
    busy.work()
    assert good.result().exercise == "good"
    with pytest.raises(UsageError, match="bad holds no capture"):
        bad.result()
    assert batches == [["good", "bad"], ["good"], ["bad"]]
