"""Writes tests/turns.txt, the tests that take turns in `make test`, by what a whole run took:

    PYTEST_ADDOPTS=--junitxml=/tmp/whole.xml make test turn=all
    .venv/bin/python scripts/turns.py /tmp/whole.xml

A function is listed if its cases took so many seconds together.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LISTED = REPOSITORY / "tests" / "turns.txt"
LONG = 3.0
# What each run has to show: every lab passes, and a newcomer's first minute.
ALWAYS = frozenset({"test_exercises_pass", "test_readme_commands_on_a_minimal_debian"})
HEAD = f"""\
# Functions whose cases took {LONG:g} seconds and more together, and how many. scripts/turns.py writes it.
"""


def function(case: ET.Element) -> str:
    """As pytest names it: the file, the class if there is one, the function."""
    path, parts = REPOSITORY, str(case.get("classname")).split(".")
    names: list[str] = []
    while parts:
        path = path / parts.pop(0)
        if path.with_suffix(".py").is_file():
            names = [str(path.with_suffix(".py").relative_to(REPOSITORY)), *parts]
            break
    return "::".join([*names, str(case.get("name")).partition("[")[0]])


def main() -> None:
    took: Counter[str] = Counter()
    for case in ET.parse(sys.argv[1]).iter("testcase"):
        took[function(case)] += float(case.get("time", 0))  # type: ignore[assignment]
    long = {
        name: seconds
        for name, seconds in took.items()
        if seconds >= LONG and name.rpartition("::")[2] not in ALWAYS
    }
    LISTED.write_text(HEAD + "".join(f"{seconds:5.0f} {name}\n" for name, seconds in sorted(long.items())))


if __name__ == "__main__":
    main()
