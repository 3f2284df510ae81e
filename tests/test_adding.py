"""docs/adding.md shows where things are added by diffs of real ones: every line of them stands in its file."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "adding.md").read_text("utf-8")
MOST = {
    "An engine": 2,
    "An action": 3,
    "A kind of probe": 3,
    "A field that may be expected": 3,
}  # with templates


def added(section: str) -> dict[str, list[str]]:
    """The lines that the diff of a section adds, by file."""
    files: dict[str, list[str]] = {}
    lines: list[str] = []
    for diff in re.findall(r"```diff\n(.*?)```", section, re.DOTALL):
        for line in diff.splitlines():
            if line.startswith("+++ b/"):
                lines = files.setdefault(line.removeprefix("+++ b/"), [])
            else:
                lines.append(line.removeprefix("+"))
    return files


def absent(files: dict[str, list[str]]) -> list[str]:
    """The lines that don't stand in their files."""
    return [
        f"{path}: {line}"
        for path, lines in files.items()
        for line in lines
        if line not in (REPOSITORY / path).read_text("utf-8").splitlines()
    ]


SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("title", SECTIONS)
def test_every_line_of_a_diff_stands_in_its_file(title: str) -> None:
    files = added(SECTIONS[title])
    assert files
    assert absent(files) == []
    assert len(files) <= MOST.get(title, 2)


def test_a_line_that_is_gone_is_noticed() -> None:
    shown = added("```diff\n+++ b/pyproject.toml\n+[project]\n+[projects]\n```")
    assert absent(shown) == ["pyproject.toml: [projects]"]


def test_every_place_of_the_table_is_there() -> None:
    table = DOCUMENT.split("\n| what |", 1)[1].split("\n\n", 1)[0]
    paths = re.findall(r"`((?:srv6lab|tests|labs|templates|docs)/[^`<]*)", table)
    assert len(paths) > 20
    for path in paths:
        assert (REPOSITORY / path).exists(), path
