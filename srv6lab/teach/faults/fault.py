"""A kind of fault, and one that was found for a lab: where it is put in, how, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from srv6lab.teach.faults.scene import Scene

Step = tuple[str, str]  # a node, and commands for it


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one kind in one lab. `truth` says what is wrong at `node`, `do` puts it in and `mend` is the reference's
    way out, step by step; `causes` are names of `judge.diagnose` of which each is a right answer."""

    node: str
    truth: str
    do: tuple[Step, ...]
    mend: tuple[Step, ...]
    kind: str = ""
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. `words` say in general what is wrong, `learns` what whoever finds it has learned, `mends` what mends
    it. Of `level` 1 is what is seen where it is; what shows elsewhere, or in part, is of 2. `find` gives all faults of the
    kind that an exercise may show."""

    name: str
    level: int
    words: str
    learns: str
    mends: str
    causes: tuple[str, ...]
    find: Callable[[Scene], Iterator[Fault]]


def at(node: str, *commands: str) -> tuple[Step, ...]:
    """Commands in one node, one after the other."""
    return tuple((node, command) for command in commands)


def ip(version: int) -> str:
    """`ip` as people type it for an IP version."""
    return "ip -6" if version == 6 else "ip"
