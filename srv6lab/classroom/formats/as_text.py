"""A table for a terminal, and below it the sentences."""

from __future__ import annotations

from collections.abc import Sequence

from srv6lab.classroom.formats.words import beside, gist, lost, number, whose
from srv6lab.classroom.marks import GRADED, Marks
from srv6lab.report.quoting import plain
from srv6lab.report.table import aligned, width

_MOST = 100  # columns of the last cell
HELP = "hints and tries are as each learner's own machine counted them; points are of the packets"


def marks(group: str, every: Sequence[Marks]) -> str:
    rows = [("learner", "lab", "points", "state", "")]
    rows += [(whose(one), plain(one.lab) or "-", _points(one), _state(one), _cut(gist(one))) for one in every]
    count = len([one for one in every if one.file])
    lines = [f"class {group}: {count} hand-in{'s' * (count != 1)}", "", *aligned(rows)]
    for one in every:
        said = [*lost(one), *beside(one)]
        if said:
            head = f"{whose(one)}, {plain(one.lab)} ({plain(one.file)}): {_points(one)}"
            lines += ["", head, *(f"  {line}" for line in said)]
    return "\n".join([*lines, "", HELP]) + "\n"


def _points(one: Marks) -> str:
    return f"{number(one.points)} of {one.of}" if one.status == GRADED else "-"


def _state(one: Marks) -> str:
    return "old" if one.again else one.state


def _cut(text: str) -> str:
    if width(text) <= _MOST:
        return text
    while width(text) >= _MOST:
        text = text[:-1]
    return f"{text}…"
