"""The tests that run beside the others are there, share no lab, and really run in groups."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.aside import ASIDE, MACHINE, group
from tests.conftest import REPOSITORY

FIXTURES = re.compile(r"def test_\w+\([^)]*\b(bring_up|labs_up|need_root|up_once|lone|idle)\b")


@pytest.mark.parametrize("path", ASIDE)
def test_what_runs_aside_is_there_and_shares_no_lab(path: str) -> None:
    files = [REPOSITORY / path] if path.endswith(".py") else sorted((REPOSITORY / path).glob("test_*.py"))
    assert files
    for file in files:
        assert not FIXTURES.search(file.read_text("utf-8")), file


def test_a_group_is_one_worker_s(tmp_path: Path) -> None:
    """Held against pytest-xdist itself, whose own groups a pytest may break: then it deals tests out singly."""
    (tmp_path / "tests").mkdir()
    tests = "\n".join(f"def test_{number}(): ..." for number in range(6))
    for name in ("test_chain.py", "test_one.py", "test_other.py"):
        (tmp_path / "tests" / name).write_text(tests)
    hook = "from tests.aside import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler\n"
    (tmp_path / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(REPOSITORY)!r})\n{hook}")
    options = re.findall(r"pytest -m 'not prove' (.*)", (REPOSITORY / "Makefile").read_text("utf-8"))[
        0
    ].split()
    command = [sys.executable, "-m", "pytest", "-v", *options, "tests"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    ran = re.findall(r"\[(gw\d)\].* PASSED (\S+::\w+)", said)
    assert len(ran) == 18, said
    assert {group(test) for _, test in ran} == {"tests/test_chain.py", MACHINE}
    assert len({(worker, group(test)) for worker, test in ran}) == 2
