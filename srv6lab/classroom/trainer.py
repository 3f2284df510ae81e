"""What the trainer keeps of a class: its learners' keys, and the lab of each. Whatever is handed in is judged by these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.classroom import new
from srv6lab.classroom.new import CLASS
from srv6lab.errors import UsageError
from srv6lab.host.files import shown
from srv6lab.plan.nodes import Plan

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")  # no path: who handed in may have written it


@dataclass(frozen=True, slots=True)
class Trainer:
    """A class by its `name`: `learners` are their keys, `people` their names as the list had them, `labs` the names of its
    labs, all in `folder`; labs that are nobody's lie in `course`."""

    name: str
    learners: Mapping[str, str]
    labs: tuple[str, ...]
    folder: Path
    course: Path | None = None
    people: Mapping[str, str] = field(default_factory=dict)

    def plan(self, learner: str, lab: str) -> Plan:
        """The lab of a learner of the class, or one that is nobody's ("") as it stands in the course; LabError where there
        is none, or its file is wrong."""
        if learner and learner not in self.learners:
            raise UsageError(f"{learner!a} is no learner of class {self.name}")
        if learner and lab not in self.labs:
            raise UsageError(f"class {self.name} has no lab {lab!a}")
        if not _NAME.fullmatch(lab):
            raise UsageError(f"{lab[:60]!a} is no name of a lab")
        place = self.folder / "labs-of" / learner if learner else self.course
        if place is None or not (path := place / lab / "topology.yml").is_file():
            raise UsageError(f"there is no lab {lab!a} in {shown(place) if place else 'the course'}")
        return _planned(path)


def read_class(folder: Path, course: Path | None = None) -> Trainer:
    """UsageError for a folder that `class.new` didn't write."""
    mend = f"--class takes the folder that {CALLED} class.new wrote, with {CLASS} in it"
    try:
        found = new.read_class(folder)
    except UsageError as error:
        raise UsageError(error.what, mend) from None
    if found is None:
        raise UsageError(f"there is no {CLASS} in {shown(folder)}", mend)
    people = {learner: said["name"] for learner, said in found.people.items() if "name" in said}
    return Trainer(found.name, found.learners, found.labs, folder, course, people)


def _planned(path: Path) -> Plan:
    from srv6lab.plan.planner import plan
    from srv6lab.topology.load import load

    lab = load(path, shown(path))
    return replace(plan(lab.topology, lab.source.locate, lab.files), digest=lab.digest)
