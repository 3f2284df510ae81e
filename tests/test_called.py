"""Messages name commands by what was typed: `invoke` in a clone, `srv6lab` where it is installed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from srv6lab.called import CALLED, called_by
from tests.conftest import REPOSITORY, SITE

COMMAND = re.compile(r"(?<![/\w])(invoke|srv6lab) (?=[a-z-])")
SOURCES = [REPOSITORY / "tasks.py", *sorted((REPOSITORY / "srv6lab").rglob("*.py"))]


def said(source: str) -> Iterator[str]:
    """The texts of a module that name a command, but for its docstrings, where the clone's stands."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs and isinstance(node.value, str):
            yield from COMMAND.findall(node.value)


def test_no_message_knows_how_it_was_typed() -> None:
    assert [str(path) for path in SOURCES if "invoke" in said(path.read_text("utf-8"))] == []


def test_a_message_that_does_is_seen() -> None:
    assert list(said('"""invoke up"""\nx = f"then invoke up {x}"\n')) == ["invoke"]


@pytest.mark.parametrize(
    ("program", "called"),
    [
        ("/home/one/.local/bin/srv6lab", "srv6lab"),
        ("/usr/lib/python3/dist-packages/srv6lab/__main__.py", "srv6lab"),
        ("C:/Scripts/srv6lab.exe", "srv6lab"),
        (".venv/bin/invoke", "invoke"),
        ("/usr/lib/python3/dist-packages/invoke/__main__.py", "invoke"),
        ("/home/srv6lab/tests/vagrant/e2e.py", "invoke"),
        ("", "invoke"),
    ],
)
def test_what_was_typed_is_told_by_the_program(program: str, called: str) -> None:
    assert called_by(program) == called


def test_what_is_installed_says_its_own_name() -> None:
    """In a mend, an example, and what a docstring says."""
    assert CALLED == "invoke"
    lab = SITE.course()[0][0].name
    for words, code in ((["connect", lab, "nowhere", f"--instance=no-{lab}"], 3), (["capture", "--help"], 0)):
        line = [sys.executable, "-m", "srv6lab", *words]
        done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == code
        assert "srv6lab " in done.stdout + done.stderr
        assert "invoke" not in done.stdout + done.stderr
