"""A hundred hand-ins of a class: no forged one has all points, no honest one is refused, and the marks are the same again."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from srv6lab.classroom.grading import Asked, grade_folder
from srv6lab.classroom.marks import DAMAGED, FOREIGN, GRADED, Marks
from tests.classroom.forging import hundred
from tests.classroom.making import Course, ran
from tests.conftest import need_root, silent

FULL = 14


def sorted_out(found: Mapping[str, Marks]) -> dict[str, list[Marks]]:
    kinds: dict[str, list[Marks]] = {}
    for name, one in found.items():
        kinds.setdefault(name.partition("-")[0], []).append(one)
    return kinds


def graded(course: Course, folder: Path, jobs: int) -> tuple[dict[str, Marks], float, float]:
    """Marks by file, and the seconds and the seconds of processors that they took."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = grade_folder(folder, course.trainer, Asked(jobs=jobs, patience=600), silent)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {one.file: one for one in found if one.file}, time.monotonic() - began, used


def judged(course: Course, folder: Path, record: Callable[[str, object], None]) -> None:
    for name, data in hundred(course).items():
        (folder / f"{name}.zip").write_bytes(data)
    found, seconds, used = graded(course, folder, 1)
    record("hand_ins", len(found))
    record("seconds_by_one_process", round(seconds, 1))
    record("seconds_of_processors", round(used, 1))
    kinds = sorted_out(found)
    assert {kind: len(those) for kind, those in kinds.items()} == {
        "honest": 40,
        "partly": 20,
        "forged": 30,
        "damaged": 10,
    }
    assert all((one.state, one.points) == (GRADED, FULL) for one in kinds["honest"])
    assert all(one.state == GRADED and 0 < one.points < FULL for one in kinds["partly"])
    assert all(one.state == "forged" and one.points < FULL for one in kinds["forged"])
    assert all(one.status in (DAMAGED, FOREIGN) and one.why for one in kinds["damaged"])
    again, seconds, _ = graded(course, folder, 2)
    record("seconds_by_two_processes", round(seconds, 1))
    assert again == found


@pytest.mark.prove
def test_a_hundred(
    tmp_path_factory: pytest.TempPathFactory, record_property: Callable[[str, object], None]
) -> None:
    need_root()
    judged(ran(tmp_path_factory.mktemp("class"), 5), tmp_path_factory.mktemp("handed"), record_property)
