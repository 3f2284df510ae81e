"""Marks as trainers and their programs read them: a file a format. What stands in them was written by learners, so each
quotes it its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from srv6lab.classroom.marks import Marks

Format = Callable[[str, Sequence[Marks]], str | bytes]


def _of(module: str) -> Any:
    """The module's `marks`, imported when it is asked for."""
    return lambda group, marks: import_module(f"srv6lab.classroom.formats.{module}").marks(group, marks)


FORMATS: Mapping[str, Format] = {
    name: _of(f"as_{name}") for name in ("text", "csv", "xlsx", "json", "html", "check50", "classroom50")
}
BINARY = frozenset({"xlsx"})
