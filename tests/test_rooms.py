"""The table of rooms in docs/architecture.md is what the code does; no code knows a lab by its name."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from srv6lab.topology.json_schema import json_schema
from tests.conftest import LABS, REPOSITORY, SITE

DOCUMENT = REPOSITORY / "docs" / "architecture.md"


@dataclass(frozen=True)
class Room:
    """A row of the table: the modules it is, and what they may import."""

    name: str
    allowed: frozenset[str]


def rooms(text: str) -> dict[str, Room]:
    """The rows of the table below the heading `Rooms`; a row may name several rooms."""
    section = text.split("\n## Rooms\n", 1)[1].split("\n## ", 1)[0]
    found = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and (names := re.findall(r"`([a-z0-9_.]+)`", cells[0])):
            allowed = frozenset(re.findall(r"[a-z0-9_.]+", cells[2]))
            found |= {name: Room(name, allowed) for name in names}
    return found


def within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def room_of(module: str, table: Mapping[str, Room]) -> Room | None:
    """The row with the longest name that the module's begins with."""
    return max(
        (room for room in table.values() if within(module, room.name)),
        key=lambda r: len(r.name),
        default=None,
    )


def imports(source: str, module: str, *, package: bool = False) -> Iterator[str]:
    """Everything that a module imports, inside functions too; `from a import b` is a.b."""
    here = module.split(".") if package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def refused(names: Iterable[str], module: str, table: Mapping[str, Room]) -> list[str]:
    """What a module imports and may not."""
    room = room_of(module, table)
    if room is None:
        return [f"{module} is in no room"]
    said = []
    for name in names:
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or within(name, room.name):
            continue
        if name.startswith("srv6lab.__") or not any(within(name, one) for one in room.allowed):
            said.append(f"{module} imports {name}, which the row of {room.name} does not name")
    return said


@cache
def imports_of(module: str) -> tuple[str, ...]:
    path = MODULES[module]
    return tuple(imports(path.read_text("utf-8"), module, package=path.name == "__init__.py"))


def modules() -> dict[str, Path]:
    found = {"tasks": REPOSITORY / "tasks.py"}
    for path in sorted((REPOSITORY / "srv6lab").rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


TABLE = rooms(DOCUMENT.read_text(encoding="utf-8"))
MODULES = modules()


@pytest.mark.parametrize("module", [name for name in MODULES if name != "srv6lab"])
def test_a_room_imports_what_its_row_allows(module: str) -> None:
    assert refused(imports_of(module), module, TABLE) == []


def test_the_package_itself_imports_nothing() -> None:
    assert not list(imports(MODULES["srv6lab"].read_text("utf-8"), "srv6lab", package=True))


@pytest.mark.parametrize("name", TABLE)
def test_every_room_of_the_table_is_there(name: str) -> None:
    assert name in MODULES


@pytest.mark.parametrize("room", TABLE.values(), ids=lambda room: room.name)
def test_every_permission_is_used(room: Room) -> None:
    """A row that allows more than its room needs says nothing."""
    used = {name for module in MODULES if room_of(module, TABLE) == room for name in imports_of(module)}
    idle = {one for one in room.allowed if one != room.name and not any(within(name, one) for name in used)}
    assert idle == set()


def climbs(table: Mapping[str, Room]) -> list[str]:
    """The permissions that lead to a room which doesn't stand above its own, or to one that contains it."""
    order = list(table)
    return [
        f"{name} may import {other}"
        for index, name in enumerate(order)
        for other in table[name].allowed & set(order)
        if order.index(other) > index and not within(name, other)
    ]


def test_no_permission_leads_up_or_in_a_circle() -> None:
    assert climbs(TABLE) == []


def test_a_permission_that_leads_up_is_seen() -> None:
    table = rooms("\n## Rooms\n\n| room | what | may import |\n|---|---|---|\n| `a` | | b |\n| `b` | | a |\n")
    assert climbs(table) == ["a may import b"]


MADE_UP = rooms(
    """
## Rooms

| room | what | may import |
|---|---|---|
| `srv6lab.core` | values | — |
| `srv6lab.core.deep` | deeper | srv6lab.core |
| `srv6lab.edge`, `srv6lab.rim` | the machine | yaml, srv6lab.core |

## Later
"""
)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("srv6lab.core", "import srv6lab.edge"),
        ("srv6lab.core", "from srv6lab import edge"),
        ("srv6lab.core", "from srv6lab.edge import thing"),
        ("srv6lab.core.one", "from ..edge import thing"),
        ("srv6lab.core", "def f():\n    if True:\n        from srv6lab.edge import thing"),
        ("srv6lab.core", "import os, yaml"),
        ("srv6lab.core", "import yaml.nodes as n"),
        ("srv6lab.edge", "import jinja2"),
        ("srv6lab.edge", "from srv6lab.corelike import thing"),
        ("srv6lab.core.deep", "import srv6lab.edge"),
        ("srv6lab.garden", "import os"),
        ("srv6lab.edge", "import tasks"),
    ],
)
def test_the_check_refuses(module: str, source: str) -> None:
    assert len(refused(imports(source, module), module, MADE_UP)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "srv6lab.core",
            "import os.path\nfrom collections.abc import Iterator\nfrom __future__ import annotations",
        ),
        ("srv6lab.core.one", "from srv6lab.core.two import thing\nfrom . import three"),
        ("srv6lab.core.deep", "from srv6lab.core import thing"),
        ("srv6lab.edge", "import yaml\nfrom srv6lab.core.one import thing"),
        ("srv6lab.rim", "from yaml.nodes import Node"),
    ],
)
def test_the_check_allows(module: str, source: str) -> None:
    assert refused(imports(source, module), module, MADE_UP) == []


