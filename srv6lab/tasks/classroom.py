"""Tasks for a class: its labs made, handed in, and graded."""

from __future__ import annotations

from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from srv6lab.errors import UsageError
from srv6lab.host.files import shown
from srv6lab.tasks.words import SITE, progress

CLASS = Collection("class")


@task(
    help={
        "learners": "a file with a name a line, or a table (CSV) with a column `name`",
        "out": "the class's folder; what is in one that is there stays as it is, and what is new is added",
        "labs": "which labs, by commas (default: those of the class, else all)",
        "seed": "what makes the class: the same one makes the same class again (default: that of the class, else a random one)",
        "name": "what the class is called (default: as its folder)",
    },
    positional=["learners", "out"],
)
def new(_: Context, learners: str, out: str = "", labs: str = "", seed: str = "", name: str = "") -> None:
    """Make a lab of his own for each learner of a list: the same labs with other addresses, SIDs and names.

    Hand out DIR/<learner>.zip, keep DIR/class.json and DIR/labs-of secret. With a longer list it only adds.
    """
    from srv6lab.classroom.learners import read_learners
    from srv6lab.classroom.new import class_name, make, read_class

    if not out:
        raise UsageError("no folder is named", "name the class's with --out")
    folder, people = Path(out), read_learners(Path(learners))
    known = read_class(folder)
    wanted = [one.strip() for one in labs.split(",") if one.strip()]
    wanted = wanted or (list(known.labs) if known else SITE.names())
    found = {one.name: SITE.known(one).path for one in map(SITE.refer, wanted)}
    with progress(f"class {shown(folder)}") as line:
        made = make(folder, people, found, class_name(name or folder.resolve().name), seed, line)
    print(f"{shown(folder)}: {len(made.learners)} learners, {len(made.labs)} labs. Next: {shown(folder / 'README.txt')}")


CLASS.add_task(new)
