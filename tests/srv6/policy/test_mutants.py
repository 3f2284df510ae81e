"""A mutant of the rules fails a case of `rules.yml`: what the cases don't hold, they don't prove."""

from __future__ import annotations

import ast
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.srv6.test_mutants import ROOM, mutants, survives

MODULES = ("election", "lists", "validity", "state")

# A mutant that the cases don't tell from the original, and why.
SAME = {
    "found = ListState(answer.sids, 1, tuple(dead(answer.sids, policy, view)))": "one list has all, whatever its weight",
    "known = {policy.id: (policy, False) for policy in ordered}": "constituents are computed before they are asked for",
}
STRICT = "strict=True"  # what is zipped is as long as the other, or there is a bug


def plant(folder: Path, module: str, source: str) -> Path:
    """A folder with the package, one module of which is another."""
    policy = folder / "srv6lab" / "srv6" / "policy"
    shutil.copytree(ROOM / "policy", policy, ignore=shutil.ignore_patterns("__pycache__"))
    for package in (policy.parent, policy.parent.parent):
        (package / "__init__.py").touch()
    (policy / f"{module}.py").write_text(source)
    return folder


@pytest.mark.prove
@pytest.mark.parametrize("module", MODULES)
def test_no_mutant_survives(module: str, tmp_path: Path) -> None:
    text = (ROOM / "policy" / f"{module}.py").read_text("utf-8")
    lines = text.splitlines()
    lives = partial(survives, cases="policy.rulebook")
    assert lives(plant(tmp_path / "original", module, text))
    found = [
        (line, source)
        for line, source in mutants(ast.parse(text))
        if lines[line - 1].strip() not in SAME
        and source.count(STRICT) == ast.unparse(ast.parse(text)).count(STRICT)
    ]
    folders = [plant(tmp_path / str(n), module, source) for n, (_, source) in enumerate(found)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = list(pool.map(lives, folders))
    assert found
    assert [lines[line - 1].strip() for (line, _), one in zip(found, alive, strict=True) if one] == []
