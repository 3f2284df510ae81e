"""A workbook: marks, what each part came to, and what is suspected. The one place that knows XlsxWriter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from srv6lab.classroom.formats.words import gist, whose
from srv6lab.classroom.marks import GRADED, Marks
from srv6lab.report.quoting import plain

Cell = str | float
_LONGEST = 32_000  # characters of a cell: Excel takes 32767
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_EPOCH = datetime(2000, 1, 1)  # of the file: the same marks are the same bytes


def marks(group: str, every: Sequence[Marks]) -> bytes:
    target = BytesIO()
    with Workbook(target, _OPTIONS) as book:
        book.set_properties({"title": f"class {group}", "created": _EPOCH})
        bold = book.add_format({"bold": True})
        for name, head, rows in (
            ("marks", ("learner", "lab", "points", "of", "state", "counts", "file", "what"), _marks(every)),
            ("parts", ("learner", "lab", "exercise", "part", "points", "of", "why"), _parts(every)),
            ("remarks", ("learner", "lab", "file", "how sure", "exercise", "what"), _remarks(every)),
        ):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, head, bold)
            sheet.freeze_panes(1, 0)
            _fill(sheet, list(rows))
            sheet.autofit()
    return target.getvalue()


def _fill(sheet: Worksheet, rows: Sequence[Sequence[Cell]]) -> None:
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, column, cell[:_LONGEST])
            else:
                sheet.write_number(number, column, cell)


def _marks(every: Sequence[Marks]) -> Iterator[tuple[Cell, ...]]:
    for one in every:
        points: tuple[Cell, Cell] = (float(one.points), one.of) if one.status == GRADED else ("", "")
        counts = "no" if one.again or one.status != GRADED else "yes"
        yield whose(one), plain(one.lab), *points, one.state, counts, plain(one.file), gist(one)


def _parts(every: Sequence[Marks]) -> Iterator[tuple[Cell, ...]]:
    for one in every:
        for score in one.scores:
            head = whose(one), plain(one.lab), score.exercise
            for part in score.parts:
                yield *head, part.name, float(part.points), part.of, plain(part.reason)
            if score.lost:
                kept = float(score.points - sum(part.points for part in score.parts))
                yield *head, "help", kept, 0, plain("; ".join(score.reasons))


def _remarks(every: Sequence[Marks]) -> Iterator[tuple[Cell, ...]]:
    for one in every:
        head = whose(one), plain(one.lab), plain(one.file)
        for it in one.suspicions:
            yield *head, it.sure, it.exercise, plain(it.what)
        for note in one.notes:
            yield *head, "note", "", plain(note)
