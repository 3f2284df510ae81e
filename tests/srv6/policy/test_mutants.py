"""A mutant of the rules fails a test: what the cases don't hold, they don't prove."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.srv6.test_mutants import ROOM, mutants

# The modules that decide, with the tests that hold each.
HELD_BY = {
    "election": "test_rules test_election",
    "lists": "test_rules",
    "validity": "test_rules",
    "state": "test_rules test_binding_sid",
    "binding_sid": "test_binding_sid",
    "computation": "test_computation",
    "shortest": "test_computation test_rules",
    "steering": "test_steering",
    "resolution": "test_segments test_rules",
    "segments": "test_segments",
    "sr_db": "test_segments",
    "paths": "test_values test_rules",
    "identity": "test_values",
    "shares": "test_shares",
}

# A mutant that does the same as the original, and why.
SAME: dict[str, str] = {}


def survives(folder: Path, tests: list[str]) -> bool:
    """Whether the tests pass with the package of that folder, and with nothing else of this repository's."""
    files = [f"{REPOSITORY}/tests/srv6/policy/{name}.py" for name in tests]
    options = ["-x", "-q", "-p", "no:cacheprovider", "--noconftest", "--import-mode=importlib"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--rootdir={folder}", "-c", os.devnull, *options, *files],
        env={**os.environ, "PYTHONPATH": f"{folder}:{REPOSITORY}", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def plant(folder: Path, module: str, source: str) -> Path:
    """A folder with the package, one module of which is another."""
    (folder / "srv6lab" / "srv6").mkdir(parents=True)
    for package in ("srv6lab", "srv6lab/srv6"):
        (folder / package / "__init__.py").touch()
    shutil.copytree(
        ROOM / "policy", folder / "srv6lab" / "srv6" / "policy", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "srv6lab" / "srv6" / "policy" / f"{module}.py").write_text(source)
    return folder


@pytest.mark.prove
@pytest.mark.parametrize("module", HELD_BY)
def test_no_mutant_survives(module: str, tmp_path: Path) -> None:
    text = (ROOM / "policy" / f"{module}.py").read_text("utf-8")
    lines = text.splitlines()
    tests = HELD_BY[module].split()
    assert survives(plant(tmp_path / "original", module, text), tests)
    found = [one for one in mutants(ast.parse(text)) if lines[one[0] - 1].strip() not in SAME]
    folders = [plant(tmp_path / str(n), module, source) for n, (_, source) in enumerate(found)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = list(pool.map(lambda folder: survives(folder, tests), folders))
    assert [lines[line - 1].strip() for (line, _), lives in zip(found, alive, strict=True) if lives] == []
