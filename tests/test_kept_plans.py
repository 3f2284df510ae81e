"""Plans that were made before are taken only where they would be made the same."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.cli import kept_plans, labs
from srv6lab.cli.labs import LabsFolder
from srv6lab.plan.nodes import Plan
from tests.conftest import LABS, REPOSITORY, SITE

Load = Callable[[], Plan]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of what is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "srv6lab" / "plans"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A lab of one's own, with a file beside it that it is read from."""
    folder = tmp_path / "labs" / "mine"
    shutil.copytree(next((REPOSITORY / "labs").glob("*/rules")).parent, folder)
    return folder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of which a plan was made, each time."""
    found: list[Path] = []
    really = labs._planned

    def planned(path: Path, text: bytes | None = None) -> object:
        found.append(path)
        return really(path, text)

    monkeypatch.setattr(labs, "_planned", planned)
    return found


def load(folder: Path) -> Plan:
    site = LabsFolder(folder.parents[1])
    return site.load(site.refer(folder.name))[0]


@pytest.mark.parametrize("name", LABS)
def test_what_is_read_back_is_the_plan(name: str) -> None:
    made = SITE.load(SITE.refer(name))
    assert pickle.loads(pickle.dumps(made)) == made


def test_it_is_made_once_for_all_commands(home: Path, lab: Path, made: list[Path]) -> None:
    assert [load(lab), load(lab)] == [load(lab)] * 2
    assert len(made) == 1


def _edited(lab: Path, home: Path) -> None:
    file = lab / "topology.yml"
    file.write_text(file.read_text() + "\n")


def _other_rules(lab: Path, home: Path) -> None:
    file = next(lab.glob("rules/*.rules"))
    file.write_text("# none\n" + file.read_text())


def _damaged(lab: Path, home: Path) -> None:
    file = next(home.iterdir())
    file.write_bytes(file.read_bytes()[:-100])


def _of_somebody_else(lab: Path, home: Path) -> None:
    os.chown(next(home.iterdir()), 65534, 65534)


def _in_a_folder_of_somebody_else(lab: Path, home: Path) -> None:
    os.chown(home, 65534, 65534)


def _in_a_folder_that_others_may_write(lab: Path, home: Path) -> None:
    home.chmod(0o777)


def _a_link(lab: Path, home: Path) -> None:
    file = next(home.iterdir())
    file.rename(home.parent / "elsewhere")
    file.symlink_to(home.parent / "elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        _edited,
        _other_rules,
        _damaged,
        _of_somebody_else,
        _in_a_folder_of_somebody_else,
        _in_a_folder_that_others_may_write,
        _a_link,
    ],
)
def test_a_change_makes_it_anew(
    change: Callable[[Path, Path], None], home: Path, lab: Path, made: list[Path]
) -> None:
    load(lab)
    change(lab, home)
    load(lab)
    assert len(made) == 2


def test_another_program_makes_it_anew(
    home: Path, lab: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("one = 1\n")
    monkeypatch.setattr(kept_plans, "PACKAGE", package)
    load(lab)
    load(lab)
    (package / "code.py").write_text("one = 10\n")
    load(lab)
    assert len(made) == 2


def test_another_python_makes_it_anew(
    home: Path, lab: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(lab)
    monkeypatch.setattr(sys, "version", "3.99.0 (another)")
    load(lab)
    assert len(made) == 2


def test_what_is_called_otherwise_is_made_anew(
    home: Path, lab: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its warnings name the file as messages do, which depends on the folder where somebody stands."""
    load(lab)
    monkeypatch.chdir(lab)
    load(lab)
    assert len(made) == 2


def test_a_large_lab_is_not_kept(home: Path, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = len(load(lab).nodes)
    kept = len(list(home.iterdir()))
    monkeypatch.setattr(kept_plans, "_MOST_NODES", nodes - 1)
    _edited(lab, home)
    load(lab)
    assert len(list(home.iterdir())) == kept


class _Attack:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("change", [_of_somebody_else, _in_a_folder_that_others_may_write, None])
def test_what_others_can_have_written_is_not_even_read(
    change: Callable[[Path, Path], None] | None, home: Path, lab: Path, tmp_path: Path
) -> None:
    """Without a change it is this user's own word, and is believed."""
    load(lab)
    mark = tmp_path / "mark"
    next(home.iterdir()).write_bytes(pickle.dumps(_Attack(mark)))
    if change:
        change(lab, home)
    load(lab)
    assert mark.exists() == (change is None)


def test_a_lab_that_includes_files_is_not_kept(home: Path, lab: Path) -> None:
    file = lab / "topology.yml"
    text = file.read_text()
    at = text.index("\nexercises:")
    (lab / "exercises.yml").write_text(text[at + 1 :])
    file.write_text(f"include: exercises.yml\n{text[:at]}\n")
    assert load(lab).exercises
    assert not home.exists()


def test_a_wrong_lab_is_told_each_time(home: Path, lab: Path) -> None:
    file = lab / "topology.yml"
    file.write_text(file.read_text().replace("nodes:", "knots:", 1))
    said = []
    for _ in range(2):
        with pytest.raises(Exception, match="knots") as caught:
            load(lab)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert not home.exists()


def test_the_newest_are_kept(home: Path, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_plans, "_MOST_PLANS", 2)
    for _ in range(4):
        _edited(lab, home)
        load(lab)
    assert len(list(home.iterdir())) == 2


def test_where_nothing_can_be_written_it_works_all_the_same(home: Path, lab: Path, made: list[Path]) -> None:
    home.parent.parent.mkdir(parents=True)
    home.parent.write_text("no folder")
    assert load(lab) == load(lab)
    assert len(made) == 2


def test_without_a_home_it_works_all_the_same(
    lab: Path, made: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def home() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    assert load(lab) == load(lab)
    assert len(made) == 2


def test_only_this_user_reads_it(home: Path, lab: Path) -> None:
    load(lab)
    assert home.stat().st_mode & 0o777 == 0o700
