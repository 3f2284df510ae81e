"""What runs inside of machines runs on the Python of their boxes: 3.9 (Debian 11) and newer."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab import agent
from srv6lab.host.files import PACKAGE
from tests.userland import inside

OLDEST = (3, 9)
# What came after it, of what such programs might call: by the name, or the word of a call.
LATER_NAMES = {
    "pairwise",
    "bit_count",
    "StrEnum",
    "Self",
    "TypeAlias",
    "ExceptionGroup",
    "aiter",
    "anext",
    "UTC",
    "tomllib",
}
LATER_WORDS = {("zip", "strict"), ("dataclass", "slots"), ("dataclass", "kw_only"), ("field", "kw_only")}


def programs() -> list[Path]:
    found = [*PACKAGE.glob("srconf/*.py"), PACKAGE / "srconf" / "srconf", *PACKAGE.glob("inside/*.py")]
    return sorted({*found, *(path for pattern in agent.FILES for path in PACKAGE.glob(pattern))})


def too_new(text: str) -> Iterator[str]:
    """What of a program a Python of that age doesn't know."""
    try:
        tree = ast.parse(text, feature_version=OLDEST)
    except SyntaxError as error:
        yield str(error)
        return
    lazy = any(isinstance(one, ast.ImportFrom) and one.module == "__future__" for one in tree.body)
    said = set() if not lazy else {id(inner) for one in _annotations(tree) for inner in ast.walk(one)}
    for node in ast.walk(tree):
        name = getattr(node, "id", getattr(node, "attr", getattr(node, "name", "")))
        if name in LATER_NAMES:
            yield f"{node.lineno}: {name}"
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            yield from (
                f"{node.lineno}: {called}({w.arg})" for w in node.keywords if (called, w.arg) in LATER_WORDS
            )
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.BitOr)
            and id(node) not in said
            and _types(node)
        ):
            yield f"{node.lineno}: {ast.unparse(node)}"


def _annotations(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if (found := getattr(node, name, None)) is not None:
                yield found


def _types(node: ast.BinOp) -> bool:
    """Whether it is a union of types: names in capitals at its two ends, or None."""
    return all(_type(one) for one in (node.left, node.right))


def _type(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _types(node)
    if isinstance(node, ast.Constant):
        return node.value is None
    name = node.id if isinstance(node, ast.Name) else ""
    return name in {"int", "str", "bytes", "float", "bool"} or (name[:1].isupper() and not name.isupper())


def test_what_runs_in_machines_is_written_for_the_oldest_python_of_a_box() -> None:
    assert len(programs()) > 50
    found = [
        f"{path.relative_to(PACKAGE)}:{one}"
        for path in programs()
        for one in too_new(path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "match 1:\n  case 1: pass",
        "zip(a, b, strict=True)",
        "@dataclass(frozen=True, slots=True)\nclass A: pass",
        "from itertools import pairwise",
        "Either = IPv4Address | IPv6Address",
        "def f(a: int | None) -> None: pass",
        "try: pass\nexcept* OSError: pass",
        "from __future__ import annotations\nisinstance(a, Left | Right)",
        "with (open(a) as b, open(c) as d):\n  x: list = [*a]\n  match b:\n    case _: pass",
    ],
)
def test_what_is_too_new_is_found(text: str) -> None:
    assert list(too_new(text))


@pytest.mark.parametrize(
    "text",
    ["GROUPS = 1 << 0 | FLAG", "from __future__ import annotations\ndef f(a: int | None) -> None: pass"],
)
def test_what_is_not_is_not(text: str) -> None:
    assert not list(too_new(text))


IMPORT = """
import importlib, sys
sys.path.insert(0, "/mnt")
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sys.version_info[:2])
"""


@pytest.mark.prove
def test_python_3_9_loads_all_and_its_proxy_serves(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Debian 11's own, with its iproute2: three pings cross the proxy, on this machine's kernel."""
    names = [
        ".".join(("srv6lab", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in programs()
        if path.suffix == ".py" and path.stem != "__main__"
    ]
    script = 'python3 -B -c "$1" "${@:2}" && cd /mnt && exec python3 -B -m tests.srconf.elsewhere'
    command = ["unshare", "--net", "bash", "-c", script, "bash", IMPORT, *names]
    done = inside("bullseye", command, tmp_path)
    assert done.returncode == 0, done.stderr
    version, said = done.stdout.splitlines()
    record_property("python", version)
    assert tuple(map(int, version.split())) == OLDEST
    assert json.loads(said)["received"] == 3, said
