"""Tasks for a class: its labs made, handed in, and graded."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from srv6lab.called import CALLED
from srv6lab.errors import UsageError
from srv6lab.host.files import shown
from srv6lab.tasks.words import INSTANCE, LAB, SITE, progress

CLASS = Collection("class")


@task(
    name="new",
    help={
        "learners": "a file with a name a line, or a table (CSV) with a column `name`",
        "out": "the class's folder; what is in one that is there stays as it is, and what is new is added",
        "labs": "which labs, by commas (default: those of the class, else all)",
        "seed": "what makes the class: the same one makes the same class again (default: that of the class, else a random one)",
        "name": "what the class is called (default: as its folder)",
    },
    positional=["learners", "out"],
)
def class_new(
    _: Context, learners: str, out: str = "", labs: str = "", seed: str = "", name: str = ""
) -> None:
    """Make a lab of his own for each learner of a list: the same labs with other addresses, SIDs and names.

    Hand out DIR/<learner>.zip, keep DIR/class.json and DIR/labs-of secret. With a longer list it only adds.
    """
    from srv6lab.classroom.learners import read_learners
    from srv6lab.classroom.new import class_name, make, read_class

    if not out:
        raise UsageError("no folder is named", "name the class's with --out")
    folder, listed = Path(out), read_learners(Path(learners))
    known = read_class(folder)
    wanted = [one.strip() for one in labs.split(",") if one.strip()]
    wanted = wanted or (list(known.labs) if known else SITE.names())
    found = {one.name: SITE.known(one).path for one in map(SITE.refer, wanted)}
    with progress(f"class {shown(folder)}") as line:
        made = make(folder, listed, found, class_name(name or folder.resolve().name), seed, line)
    people, many = len(made.learners), len(made.labs)
    counted = f"{people} learner{'s' * (people != 1)}, {many} lab{'s' * (many != 1)}"
    print(f"{shown(folder)}: {counted}. Next: {shown(folder / 'README.txt')}")


@task(
    help={
        "lab": LAB,
        "exercise": "an exercise to hand in, repeatable (default: all that were checked)",
        "out": "the file that it is packed into (default: <learner>-<lab>.zip)",
        "instance": INSTANCE,
    },
    iterable=["exercise"],
    positional=["lab", "exercise"],
)
def submit(_: Context, lab: str, exercise: Sequence[str], out: str = "", instance: str = "") -> None:
    """Pack what you have reached into one small .zip to hand in, and say what is in it and what is missing.

    The newest check of each exercise, with its packets; hints and tries; of a lab that is up the state of its nodes.
    """
    from srv6lab.classroom import submit as submit_
    from srv6lab.cli.tasks import exercise_names

    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    names = exercise_names(plan, exercise) if exercise else ()
    home, one = SITE.home(reference, instance), SITE.running_if_up(reference, instance)
    with progress(f"submit {reference.name}"):
        done = submit_.submit(plan, home, one, names, Path(out) if out else None)
    sys.stdout.write(submit_.told(done))


@task(
    name="grade",
    help={
        "folder": "where the hand-ins lie, in folders too",
        "class": "the folder that class.new wrote: yours, not the learners'",
        "format": "text, csv, xlsx, json, html; or as other graders read it: check50, classroom50",
        "out": "the file to write to (default: stdout)",
        "jobs": "how many are graded at once (default: as many as there are cores)",
        "since": "the day when the class began (2026-09-01): packets of before are told",
    },
    positional=["folder"],
)
def class_grade(
    _: Context,
    folder: str,
    class_: str = "",
    format: str = "text",
    out: str = "",
    jobs: int = 0,
    since: str = "",
) -> None:
    """Grade a folder of hand-ins by their packets, each by its learner's own lab; needs no lab and no root.

    A sentence for each lost point. Hand-ins that are damaged, another's, copied or forged are told, and harm nobody.
    """
    from srv6lab.classroom.formats import BINARY, FORMATS
    from srv6lab.classroom.grading import Asked, day, grade_folder
    from srv6lab.classroom.trainer import read_class
    from srv6lab.host.files import write_to, write_whole
    from srv6lab.report.formats import chosen

    show = chosen(FORMATS, format)
    if not folder or not class_:
        raise UsageError("which hand-ins, and of which class?", f"{CALLED} class.grade FOLDER --class DIR")
    if format in BINARY and out in ("", "-"):
        raise UsageError(f"{format} is no text for a terminal", f"--out marks.{format}")
    trainer = read_class(Path(class_), SITE.course_labs)
    with progress("class.grade") as line:
        found = show(trainer.name, grade_folder(Path(folder), trainer, Asked(jobs, day(since)), line))
    if isinstance(found, bytes):
        write_whole(Path(out).resolve(), found)
    elif out in ("", "-"):
        sys.stdout.write(found)
        return
    else:
        write_to(Path(out), found)
    print(shown(Path(out)))


CLASS.add_task(class_new)
CLASS.add_task(class_grade)
