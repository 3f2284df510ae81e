"""A folder of hand-ins → marks, each with a sentence for what of it is lost. Offline, without root, each in a process of its
own; the result is the same in whatever order they are graded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.capture.asking import find
from srv6lab.classroom import copies
from srv6lab.classroom.apart import Lost, apart
from srv6lab.classroom.archive import hand_ins
from srv6lab.classroom.judging import marks_of
from srv6lab.classroom.marks import DAMAGED, GRADED, MISSING, Marks
from srv6lab.classroom.trainer import Trainer
from srv6lab.errors import UsageError
from srv6lab.host.progress import Progress

PATIENCE = 120.0  # seconds for what is graded together; an honest hand-in takes less than one
_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """How a folder is graded: `jobs` at once, `since` when there can be runs (None: ever), `now` by the trainer's clock."""

    jobs: int = 0
    since: datetime | None = None
    now: datetime | None = None
    patience: float = PATIENCE


def day(text: str) -> datetime | None:
    """When a day begins, or a time of it, in UTC if it says nothing else; None for "". UsageError for what is none."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{text!r} is no day", "write it as --since 2026-09-01") from None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def grade_folder(folder: Path, trainer: Trainer, asked: Asked, progress: Progress) -> list[Marks]:
    """The marks of all hand-ins below a folder, in the order of their learners, with a line for whoever is missing.
    UsageError for a folder without any, MachineError without tshark."""
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", f"{CALLED} class.grade FOLDER, with the learners' .zip in it"
        )
    files = list(hand_ins(folder))
    if not files:
        raise UsageError(f"no .zip is in {folder}", "put what the learners handed in there")
    find()
    import_module("srv6lab.capture.tshark")  # it takes long: once, and not in each process
    now = asked.now or datetime.now(UTC)
    named = [(path, _told(path.relative_to(folder))) for path in files]
    found: dict[str, Marks] = {}
    for done in _graded(trainer, named, asked, now):
        found |= {one.file: one for one in done}
        progress(f"{len(found)} of {len(files)} graded")
    return _together([found[name] for _, name in named], trainer)


def _told(path: Path) -> str:
    """A file's name, also one that is no UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _graded(
    trainer: Trainer, files: Sequence[tuple[Path, str]], asked: Asked, now: datetime
) -> Iterator[list[Marks]]:
    """Several in a process: to start tshark takes longer than all else. If one of them takes it down, each gets its own."""
    jobs = asked.jobs or os.cpu_count() or 1
    size = max(1, min(_TOGETHER, -(-len(files) // jobs)))
    batches = [files[at : at + size] for at in range(0, len(files), size)]
    again: list[tuple[Path, str]] = []
    pieces = [partial(marks_of, trainer, batch, asked.since, now) for batch in batches]
    for number, result in apart(pieces, jobs, asked.patience):
        if isinstance(result, Lost):
            again += batches[number]
        else:
            yield result
    alone = [partial(marks_of, trainer, [one], asked.since, now) for one in again]
    for number, result in apart(alone, jobs, asked.patience):
        name = again[number][1]
        yield [Marks(name, DAMAGED, why=result.why)] if isinstance(result, Lost) else result


def _together(found: Sequence[Marks], trainer: Trainer) -> list[Marks]:
    """With what several have in common, which of a learner's counts, and who handed in nothing."""
    every = [one.traits for one in found if one.status == GRADED]
    shared, same = copies.copied(every, trainer.learners), copies.same_file(every)
    found = [one.suspected(shared.get(one.file, ())) for one in found]
    newest: dict[tuple[str, str], Marks] = {}
    for one in found:
        known = newest.get((one.learner, one.lab))
        if one.status == GRADED and one.learner and (known is None or one.written > known.written):
            newest[one.learner, one.lab] = one
    told = []
    for one in found:
        counts = newest.get((one.learner, one.lab))
        if one.status == GRADED and counts is not None and counts is not one:
            alike = "is the same file" if same.get(one.file) == counts.file else "is newer, and counts"
            one = replace(one, again=counts.file, notes=(*one.notes, f"{counts.file} {alike}"))
        told.append(one)
    told += [
        Marks("", MISSING, learner, lab, why="nothing was handed in")
        for learner in trainer.learners
        for lab in trainer.labs
        if (learner, lab) not in newest and not any((one.learner, one.lab) == (learner, lab) for one in found)
    ]
    told = [replace(one, person=trainer.people.get(one.learner, "")) for one in told]
    return sorted(told, key=lambda one: (one.learner == "", one.learner, one.lab, bool(one.again), one.file))