# `tests/srconf/` (and its benchmark) builds a chain of its own for a command that stands alone: it reads no topology, and
# names its nodes after the seed's.
PYTHON = [
    path
    for folder in ("srv6lab", "scripts", "benchmarks", "tests")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
    if path.name != "srproxy.py"
    and ("srconf" not in path.parts or "srv6lab" in path.relative_to(REPOSITORY).parts[:1])
] + [REPOSITORY / "tasks.py"]
LONG_ENOUGH = 5  # a shorter name is also a word or an abbreviation of something else


@cache
def lab_names() -> frozenset[str]:
    """The names of all labs and of their nodes, but for a lab that is called after a word of the topology."""
    nodes = (machine.name for name in LABS for machine in SITE.load(SITE.refer(name))[0].nodes)
    return (frozenset(LABS) | frozenset(nodes)) - set(_words(json_schema()))


def _words(schema: object) -> Iterator[str]:
    """The keys that a schema knows, and the values that it lists."""
    if isinstance(schema, list):
        for one in schema:
            yield from _words(one)
    elif isinstance(schema, dict):
        yield from schema.get("properties", ())
        yield from (one for one in (*schema.get("enum", ()), schema.get("const")) if isinstance(one, str))
        for one in schema.values():
            yield from _words(one)


def mentions(source: str, names: Set[str]) -> list[str]:
    """Where a name stands in the code: a distinctive one anywhere in a text or an identifier, a short
    one only as a whole text. Docstrings may say what they like by way of example."""
    search = _distinctive(frozenset(names)).search
    docstrings = set()
    found = []
    for node in ast.walk(ast.parse(source)):  # what holds another node comes before it
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.add(id(node.value))
        text = getattr(node, _WORDS.get(type(node), ""), None)
        if not isinstance(text, str) or id(node) in docstrings:
            continue
        whole = isinstance(node, ast.Constant) and text in names
        if whole or search(text):
            found.append(f"line {getattr(node, 'lineno', '?')}: {text[:60]}")
    return found


@cache
def _distinctive(names: frozenset[str]) -> re.Pattern[str]:
    long = sorted(re.escape(name) for name in names if len(name) >= LONG_ENOUGH)
    return re.compile(rf"(?<![a-z0-9])({'|'.join(long) or '(?!)'})(?![a-z0-9])")


_WORDS: Mapping[type[ast.AST], str] = {
    ast.Constant: "value",
    ast.Name: "id",
    ast.Attribute: "attr",
    ast.arg: "arg",
    ast.keyword: "arg",
    ast.FunctionDef: "name",
    ast.ClassDef: "name",
    ast.alias: "name",
}


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_code_holds_the_name_of_a_lab_or_of_a_node(path: Path) -> None:
    assert mentions(path.read_text("utf-8"), lab_names()) == []


@pytest.mark.parametrize(
    "source", ['x = "my-lab"', 'f("at gate1:eth1")', "gate1 = 3", "x.gate1", "def gate1(): ...", 'x = "ab"']
)
def test_a_name_is_found(source: str) -> None:
    assert mentions(source, {"my-lab", "gate1", "ab"})


@pytest.mark.parametrize(
    "source", ['x = "ab:eth2"', '"""Such as ab in my-lab."""', "ab = 3", 'x = "gate12"', "x = 1"]
)
def test_a_name_is_not_found(source: str) -> None:
    assert not mentions(source, {"my-lab", "gate1", "ab"})
