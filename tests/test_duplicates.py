"""No six lines of code stand twice, in Python or in shell: what is said twice is mended once."""

from __future__ import annotations

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import pytest

from tests.conftest import REPOSITORY

RUN = 6

Line = tuple[int, str]


def code(text: str, python: bool) -> Iterator[Line]:
    """The lines that say something: no blank one, comment, import or lone bracket."""
    imports: set[int] = set()
    if python:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words.strip("()[]{},;:") and not words.startswith("#") and number not in imports:
            yield number, words


def twice(files: Mapping[str, Iterable[Line]]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Pairs of files (or one with itself) → the lines at which runs begin that both have."""
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for name, lines in files.items():
        numbered = list(lines)
        for at in range(len(numbered) - RUN + 1):
            run = numbered[at : at + RUN]
            places[tuple(words for _, words in run)].append((name, run[0][0]))
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for same in places.values():
        for (one, line), (other, again) in pairwise(same):
            found[one, other].append((line, again))
    return found


def tracked() -> dict[str, list[Line]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    names = [name for name in listed.decode().split("\0") if not name.startswith("tests/golden/")]
    texts = {}
    for name in names:
        path = REPOSITORY / name
        if name.endswith((".py", ".sh")) or (name.startswith(("scripts/", ".ci/")) and path.is_file()):
            texts[name] = list(code(path.read_text("utf-8"), name.endswith(".py")))
    return texts


def test_no_six_lines_stand_twice() -> None:
    found = twice(tracked())
    told = [f"{one}:{a} = {other}:{b}" for (one, other), lines in found.items() for a, b in lines[:1]]
    assert not told, "\n".join(told)


SIX = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n"


@pytest.mark.parametrize(
    ("one", "other", "seen"),
    [
        (SIX, SIX, True),
        (SIX, SIX.replace("c", "x"), False),
        (SIX, SIX.replace("c = 3", "\n# why\n(\n)\nc = 3"), True),
        (SIX, SIX.replace("f = 6", "import f"), False),
        ("from x import (\n a,\n b,\n c,\n d,\n e,\n f,\n)\n",) * 2 + (False,),
        (SIX + SIX, "", True),
    ],
    ids=["same", "another line", "what does not count", "an import", "imports alone", "in one file"],
)
def test_six_lines_are_seen_wherever_they_stand(one: str, other: str, seen: bool) -> None:
    files = {name: list(code(text, True)) for name, text in (("one", one), ("other", other))}
    assert bool(twice(files)) is seen
