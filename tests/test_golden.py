"""Every text that some labs render to, as it was last read by a person: `tests/golden/<lab>/`.

What one part of a topology comes to is in test_render_cases.py; here are a few labs whole, so that each template is.

What the Vagrant target renders stands there by its path; what another target renders and Vagrant doesn't, in
a folder of the target's name. Files that are only copied (`srconf/`, `agent/`) have no golden.

    UPDATE=1 pytest tests/test_golden.py

writes them anew; then read the difference, since that is what users of the lab will get.
"""

from __future__ import annotations

import difflib
import os
import shutil
from pathlib import Path

import pytest

from srv6lab.errors import LabError
from srv6lab.plan.nodes import Plan
from srv6lab.render.files import Files
from srv6lab.render.node_files import agent_files, srconf_files
from srv6lab.render.targets import DEFAULT_TARGET, TARGETS
from tests.conftest import LABS, SITE

FOLDER = Path(__file__).with_name("golden")
HINT = "if this is meant: UPDATE=1 pytest tests/test_golden.py, and read the difference"


def rendered(plan: Plan) -> dict[str, str]:
    """The texts of all targets by the path of their golden file."""
    own = _rendered_by(DEFAULT_TARGET, plan)
    copied = {**srconf_files(), **agent_files()}
    texts = {path: content for path, content in own.items() if path not in copied}
    for target in TARGETS:
        for path, content in _rendered_by(target, plan).items():
            if own.get(path) != content:
                texts[f"{target}/{path}"] = content
    assert all(isinstance(text, str) for text in texts.values())
    return {path: str(text) for path, text in texts.items()}


def _rendered_by(target: str, plan: Plan) -> Files:
    try:
        return TARGETS[target](plan)
    except LabError:
        return {}  # the lab can't run there


def standing(folder: Path) -> dict[str, str]:
    """What the golden folder of a lab holds, byte for byte."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in paths}


def complaints(texts: dict[str, str], golden: dict[str, str]) -> str:
    """The diff of every golden file that isn't what is rendered, or is missing, or stale."""
    found: list[str] = []
    for path in sorted(texts.keys() | golden.keys()):
        before, after = golden.get(path, ""), texts.get(path, "")
        names = (f"golden/{path}" if path in golden else "missing", path if path in texts else "stale")
        if before != after:
            found += difflib.unified_diff(before.split("\n"), after.split("\n"), *names, lineterm="")
    return "\n".join(found)


def update(folder: Path, texts: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_golden(name: str) -> None:
    texts = rendered(SITE.load(SITE.refer(name))[0])
    if os.environ.get("UPDATE"):
        update(FOLDER / name, texts)
    differs = complaints(texts, standing(FOLDER / name))
    assert not differs, f"{differs}\n\n{HINT}"


def test_every_golden_folder_has_its_lab() -> None:
    assert {path.name for path in FOLDER.iterdir()} <= set(LABS)


def test_a_difference_is_shown_line_by_line() -> None:
    assert complaints({"a": "one\ntwo\n"}, {"a": "one\n2\n"}).splitlines() == [
        "--- golden/a", "+++ a", "@@ -1,3 +1,3 @@", " one", "-2", "+two", " ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "golden", "heading"),
    [
        ({"new": "x\n"}, {}, ["--- missing", "+++ new"]),
        ({}, {"old": "x\n"}, ["--- golden/old", "+++ stale"]),
        ({"a": "x\n"}, {"a": "x\r\n"}, ["--- golden/a", "+++ a"]),
        ({"a": "x\n"}, {"a": "x"}, ["--- golden/a", "+++ a"]),
    ],
)
def test_missing_stale_and_other_bytes_are_seen(
    texts: dict[str, str], golden: dict[str, str], heading: list[str]
) -> None:
    assert complaints(texts, golden).splitlines()[:2] == heading


def test_an_update_writes_what_is_rendered_and_drops_what_is_stale(tmp_path: Path) -> None:
    update(tmp_path / "lab", {"day0/old.sh": "x\n", "top": "y\n"})
    update(tmp_path / "lab", {"day0/new.sh": "x\n"})
    assert standing(tmp_path / "lab") == {"day0/new.sh": "x\n"}
