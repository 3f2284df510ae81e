"""Where labs and their state lie, and how a lab is named.

What reads and plans a lab is imported when a lab is read: some tasks need none, and the list of tasks is to be there at once.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, TextIO

from srv6lab.called import CALLED
from srv6lab.cli import kept_plans
from srv6lab.cli.places import Place, elsewhere, place
from srv6lab.errors import LabError, MachineError, Problem, TopologyError, UsageError
from srv6lab.host import interrupts
from srv6lab.host.files import SHARE, read_document, shown
from srv6lab.live.instance import Instance, Reference, another
from srv6lab.providers.registry import provider_of
from srv6lab.providers.state import Home, State
from srv6lab.suggest import closest, did_you_mean, or_all

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan
    from srv6lab.topology.model import Topology

_FILE = "topology.yml"
_ORDER = re.compile(r"^order: *([0-9]+)", re.MULTILINE)
_LEARNER = re.compile(r"""^learner:\s*\{?\s*name: *['"]?([A-Za-z0-9][A-Za-z0-9_-]*)""", re.MULTILINE)
_INSTANCE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")


@dataclass(frozen=True, slots=True)
class LabsFolder:
    """Where labs and their state lie: the folder of `tasks.py`, or what `places` finds."""

    root: Path
    folder: Path | None = None  # of somebody else's labs
    shared: Path | None = None  # the course's labs, which are there beside those of a folder of one's own
    kept: Path | None = None  # where instances lie that belong to no folder of labs

    @property
    def labs(self) -> Path:
        return self.folder or self.root / "labs"

    @property
    def course_labs(self) -> Path:
        return self.shared or self.labs

    @property
    def instances(self) -> Path:
        return self.kept or self.root / ".srv6lab"

    def names(self) -> list[str]:
        files = {path for folder in {self.labs, self.course_labs} for path in folder.glob(f"*/{_FILE}")}
        return sorted({path.parent.name for path in files})

    def file(self, name: str) -> Path:
        """The lab's: a lab of one's own stands before one of the course."""
        own = self.labs / name / _FILE
        return own if own.exists() or not self.shared else self.shared / name / _FILE

    def course(self) -> tuple[list[Topology], list[str]]:
        """The labs in the order of the course, and the names of those whose file doesn't load."""
        from srv6lab.topology.load import load

        found, broken = [], []
        for name in self.names():
            try:
                found.append(load(self.file(name)).topology)
            except TopologyError:
                broken.append(name)
        return sorted(found, key=lambda topology: (topology.order, topology.name)), broken

    def plans(self) -> Iterator[Plan]:
        """The plans of the labs that have one."""
        for name in self.names():
            with suppress(TopologyError):
                yield self.load(self.refer(name))[0]

    def samples(self) -> Mapping[str, str]:
        """Values for examples by option, or by task and option: those of the course's first lab."""
        values = {
            "name": "End.DX4",
            "command": "ip -6 route",
            "out": "DIR",
            "segments": "SID,SID",
            "ping to": "ADDRESS",
        }
        from srv6lab.cli.complete import kept

        files = [self.file(name) for name in self.names()]
        found: dict[str, str] = kept("samples.json", files, lambda: next(self._words(), {}))
        return values | found

    def _words(self) -> Iterator[dict[str, str]]:
        """What the labs with exercises are called, with a node and a probe of theirs, by the order that a line of their
        file says. The files are read, but not checked: that would take most of the time of a list of tasks."""
        from srv6lab.cli.complete import Labs

        known = Labs(Place(self.root, self.shared))

        def order(name: str) -> int:
            said = _ORDER.search(self.file(name).read_text("utf-8", "replace"))
            return int(said[1]) if said else 100

        for name in sorted(self.names(), key=order):
            with suppress(Exception):  # a file that is no lab's may be anything
                yield _words_of(known.read(str(self.file(name))))

    def refer(self, spec: str | None, instance: str = "") -> Reference:
        """A lab by its name or by a path to its `.yml`; without either, that which was begun under an instance's name."""
        if not spec and instance and (state := self._home(instance).read()):
            spec = self.said(Path(state.topology), state.lab)
        if not spec:
            up = "; ".join(self.called(state) for _, state in self.up())
            now = f" (up now: {up})" if up else ""
            mend = f"name one, as lab=NAME{now}:\n{indent(listing(self.course()[0]), '    ')}"
            nothing = f", and nothing was begun as {instance}" if instance else ""
            raise UsageError(f"no lab is named{nothing}", mend)
        if spec.endswith((".yml", ".yaml")) or "/" in spec:
            path = Path(spec)
            if path.is_dir() or not path.suffix:
                path = path / _FILE
            return _whose(path, path.parent.resolve().name if path.name == _FILE else path.stem)
        if not _INSTANCE.match(spec):
            raise UsageError(f"{spec!r} is no name of a lab", f"there are: {', '.join(self.names())}")
        return _whose(self.file(spec), spec)

    def known(self, reference: Reference) -> Reference:
        """The lab, if it is there."""
        if not reference.path.exists():
            what = f"there is no lab {reference.name} ({shown(reference.path)})"
            raise UsageError(what, or_all(reference.name, self.names()))
        return reference

    def load(self, reference: Reference, instance: str = "") -> tuple[Plan, tuple[Problem, ...]]:
        """The lab's plan, for what runs under the instance's name, and the loader's warnings."""
        self.known(reference)
        path, name = reference.path, shown(reference.path)
        planned, warnings = kept_plans.planned(path, name, partial(_planned, path)) or _planned(path)[0]
        under = "" if instance == reference.name else instance
        return replace(planned, said=self.said(path, reference.name), instance=under), warnings

    def read(self, reference: Reference, err: TextIO) -> Plan:
        """The lab's plan; what its file is warned of is written to `err`."""
        planned, warnings = self.load(reference)
        for warning in warnings:
            print(warning, file=err)
        return planned

    def load_if_sound(self, reference: Reference) -> Plan | None:
        """The lab's plan; None where its file is wrong or gone, for what also works without."""
        with suppress(LabError):
            return self.load(reference)[0]
        return None

    def home(self, reference: Reference, instance: str = "") -> Home:
        return self._home(instance or reference.name)

    def _home(self, name: str) -> Home:
        if not _INSTANCE.match(name):
            mend = "name one with --instance: letters, digits, dots and dashes"
            raise UsageError(f"{name!r} is no name for an instance", mend)
        return Home(self.instances / name)

    def homes(self) -> list[Home]:
        """The folders of all instances, whether anything of them is up or not."""
        found = (path for path in sorted(self.instances.glob("*")) if path.is_dir())
        return [Home(path) for path in found if not path.name.startswith(".")]

    def up(self) -> Iterator[tuple[Home, State]]:
        """The instances that are up, as far as their state can be read."""
        for home in self.homes():
            with suppress(LabError):
                if (state := home.read()) and state.phase == "ready":
                    yield home, state

    def said(self, file: Path, name: str) -> str:
        """What is typed for a lab: its name, or the path of a file elsewhere."""
        known = file.resolve() == self.file(name).resolve()
        return name if known else shown(file)

    def typed(self, lab: str | None, reference: Reference) -> str:
        """How whoever typed a lab's name would type it again; he may have named an instance alone."""
        return (lab or "").removeprefix("lab=") or self.said(reference.path, reference.name)

    def is_own(self, reference: Reference) -> bool:
        """Whether it is of the course: then it is no more a stranger's than this program."""
        return reference.path.resolve().is_relative_to((SHARE / "labs").resolve())

    def called(self, state: State) -> str:
        """How a task names what was begun: `lab=NAME`, or the path of its file."""
        name = self.said(Path(state.topology), state.lab)
        given = self.refer(name).name
        return f"lab={shlex.quote(name)}" + (
            f" --instance {state.instance}" if state.instance != given else ""
        )

    def running_if_up(self, reference: Reference, instance: str = "") -> Instance | None:
        """The lab that is up under that name, None if none is; UsageError if it is another lab's file and name."""
        home = self.home(reference, instance)
        state = home.read()
        if state is None or state.phase != "ready":
            return None
        found = Instance(home, state, provider_of(state))
        if reference.name != state.lab and Path(state.topology).resolve() != reference.path.resolve():
            raise another(found, reference.name)
        return found

    def running(self, reference: Reference, instance: str = "") -> Instance:
        """The lab that is up under that name; MachineError if none is."""
        if found := self.running_if_up(reference, instance):
            return found
        given = f" --instance {instance}" if instance else ""
        name = self.home(reference, instance).path.name
        up = {home.path.name: state for home, state in self.up()}
        guess = f"{did_you_mean(near)} Else: " if (near := closest(name, up)) else ""
        mend = f"{guess}{CALLED} up lab={self.said(reference.path, reference.path.parent.name)}{given}"
        mend = elsewhere(self.instances, name) or mend
        labs = []
        for state in up.values():
            with suppress(LabError):  # a state of another version
                if name in provider_of(state).nodes(state):
                    labs.append(f"{self.called(state)} {name}")
        if labs:
            mend = f"it is a node: name its lab first, as {' or '.join(labs)}"
        raise MachineError(f"{name} isn't up", mend)


def site() -> LabsFolder:
    """The labs that are meant where this runs."""
    found = place(CALLED)
    return LabsFolder(found.root, shared=found.shared, kept=found.kept)


def _whose(path: Path, name: str) -> Reference:
    """The lab; the instance of a learner's own is called after both, so that many run on one machine. The file is read,
    but not checked."""
    with suppress(OSError, ValueError):
        if found := _LEARNER.search(read_document(path)):
            return Reference(path, f"{name}-{found[1]}")
    return Reference(path, name)


def _planned(path: Path, text: bytes | None = None) -> tuple[kept_plans.Planned, Mapping[str, str] | None]:
    """What is planned of a lab's file, or of its `text` that was read already, and the texts of other files that it was read
    from: None where it includes some."""
    from srv6lab.plan.planner import plan
    from srv6lab.topology.load import load, loads

    with interrupts.held():  # pydantic swallows what is raised while it matches a text
        found = load(path, shown(path)) if text is None else loads(text, shown(path), path.parent)
    planned = replace(plan(found.topology, found.source.locate, found.files), digest=found.digest)
    return (planned, found.warnings), None if found.source.includes else found.files


def _words_of(data: Any) -> dict[str, str]:
    """The names of a lab, of its first node and exercise, and of the ends of that one's first probe."""
    exercise = data["exercises"][0]
    words = {"lab": data["name"], "node": next(iter(data["nodes"])), "exercise": exercise["name"]}
    probe = exercise["probes"][0]
    words |= {"from": probe["from"], "to": probe.get("to", words["node"])}
    if not all(isinstance(word, str) for word in words.values()):
        raise TypeError("a name is a text")
    return words


def listing(course: Iterable[Topology]) -> str:
    """Labs, a line each: what each teaches, and after which ones."""
    lines = []
    for one in course:
        after = f" (after {', '.join(one.requires)})" if one.requires else ""
        lines.append(f"{one.name:20} {one.description}{after}")
    return "\n".join(lines)
