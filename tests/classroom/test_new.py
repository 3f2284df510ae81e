"""A class on the disk: the same seed makes the same bytes, a longer list only adds, and nothing leaves the folder."""

from __future__ import annotations

import io
import json
import stat
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from srv6lab.classroom import new
from srv6lab.classroom.learners import Person
from srv6lab.classroom.new import make, read_class
from srv6lab.classroom.zipped import zipped
from srv6lab.cli.labs import LabsFolder
from srv6lab.errors import UsageError
from srv6lab.topology.load import load
from tests.conftest import LABS, SITE, silent
from tests.in_process import Typed
from tests.small import SMALL

SEED = "a seed that nobody knows"


@pytest.fixture
def labs(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name in ("small", "other"):
        file = tmp_path / "own" / name / "topology.yml"
        file.parent.mkdir(parents=True)
        file.write_text(SMALL.replace("name: small", f"name: {name}"))
        (file.parent / "README.md").write_text(
            f"# {name}\n$ invoke up lab={name}\n$ invoke check {name} across\n.srv6lab/{name}/captures lab={name}-2\n"
            "[a](../other/README.md) [b](../elsewhere/README.md)\n"
        )
        (file.parent / "README.zh-CN.md").write_text(
            f"[English](README.md) lab={name} [b](../elsewhere/README.zh-CN.md)\n"
        )
        found[name] = file
    return found


def made(folder: Path, labs: Mapping[str, Path], *names: str, seed: str = SEED) -> new.Class:
    return make(folder, [Person(name) for name in names], labs, "c", seed, silent)


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "one", labs, "Anna", "王小明")
    made(tmp_path / "two", labs, "Anna", "王小明")
    made(tmp_path / "three", labs, "Anna", "王小明", seed="another")
    one, two, three = (content(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    same = {path for path in one if one[path] == three[path] and not path.endswith(".md")}
    assert same == {"README.txt"}
    assert not list(tmp_path.glob(".*"))


def test_a_longer_list_only_adds(tmp_path: Path, labs: dict[str, Path]) -> None:
    folder = tmp_path / "class"
    made(folder, {"small": labs["small"]}, "Anna")
    before = {path: (folder / path).stat().st_mtime_ns for path in content(folder)}
    (folder / "notes.txt").write_text("the trainer's own")
    first = content(folder)
    made(folder, {"small": labs["small"]}, "Bo", "Anna", seed="")
    second = content(folder)
    changed = {path for path in first if first[path] != second[path]}
    assert changed == {"class.json", "README.txt"}
    assert {path for path in before if (folder / path).stat().st_mtime_ns != before[path]} == changed
    assert list(read_class(folder).learners) == ["anna", "bo"]  # type: ignore[union-attr]
    made(folder, labs, "Anna")
    third = content(folder)
    assert "labs-of/bo/other/topology.yml" in third
    assert third["labs-of/bo/small/topology.yml"] == second["labs-of/bo/small/topology.yml"]
    assert "bo/other/topology.yml" in zipfile.ZipFile(folder / "bo.zip").namelist()


def test_all_at_once_and_one_after_the_other_is_the_same(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "one", labs, "Anna", "Bo", "Cem")
    made(tmp_path / "two", labs, "Anna")
    made(tmp_path / "two", labs, "Anna", "Bo", "Cem")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_another_seed_or_another_folder_is_refused(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "class", labs, "Anna")
    before = content(tmp_path / "class")
    with pytest.raises(UsageError, match="another seed"):
        made(tmp_path / "class", labs, "Anna", "Bo", seed="other")
    assert content(tmp_path / "class") == before
    with pytest.raises(UsageError, match="is no class"):
        made(tmp_path / "own", labs, "Anna")
    (tmp_path / "class/class.json").write_text('{"schema": 1, "learners": []}')
    with pytest.raises(UsageError, match="can't be read as a class"):
        made(tmp_path / "class", labs, "Anna")


def test_what_was_cut_off_is_made_whole(
    tmp_path: Path, labs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "class"
    made(folder, labs, "Anna")
    monkeypatch.setattr(new, "zipped", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made(folder, labs, "Anna", "Bo")
    with pytest.raises(ZeroDivisionError):
        made(tmp_path / "fresh", labs, "Anna")
    assert not (tmp_path / "fresh").exists()
    monkeypatch.undo()
    made(folder, labs, "Anna", "Bo")
    made(tmp_path / "at-once", labs, "Anna", "Bo")
    assert content(folder) == content(tmp_path / "at-once")


def test_the_archive_is_the_learners_folder(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "class", labs, "Anna", "Bo")
    archive = zipfile.ZipFile(tmp_path / "class/anna.zip")
    folder = tmp_path / "class/labs-of/anna"
    assert {f"anna/{path}": text for path, text in content(folder).items()} == {
        path: archive.read(path) for path in archive.namelist()
    }
    key = read_class(tmp_path / "class").learners  # type: ignore[union-attr]
    every = b"".join(archive.read(path) for path in archive.namelist())
    assert key["anna"].encode() in every
    assert key["bo"].encode() not in every and SEED.encode() not in every
    assert stat.S_IMODE((tmp_path / "class/class.json").stat().st_mode) == 0o600


def test_an_archive_depends_on_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    one = zipped({"b": "2", "a": "1"})
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert zipped({"a": "1", "b": "2"}) == one
    assert zipfile.ZipFile(io.BytesIO(one)).namelist() == ["a", "b"]


def test_the_pages_of_a_learner_name_his_own(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "class", labs, "Anna")
    page = (tmp_path / "class/labs-of/anna/small/README.md").read_text()
    assert page == (
        "# small\n$ invoke up lab=anna/small\n$ invoke check anna/small across\n.srv6lab/small-anna/captures lab=small-2\n"
        "[a](../other/README.md) [b](../../labs/elsewhere/README.md)\n"
    )
    page = (tmp_path / "class/labs-of/anna/small/README.zh-CN.md").read_text()
    assert page == "[English](README.md) lab=anna/small [b](../../labs/elsewhere/README.zh-CN.md)\n"


@pytest.mark.parametrize("name", ["$(touch x)", "'; touch x; '", '"}\nkey: x', "CON", "null", "../x", "!!python/object:x", "王'\"`"])  # fmt: skip
def test_no_name_leaves_its_place(tmp_path: Path, labs: dict[str, Path], name: str) -> None:
    """Also one that the reader of lists would refuse."""
    folder = tmp_path / "class"
    (learner,) = made(folder, labs, name).learners
    assert {path.name for path in tmp_path.iterdir()} == {"class", "own"}
    assert {path.name for path in folder.iterdir()} == {
        "class.json",
        "README.txt",
        "labs-of",
        f"{learner}.zip",
    }
    found = load(folder / "labs-of" / learner / "small/topology.yml").topology.learner
    assert found and (found.name, found.group) == (learner, "c")
    assert json.loads((folder / "class.json").read_text())["people"][learner]["name"] == name


def test_two_learners_have_no_address_sid_or_mac_in_common(tmp_path: Path, labs: dict[str, Path]) -> None:
    site = LabsFolder(tmp_path)
    names = [f"learner {number}" for number in range(25)]
    found = made(tmp_path / "class", {"small": labs["small"]}, *names)
    seen: set[str] = set()
    for learner in found.learners:
        plan, _ = site.load(site.refer(str(tmp_path / f"class/labs-of/{learner}/small")))
        mine = {nic.mac for node in plan.nodes for nic in node.nics}
        mine |= {str(one.sid) for node in plan.nodes for one in node.local_sids}
        mine |= {str(one.network) for node in plan.nodes for nic in node.nics for one in nic.addresses}
        assert not mine & seen
        seen |= mine


def test_an_instance_is_called_after_lab_and_learner(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "class", labs, "Anna")
    site = LabsFolder(tmp_path, tmp_path / "class/labs-of/anna")
    assert (
        site.refer("small").name
        == site.refer(str(tmp_path / "class/labs-of/anna/small")).name
        == "small-anna"
    )
    assert LabsFolder(tmp_path, tmp_path / "own").refer("small").name == "small"


def test_a_learners_lab_makes_no_class(tmp_path: Path, labs: dict[str, Path]) -> None:
    made(tmp_path / "class", labs, "Anna")
    with pytest.raises(UsageError, match="anna's already"):
        made(tmp_path / "next", {"small": tmp_path / "class/labs-of/anna/small/topology.yml"}, "Bo")


def test_a_lab_whose_addresses_are_not_written_out_is_handed_out_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "own/wide/topology.yml"
    file.parent.mkdir(parents=True)
    file.write_text(
        'name: wide\nnodes:\n  h[1-2]: {role: host, routes: [{prefix: "::/0", via: "fd01:{n}::2"}]}\n  r: {role: router}\n'
        'links: [{prefix: "fd01:{n}::/64", endpoints: ["h[1-2]", r]}]\n'
    )
    said: list[str] = []
    make(tmp_path / "class", [Person("Anna"), Person("Bo")], {"wide": file}, "c", SEED, said.append)
    anna, bo = (load(tmp_path / f"class/labs-of/{one}/wide/topology.yml").topology for one in ("anna", "bo"))
    assert anna.links == bo.links and anna.learner != bo.learner
    assert len([line for line in said if "with its own addresses" in line]) == 1


def test_the_task_says_what_is_missing_and_what_it_made(tmp_path: Path, typed: Typed) -> None:
    names = tmp_path / "names.csv"
    names.write_text("name;mail\nAnna;a@example.org\nBo;\n")
    assert typed("class.new", str(names)).returncode == 1
    wrong = typed("class.new", str(names), "--out", str(tmp_path / "c"), "--labs", "nothing-like-it")
    assert wrong.returncode == 1 and not (tmp_path / "c").exists()
    done = typed("class.new", str(names), "--out", str(tmp_path / "c"), "--labs", LABS[0], "--seed", SEED)
    assert done.returncode == 0 and "2 learners, 1 lab." in done.stdout
    assert "bo (2 of 2)" in done.stderr
    found = read_class(tmp_path / "c")
    assert found and found.people["anna"] == {"name": "Anna", "mail": "a@example.org"}
    assert (tmp_path / "c/labs-of/bo" / LABS[0] / "topology.svg").is_file()
    names.write_text("Anna\nAnna\n")
    assert typed("class.new", str(names), "--out", str(tmp_path / "d")).returncode == 2


@pytest.mark.prove
def test_every_lab_is_in_a_class_of_all(tmp_path: Path) -> None:
    files = {name: SITE.labs / name / "topology.yml" for name in LABS}
    said: list[str] = []
    make(tmp_path / "class", [Person("Anna")], files, "c", SEED, said.append)
    assert said == ["anna (1 of 1)"]
