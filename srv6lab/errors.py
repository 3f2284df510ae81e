"""Every way in which srv6lab says no.

    LabError
    ├── TopologyError     the file is wrong            exit 2
    ├── DriftError        `render --check` differs     exit 2
    ├── UsageError        the command line is wrong    exit 1
    ├── MachineError      this machine can't           exit 3
    │   ├── UnableError   its kernel hasn't what it takes
    │   └── NodeError     a node's own script failed   exit 3
    └── Interrupted       Ctrl-C, or told to stop      exit 1, or 128 + the signal

That a lab failed its check is no exception: it is a Verdict (exit 4).
Each message says what is wrong and how to mend it; nothing here prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

_MANY = 400  # checks stop at 500 problems
_VARYING = re.compile("[0-9a-f:./]*[0-9][0-9a-f:./]*")  # numbers and addresses


def printable(text: str) -> str:
    """What tools and nodes said may hold what steers a terminal: without that."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a source file; lines and columns count from 1. `note` says which one is meant where the text there
    stands for several: `r7, from r[1-20]`."""

    file: str
    line: int
    column: int
    source: str = ""
    note: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def excerpt(self, indent: str = "  ") -> str:
        """The source line with a caret under the column, or nothing where the line is unknown."""
        if not self.source:
            return ""
        gutter = f"{self.line} | "
        under = "".join("\t" if char == "\t" else " " for char in self.source[: self.column - 1])
        return f"{indent}{gutter}{self.source}\n{indent}{' ' * (len(gutter) - 2)}| {under}^"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file: where, what, and how to mend it."""

    location: Location
    what: str
    mend: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        lines = [f"{self.location}: {self.severity}: {self.what}"]
        if excerpt := self.location.excerpt():
            lines.append(excerpt)
        if self.mend:
            lines.append(f"  mend: {self.mend}")
        return "\n".join(lines)


def gathered(problems: Iterable[Problem]) -> list[Problem]:
    """One problem of those that differ only by which of the many it is that one text stands for; in order."""
    found: dict[tuple[Location, str, str], list[Problem]] = {}
    for one in sorted(problems):
        alike = _VARYING.sub("#", one.what) if one.location.note else f"{one.what}\0{one.mend}"
        found.setdefault((one.location, alike, one.severity), []).append(one)
    return [_first(same) for same in found.values()]


def _first(same: list[Problem]) -> Problem:
    first = min(same, key=lambda one: (len(one.location.note), one.location.note))
    if not (note := first.location.note):
        return first
    others = len({one.location.note for one in same}) - 1
    many = others if others < _MANY else "hundreds"
    more = f"; {many} more {'has' if others == 1 else 'have'} it" if others else ""
    return replace(first, location=replace(first.location, note=""), what=f"{first.what} (in {note}{more})")


class LabError(Exception):
    """The root of the tree: something that a person can mend."""

    exit_code = 3

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  mend: {self.mend}" if self.mend else self.what


class TopologyError(LabError):
    """One topology file with all of its problems, in the order of the file."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(gathered(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DriftError(LabError):
    """What stands on the disk differs from what the topology renders to."""

    exit_code = 2


class UsageError(LabError):
    """The command line asks for something that isn't there."""

    exit_code = 1


class MachineError(LabError):
    """This machine lacks something that the lab needs, or refused it."""


class UnableError(MachineError):
    """The kernel of this machine can't do what an exercise asks for."""


class NodeError(MachineError):
    """A script failed in a node; `what` holds the node, the script's line and its stderr, `node` its name if it was in
    one that the caller knows."""

    def __init__(self, what: str, mend: str = "", node: str = "") -> None:
        super().__init__(what, mend)
        self.node = node


class Stopped(KeyboardInterrupt):
    """A signal that tells a command to stop. As after Ctrl-C, what was begun is taken back."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def code_of(interrupt: KeyboardInterrupt) -> int:
    """The exit code after an interrupt: 1 after Ctrl-C, after a signal what shells say of it."""
    return interrupt.exit_code if isinstance(interrupt, Stopped) else 1


class Interrupted(LabError):
    """The person pressed Ctrl-C, or a signal said so; `what` says what is left."""

    def __init__(self, what: str, mend: str = "", *, by: KeyboardInterrupt) -> None:
        super().__init__(what, mend)
        self.exit_code = code_of(by)
