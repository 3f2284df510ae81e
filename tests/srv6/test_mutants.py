"""A mutant of each line of the pseudo-code fails a case: what the cases don't hold, they don't prove."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from srv6lab.srv6.results import Flavor, L2Match
from tests.conftest import REPOSITORY

ROOM = REPOSITORY / "srv6lab" / "srv6"
MODULES = (
    "endpoint",
    "decapsulation",
    "binding",
    "csid",
    "outer",
    "encapsulation",
    "headend",
    "proxy",
    "oam",
)
COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.LtE: ast.Lt,
    ast.Lt: ast.LtE,
    ast.Gt: ast.GtE,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
MEMBERS = {kind.__name__: list(kind.__members__) for kind in (Flavor, L2Match)}

# A mutant that does the same as the original, or a line of no pseudo-code, and why.
SAME = {
    "return IPv6Network((sid, self.block + self.node_function), strict=False)": "which route a lab has for a SID",
}


def mutants(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every mutant of a module, one after the other: the line that differs, and the whole source."""
    unread = {id(part) for node in ast.walk(tree) for part in _unread(node)}
    for node in ast.walk(tree):
        for undo in _changes(node) if id(node) not in unread else ():
            yield getattr(node, "lineno", 0), ast.unparse(tree)
            undo()


def _unread(node: ast.AST) -> Iterator[ast.AST]:
    """Annotations, which Python never evaluates, and decorators, which say that a value is frozen."""
    parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    for part in (*parts, *getattr(node, "decorator_list", ())):
        if isinstance(part, ast.AST):
            yield from ast.walk(part)


def _changes(node: ast.AST) -> Iterator[Callable[[], object]]:
    """Changes the node in place; what is yielded takes the change back."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARE:
            node.ops = [COMPARE[type(operator)]()]
            yield lambda: setattr(node, "ops", [operator])
        case ast.BoolOp(op=operator):
            node.op = ast.And() if isinstance(operator, ast.Or) else ast.Or()
            yield lambda: setattr(node, "op", operator)
        case ast.BinOp(op=operator) if type(operator) in ARITHMETIC:
            node.op = ARITHMETIC[type(operator)]()
            yield lambda: setattr(node, "op", operator)
        case ast.Constant(value=bool() as truth):
            node.value = not truth
            yield lambda: setattr(node, "value", truth)
        case ast.Constant(value=int() as number):
            node.value = number + 1
            yield lambda: setattr(node, "value", number)
        case ast.If(test=test) | ast.IfExp(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)
            yield lambda: setattr(node, "test", test)
        case ast.Attribute(value=ast.Name(id=kind), attr=member) if member in MEMBERS.get(kind, ()):
            node.attr = MEMBERS[kind][MEMBERS[kind].index(member) - 1]
            yield lambda: setattr(node, "attr", member)
        case ast.Call(keywords=keywords) if isinstance(node.func, ast.Name) and node.func.id == "replace":
            for keyword in keywords:
                node.keywords = [one for one in keywords if one is not keyword]
                yield lambda: setattr(node, "keywords", keywords)


def survives(folder: Path, cases: str = "casefiles") -> bool:
    """Whether every case passes with the package of that folder."""
    program = f"import sys; from tests.srv6.{cases} import failing; sys.exit(bool(failing()))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": f"{folder}:{REPOSITORY}", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def plant(folder: Path, module: str, source: str) -> Path:
    """A folder with the package, one module of which is another."""
    (folder / "srv6lab").mkdir(parents=True)
    (folder / "srv6lab" / "__init__.py").touch()
    shutil.copytree(ROOM, folder / "srv6lab" / "srv6", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "srv6lab" / "srv6" / f"{module}.py").write_text(source)
    return folder


@pytest.mark.prove
@pytest.mark.parametrize("module", MODULES)
def test_no_mutant_survives(module: str, tmp_path: Path) -> None:
    text = (ROOM / f"{module}.py").read_text("utf-8")
    lines = text.splitlines()
    assert survives(plant(tmp_path / "original", module, text))
    found = list(mutants(ast.parse(text)))
    folders = [plant(tmp_path / str(n), module, source) for n, (_, source) in enumerate(found)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = [
            lines[found[n][0] - 1].strip() for n, lives in enumerate(pool.map(survives, folders)) if lives
        ]
    assert [line for line in alive if line not in SAME] == []
    assert found
