"""The list of a class: who learns, in a file that a trainer has, and what each is called where files are.

A list with a name a line, or a table with a header as spreadsheets export it. Names are people's, in any script; what
becomes of them in file names and in YAML is an id of lower-case letters, digits and dashes.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from srv6lab.errors import Location, Problem, TopologyError, UsageError
from srv6lab.host.files import read_document, shown
from srv6lab.topology.checks.names import DEVICES

MOST = 1000
LONGEST_NAME = 100
_LONGEST_ID = 24
_NAME = "name"
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ð": "d"})


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list: a name, and what else the table says by its columns."""

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def known_by(self) -> str:
        """The same for names that people take for the same."""
        return " ".join(unicodedata.normalize("NFKC", self.name).casefold().split())


def read_learners(path: Path) -> tuple[Person, ...]:
    """The people of a list, in its order; TopologyError with all that is wrong in it, line by line."""
    try:
        text = read_document(path).removeprefix("\ufeff")
    except FileNotFoundError:
        raise UsageError(f"there is no file {shown(path)}", "name a list with one learner a line") from None
    except ValueError:
        where = Location(shown(path), 1, 1)
        mend = "save it as UTF-8: in a spreadsheet that is CSV UTF-8"
        raise TopologyError([Problem(where, "the file isn't UTF-8", mend)]) from None
    except OSError as error:
        raise UsageError(
            f"{shown(path)} can't be read: {error.strerror or error}", "check the path"
        ) from None
    problems: list[Problem] = []
    lines = text.splitlines()
    found: dict[str, tuple[int, Person]] = {}
    for number, person in _people(text):
        where = Location(
            shown(path), number, 1, _printable(lines[number - 1]) if number <= len(lines) else ""
        )
        first, _ = found.setdefault(person.known_by, (number, person))
        if wrong := _wrong(person.name):
            problems.append(Problem(where, *wrong))
        elif first != number:
            what = f"{person.name} is here twice, first in line {first}"
            problems.append(Problem(where, what, "tell the two apart, or take one line away"))
    if len(found) > MOST:
        where = Location(shown(path), 1, 1)
        problems.append(Problem(where, f"{len(found)} learners are more than {MOST}", "make several classes"))
    if not found:
        mend = "write one name a line, or a table with a column `name`"
        problems.append(Problem(Location(shown(path), 1, 1), "nobody is in the list", mend))
    if problems:
        raise TopologyError(problems)
    return tuple(person for _, person in found.values())


def _people(text: str) -> Iterator[tuple[int, Person]]:
    """Each with the number of the line."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    mark = max(",;\t", key=first.count)
    header = [cell.strip().casefold() for cell in next(csv.reader([first], delimiter=mark), [])]
    if _NAME not in header:
        yield from (
            (number, Person(line.strip()))
            for number, line in enumerate(lines, 1)
            if line.strip() and not line.lstrip().startswith("#")
        )
        return
    rows = csv.reader(text.splitlines(keepends=True), delimiter=mark)
    begun, last = False, 0
    for row in rows:
        number, last = last + 1, rows.line_num
        if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
            continue
        if not begun:
            begun = True
            continue
        cells = {key: cell.strip() for key, cell in zip(header, row, strict=False) if key and cell.strip()}
        yield number, Person(cells.pop(_NAME, ""), cells)


def _wrong(name: str) -> tuple[str, str] | None:
    """What is wrong with a name and how to mend it, if anything is."""
    if not name:
        return "nobody's name stands here", "write one, or take the line away"
    if len(name) > LONGEST_NAME:
        return f"a name of {len(name)} characters", f"write at most {LONGEST_NAME}"
    if hidden := next((char for char in name if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs")), ""):
        return f"the character U+{ord(hidden):04X}, which can't be seen, is in a name", "take it out"
    if slash := next((char for char in name if char in "/\\"), ""):
        return f"`{slash}` is in a name, which becomes a file's", "write it without"
    if not any(char.isalnum() for char in name):
        return "a name without a letter or a digit", "write one that can be said"
    return None


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in line)[:200]


def id_of(name: str, taken: Collection[str]) -> str:
    """What a learner is called where files are: lower-case letters, digits and dashes; not one of those that are taken.
    What the name has of other scripts is told by a few digits that only this name has."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold().translate(_LETTERS))
    kept = "".join(
        char if char.isascii() and char.isalnum() else " " if not unicodedata.combining(char) else ""
        for char in plain
    )
    lost = any(char.isalnum() and not char.isascii() for char in plain if not unicodedata.combining(char))
    slug = "-".join(kept.split())
    short = slug[:_LONGEST_ID].strip("-")
    if short == slug and slug and not lost and slug not in DEVICES and slug not in taken:
        return slug
    digest = sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()
    for length in range(6, len(digest)):
        found = f"{short or 'learner'}-{digest[:length]}"
        if found not in taken:
            return found
    raise AssertionError("two names have one digest")
