"""A skip that nobody allowed fails the run where CI runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.skips import ALLOWED, environment, refused

TESTS = """
import pytest

def test_one():
    pytest.skip("no bridge here")

@pytest.mark.skipif(True, reason="not today")
def test_two(): ...

@pytest.mark.xfail
def test_three():
    assert False

def test_four(): ...
"""


def run(folder: Path, text: str, **env: str) -> str:
    (folder / "test_it.py").write_text(text)
    clean = {key: value for key, value in os.environ.items() if key not in ("CI", "SRV6LAB_FIRST_RUN")}
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.skips",
        "-p",
        "no:cacheprovider",
        "-q",
        "test_it.py",
    ]
    env = {**clean, "PYTHONPATH": str(REPOSITORY), **env}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True).stdout


def test_a_machine_of_somebodys_own_may_skip(tmp_path: Path) -> None:
    assert "1 passed, 2 skipped, 1 xfailed" in run(tmp_path, TESTS)


def test_ci_may_not(tmp_path: Path) -> None:
    said = run(tmp_path, TESTS, CI="true")
    assert "1 passed, 1 xfailed" in said and "skipped, which tests/skips.py doesn't allow in ci" in said
    assert "no bridge here" in said and "not today" in said


def test_nor_a_whole_file(tmp_path: Path) -> None:
    said = run(tmp_path, "import pytest\npytest.importorskip('no_such_module')\n", CI="true")
    assert "1 error" in said and "no_such_module" in said
    assert "1 skipped" in run(tmp_path, "import pytest\npytest.importorskip('no_such_module')\n")


@pytest.mark.parametrize("where", ALLOWED)
def test_what_is_allowed_is_a_test_that_is_there(where: str) -> None:
    for test in ALLOWED[where]:
        file, name = test.split("::")
        assert f"def {name}" in (REPOSITORY / file).read_text()
        assert not refused(test, where) and not refused(test, "") and refused("tests/test_plan.py::x", where)


def test_the_environment_is_known_by_its_variables() -> None:
    assert [environment(one) for one in ({}, {"CI": "true"}, {"CI": "1", "SRV6LAB_FIRST_RUN": "1"})] == ["", "ci", "first run"]  # fmt: skip
