"""Runs that wait for their verdicts are judged together, and what is wrong with one is told of that one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli import grading
from srv6lab.errors import UsageError
from srv6lab.evidence.verdict import Verdict
from srv6lab.judge import grade
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

    def graded(plan: object, folders: Mapping[str, Path], progress: object) -> dict[str, grade.Graded]:
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


def test_all_that_wait_are_judged_together(batches: list[list[str]], tmp_path: Path) -> None:
    busy = Busy()
    work = grading.Grading(planned(), silent, busy)
    verdicts = [work.submit(name, folder(tmp_path, name)) for name in ("one", "other")]
    assert not any(verdict.done() for verdict in verdicts)
    busy.work()
    third = work.submit("third", folder(tmp_path, "third"))
    busy.work()
    assert [verdict.result().exercise for verdict in (*verdicts, third)] == ["one", "other", "third"]
    assert batches == [["one", "other"], ["third"]]


def test_large_captures_are_read_alone(batches: list[list[str]], tmp_path: Path) -> None:
    busy = Busy()
    work = grading.Grading(planned(), silent, busy)
    for name in ("one", "other"):
        work.submit(name, folder(tmp_path, name, grading._MOST))
    busy.work()
    assert batches == [["one"], ["other"]]


def test_what_is_wrong_with_one_is_told_of_that_one(batches: list[list[str]], tmp_path: Path) -> None:
    busy = Busy()
    work = grading.Grading(planned(), silent, busy)
    good, bad = (work.submit(name, folder(tmp_path, name)) for name in ("good", "bad"))
    busy.work()
    assert good.result().exercise == "good"
    with pytest.raises(UsageError, match="bad holds no capture"):
        bad.result()
    assert batches == [["good", "bad"], ["good"], ["bad"]]
