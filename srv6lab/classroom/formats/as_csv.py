"""RFC 4180, a row a hand-in; no cell is a formula for the program that opens it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from srv6lab.classroom.formats.words import beside, lost, number, whose
from srv6lab.classroom.marks import GRADED, Marks
from srv6lab.report.quoting import plain

COLUMNS = ("learner", "lab", "points", "of", "state", "counts", "file", "written", "lost", "remarks")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def marks(_group: str, every: Sequence[Marks]) -> str:
    target = StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([guarded(cell) for cell in row(one)] for one in every)
    return target.getvalue()


def row(one: Marks) -> list[str]:
    graded = one.status == GRADED
    return [
        whose(one) if one.learner else "",
        plain(one.lab),
        number(one.points) if graded else "",
        str(one.of) if graded else "",
        one.state,
        "no" if one.again or not graded else "yes",
        plain(one.file),
        plain(one.written),
        "; ".join(lost(one)) or plain(one.why),
        "; ".join(beside(one)),
    ]


def guarded(cell: str) -> str:
    """With a quotation mark in front where it would be read as a formula, also behind spaces."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
