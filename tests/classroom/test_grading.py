"""A class's hand-ins are graded by their packets: honest ones get what they reached, forged ones nothing for what they
forged, damaged ones a line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from srv6lab.classroom.grading import Asked, grade_folder
from srv6lab.classroom.marks import DAMAGED as UNREAD
from srv6lab.classroom.marks import FOREIGN, GRADED, MISSING, Marks
from tests.classroom.forging import DAMAGED, HONEST, WAYS, half, packed, sealed, tracer_dropped
from tests.classroom.making import Course, ran
from tests.conftest import need_root, silent

FULL = 14


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    need_root()
    return ran(tmp_path_factory.mktemp("class"), 2)


def graded(
    course: Course, folder: Path, files: Mapping[str, bytes], asked: Asked | None = None
) -> dict[str, Marks]:
    """Marks of hand-ins by the name of their file, without .zip."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.zip").write_bytes(data)
    found = grade_folder(folder, course.trainer, asked or Asked(jobs=2), silent)
    return {one.file.removesuffix(".zip"): one for one in found if one.file}


@pytest.fixture(scope="module")
def sample(course: Course, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Marks]:
    """One hand-in of each kind, in one folder."""
    mine, other = course.learners
    files = {f"honest-{name}": packed(make(course.right[mine.name])) for name, make in HONEST.items()}
    files["partly"] = packed(course.wrong[mine.name])
    files["half"] = packed(half(course.right[mine.name]))
    files["dropped"] = packed(tracer_dropped(course.right[mine.name]))
    files |= {f"forged-{name}": packed(make(course, mine, other)) for name, make in WAYS.items()}
    files |= {f"damaged-{name}": make(course.right[mine.name]) for name, make in DAMAGED.items()}
    folder = tmp_path_factory.mktemp("handed")
    os.mkfifo(folder / "damaged-pipe.zip")
    (folder / "damaged-folder.zip").mkdir()
    (folder / "damaged-link.zip").symlink_to("/etc/passwd")
    return graded(course, folder, files)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_one_has_all_points(sample: Mapping[str, Marks], name: str) -> None:
    one = sample[f"honest-{name}"]
    assert (one.state, one.points, one.of) == (GRADED, FULL, FULL), (one.why, one.suspicions, one.scores)
    if name != "clock-step":
        assert not one.suspicions, one.suspicions


def test_what_is_partly_right_is_partly_marked(sample: Mapping[str, Marks]) -> None:
    one = sample["partly"]
    assert one.state == GRADED and not one.suspicions, one.suspicions
    assert 0 < one.points < FULL / 2
    assert all(part.reason for score in one.scores for part in score.parts if part.points < part.of)


def test_half_of_it_has_the_points_of_that(sample: Mapping[str, Marks]) -> None:
    one = sample["half"]
    assert one.state == GRADED and not one.suspicions
    first, second = one.scores
    assert first.points == first.of and second.points == 0
    assert {part.reason for part in second.parts} == {"nothing of it was handed in"}


def test_a_tracer_that_dropped_is_no_forgery(sample: Mapping[str, Marks]) -> None:
    one = sample["dropped"]
    assert one.state == GRADED and not one.suspicions and one.points > FULL / 2


@pytest.mark.parametrize("name", WAYS)
def test_a_forged_one_is_told_and_has_nothing_for_it(sample: Mapping[str, Marks], name: str) -> None:
    one = sample[f"forged-{name}"]
    assert one.state == "forged", (name, one)
    assert one.scores[0].points == 0 and one.points < FULL
    assert all(part.reason.startswith("forged: ") for part in one.scores[0].parts)


@pytest.mark.parametrize("name", [*DAMAGED, "pipe", "folder", "link"])
def test_a_damaged_one_is_a_line_and_no_more(sample: Mapping[str, Marks], name: str) -> None:
    one = sample[f"damaged-{name}"]
    assert one.status == (FOREIGN if name == "of-another-class" else UNREAD)
    assert one.why and not one.scores


def test_who_handed_in_nothing_is_told(course: Course, tmp_path: Path) -> None:
    mine, other = course.learners
    (tmp_path / "a.zip").write_bytes(packed(course.right[mine.name]))
    found = grade_folder(tmp_path, course.trainer, Asked(jobs=1), silent)
    assert [(one.learner, one.status) for one in found] == [(mine.name, GRADED), (other.name, MISSING)]


def test_a_copy_is_told_at_both_and_costs_the_copier(course: Course, tmp_path: Path) -> None:
    mine, other = course.learners
    copied = {
        **{name: data for name, data in course.wrong[mine.name].items() if "/there/" not in name},
        **{name: data for name, data in course.right[other.name].items() if "/there/" in name},
    }
    found = graded(course, tmp_path, {"a": packed(sealed(copied)), "b": packed(course.right[other.name])})
    assert any(f"made with {other.name}'s key" in one.what for one in found["a"].forged)
    assert found["b"].state == GRADED and found["b"].points == FULL
    assert any("made with this learner's own key" in one.what for one in found["b"].suspicions)


def test_the_newest_of_a_learner_counts(course: Course, tmp_path: Path) -> None:
    mine = course.learners[0]
    files = course.right[mine.name]
    later = sealed(files, written="2026-01-02T00:00:00+00:00")
    found = graded(course, tmp_path, {"z": packed(files), "a": packed(later), "again": packed(files)})
    counting = [name for name, one in found.items() if not one.again]
    assert len(counting) == 1 and counting[0] in ("z", "again")
    assert all(one.state == GRADED for name, one in found.items() if name != "a"), found


def test_packets_of_before_the_class_and_of_tomorrow(course: Course, tmp_path: Path) -> None:
    mine = course.learners[0]
    files = {"a": packed(course.right[mine.name])}
    now = datetime.now(UTC)
    early = graded(course, tmp_path, files, Asked(jobs=1, since=now + timedelta(days=1)))["a"]
    assert "before the class began" in early.forged[0].what and early.points == 0
    yesterday = graded(course, tmp_path, files, Asked(jobs=1, now=now - timedelta(days=3)))["a"]
    assert "later than now" in yesterday.forged[0].what and yesterday.points == 0


def test_the_marks_are_the_same_again_and_in_any_order(course: Course, tmp_path: Path) -> None:
    mine, other = course.learners
    files = {"a": packed(course.right[mine.name]), "b": packed(course.wrong[other.name]), "c": b"no"}
    once = graded(course, tmp_path, files, Asked(jobs=1))
    assert once == graded(course, tmp_path, files, Asked(jobs=3))


def test_one_that_hangs_takes_nothing_from_the_others(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a capture does to whoever reads it."""
    import time

    from srv6lab.classroom import judging

    mine, other = course.learners
    real = judging.read_hand_in

    def hang(path: Path):  # type: ignore[no-untyped-def]
        if path.name == "hangs.zip":
            time.sleep(60)
        if path.name == "dies.zip":
            os._exit(1)
        return real(path)

    monkeypatch.setattr(judging, "read_hand_in", hang)
    files = {"hangs": packed(course.right[other.name]), "dies": b"", "sound": packed(course.right[mine.name])}
    found = graded(course, tmp_path, files, Asked(jobs=1, patience=20))
    assert "isn't done after 20 s" in found["hangs"].why and "ended on the way" in found["dies"].why
    assert found["sound"].points == FULL
