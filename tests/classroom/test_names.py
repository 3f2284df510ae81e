"""Marks call learners as the list of the class does; a folder that is no class is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srv6lab.classroom.formats import FORMATS
from srv6lab.classroom.grading import Asked, grade_folder
from srv6lab.classroom.learners import Person
from srv6lab.classroom.new import CLASS, make
from srv6lab.classroom.trainer import read_class
from srv6lab.errors import UsageError
from tests.conftest import silent
from tests.small import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A class of one, whose name no file is called by."""
    file = tmp_path / "small" / "topology.yml"
    file.parent.mkdir()
    file.write_text(SMALL)
    make(tmp_path / "class", [Person("王小明")], {"small": file}, "c", "seed", silent)
    return tmp_path / "class"


def test_marks_have_the_names_of_the_list(folder: Path, tmp_path: Path) -> None:
    handed_in = tmp_path / "handed-in"
    handed_in.mkdir()
    (handed_in / "x.zip").write_bytes(b"no zip")
    trainer = read_class(folder)
    (learner,) = trainer.learners
    marks = grade_folder(handed_in, trainer, Asked(jobs=1), silent)
    for name in ("text", "csv", "html"):
        text = FORMATS[name](trainer.name, marks)
        assert isinstance(text, str) and "王小明" in text and learner not in text, name
    told = json.loads(str(FORMATS["json"](trainer.name, marks)))["hand_ins"]
    assert ("王小明", learner) in [(one["name"], one["learner"]) for one in told]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no class.json"),
        ("[]", "can't be read as a class"),
        ('{"schema": 99}', "its schema is 99"),
        ('{"schema": 1, "class": "c", "seed": "s", "labs": [], "learners": []}', "can't be read as a class"),
    ],
)
def test_what_is_no_class_is_told(folder: Path, text: str | None, words: str) -> None:
    if text is None:
        (folder / CLASS).unlink()
    else:
        (folder / CLASS).write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        read_class(folder)
    assert "class.new" in caught.value.mend
