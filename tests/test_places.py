"""A folder of one's own: what `init` makes, how it is found, and where labs are that were brought up elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from srv6lab.cli import places
from srv6lab.cli.init import make
from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.validate import files_in, validate
from srv6lab.errors import UsageError
from srv6lab.host.files import SHARE
from tests.conftest import REPOSITORY, SITE

COURSE = SHARE / "labs"
FIRST = SITE.course()[0][0].name
LATER = next(one.name for one in SITE.course()[0] if one.requires)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `init` made, in a home of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = make(tmp_path / "my labs", None)
    assert not made.left
    return tmp_path / "my labs"


def test_what_init_makes_is_valid(own: Path) -> None:
    checked = validate(files_in(own / "labs"))
    assert [problem for one in checked for problem in one.problems] == []
    (name,) = LabsFolder(own).names()
    assert LabsFolder(own).load(LabsFolder(own).refer(name))[0].exercises
    schema = json.loads((own / ".vscode/settings.json").read_text())["yaml.schemas"]
    assert [(own / one).is_file() for one in schema] == [True]
    head = (own / "labs" / name / "topology.yml").read_text().splitlines()[0]
    assert (own / "labs" / name / head.rpartition("=")[2]).resolve() == (own / next(iter(schema))).resolve()


def test_its_workflow_runs_actions_by_their_commits(own: Path) -> None:
    text = (own / ".github/workflows/labs.yml").read_text()
    steps = yaml.safe_load(text)["jobs"]["labs"]["steps"]
    used = [one["uses"] for one in steps if "uses" in one]
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in used)
    assert "@VERSION@" not in text
    for verb in ("validate", "doctor --mend --yes", "up", "check", "destroy"):
        assert f" {verb} " in text


def test_init_overwrites_nothing(own: Path) -> None:
    (own / "tasks.py").write_text("mine")
    (own / ".gitignore").unlink()
    (own / ".gitignore").symlink_to("nowhere")
    (own / "README.md").unlink()
    made = make(own, None)
    assert made.files == (own / "README.md",)
    assert {own / "tasks.py", own / ".gitignore", own / "labs" / made.lab} < set(made.left)
    assert (own / "tasks.py").read_text() == "mine"
    assert not (own / "nowhere").exists()
    with pytest.raises(UsageError, match=r"tasks.py is no folder"):
        make(own / "tasks.py", None)


def test_init_copies_a_lab_which_stands_alone(own: Path) -> None:
    made = make(own, COURSE / LATER / "topology.yml")
    assert made.lab == LATER
    found = LabsFolder(own, shared=COURSE)
    assert found.file(LATER) == own / "labs" / LATER / "topology.yml"
    assert found.file(FIRST) == COURSE / FIRST / "topology.yml"
    assert found.load(found.refer(LATER))[0].name == LATER
    assert {LATER, FIRST} < set(found.names())
    checked = validate(files_in(own / "labs"))
    assert [str(problem) for one in checked for problem in one.problems] == []


def test_a_folder_with_labs_is_found_from_below(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.own_folder(own / "labs") == own
    assert places.own_folder(own.parent) is None
    monkeypatch.chdir(own / ".github")
    assert places.place("srv6lab") == places.Place(own, COURSE)
    assert places.place("invoke") == places.Place(REPOSITORY)  # the folder of its tasks.py


def test_a_strangers_folder_is_not_taken(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In /tmp, which is root's, everybody may make a folder called labs."""
    stranger = own / "labs"
    monkeypatch.setattr(places, "_owner", lambda path: 4711 if path == stranger else 0)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert places.own_folder(own) is None
    monkeypatch.setenv("SUDO_UID", "4711")
    assert places.own_folder(own) == own


def test_who_looks_in_a_wrong_folder_is_told_the_right_one(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own.parent)
    nowhere = places.place("srv6lab").kept
    assert nowhere == own.parent / "state/srv6lab/labs"
    assert places.elsewhere(nowhere, "one") == ""
    for folder in (own / ".srv6lab", nowhere):
        (folder / folder.name).mkdir(parents=True)
        (folder / folder.name / "state.json").write_text("{}")
        places.remember(folder)
        places.remember(folder)
    assert places.elsewhere(nowhere, ".srv6lab").startswith(f"it was brought up elsewhere: cd '{own}', ")
    assert places.elsewhere(own / ".srv6lab", ".srv6lab") == ""
    assert places.elsewhere(own / ".srv6lab", "labs").startswith("it was brought up elsewhere: cd /, ")
