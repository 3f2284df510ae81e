"""Every problem of many topology files, and of the course that they make: `invoke validate`.

It stands alone too, for a pre-commit hook and a GitHub action in other people's repositories of labs:

    python -m srv6lab.cli.validate [--labs DIR] [--format text|json|github] [FILE …]

Nothing is rendered, run or written here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from srv6lab.errors import LabError, Location, Problem, TopologyError, UsageError
from srv6lab.host.files import shown
from srv6lab.plan.planner import plan
from srv6lab.render.long_file import long_file
from srv6lab.report import formats
from srv6lab.report.problems import Checked
from srv6lab.suggest import or_all
from srv6lab.topology.load import load, long_data, read
from srv6lab.topology.yaml.source import examine

FILE = "topology.yml"


def files_in(folder: Path) -> list[Path]:
    """The topologies of a folder of labs."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "name the folder with the labs: --labs DIR")
    if not (found := sorted(folder.glob(f"*/{FILE}"))):
        raise UsageError(f"there are no labs in {folder}", f"a lab is a folder with a {FILE} in it")
    return found


def validate(paths: Iterable[Path]) -> list[Checked]:
    """Each file with all of its problems; one wrong file hides no other."""
    course = _Course()
    return [_checked(path, course) for path in paths]


def _checked(path: Path, course: _Course) -> Checked:
    file = shown(path)
    try:
        found = load(path, file)
        planned = plan(found.topology, found.source.locate, found.files)
    except TopologyError as error:
        return Checked(file, tuple(sorted({*error.problems, *course.problems(path)})))
    except UsageError as error:
        return Checked(file, (Problem(Location(file, 1, 1), error.what, error.mend),))
    links = sum(1 for _ in planned.nics()) // 2
    summary = f"{planned.name}: {len(planned.nodes)} nodes, {links} links"
    return Checked(file, tuple(sorted({*found.warnings, *course.problems(path)})), summary)


@dataclass(frozen=True, slots=True)
class _Course:
    """What labs require of each other. A lab is known by its folder, as in `lab=NAME`."""

    _read: dict[Path, Mapping[str, Location]] = field(default_factory=dict)

    def problems(self, path: Path) -> Iterator[Problem]:
        if path.name != FILE:
            return
        path = path.absolute()
        folder, own = path.parent.parent, path.parent.name
        for name, where in self._required(path).items():
            if not (folder / name / FILE).is_file():
                others = {one.parent.name for one in folder.glob(f"*/{FILE}")} - {own}
                mend = or_all(name, sorted(others))
                yield Problem(where, f"there is no lab {name} beside this one", mend)
            elif way := self._way(folder, name, own):
                what = f"{own} requires {', which requires '.join(way)}: nobody could begin"
                yield Problem(where, what, "take one of these requirements away")

    def _way(self, folder: Path, start: str, end: str) -> list[str]:
        """The shortest way over requirements, or nothing."""
        before = {start: ""}
        waiting = [start]
        for name in waiting:
            if name == end:
                way = [name]
                while before[way[0]]:
                    way.insert(0, before[way[0]])
                return way
            new = [one for one in self._required(folder / name / FILE) if one not in before]
            before |= dict.fromkeys(new, name)
            waiting += new
        return []

    def _required(self, path: Path) -> Mapping[str, Location]:
        """The names under `requires` with their places, also of a file with problems."""
        if path not in self._read:
            self._read[path] = dict(_requirements(path))
        return self._read[path]


def _requirements(path: Path) -> Iterator[tuple[str, Location]]:
    try:
        source, _ = examine(read(path), shown(path))
    except LabError:
        return
    names = source.data.get("requires")
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name not in ("", ".", "..") and name.isprintable() and "/" not in name:
            yield name, source.locate(("requires", index))


def expanded(path: Path) -> str:
    """What a short file becomes, as YAML; TopologyError if it is wrong."""
    return long_file(long_data(path, shown(path)))


def exit_code(checked: Iterable[Checked]) -> int:
    return 0 if all(one.valid for one in checked) else 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of the hook and of the action."""
    parser = argparse.ArgumentParser(
        prog="srv6lab.cli.validate", description="Show every problem of topology files.", allow_abbrev=False
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="instead of all labs of a folder")
    parser.add_argument(
        "--labs", type=Path, default=Path("labs"), metavar="DIR", help="a folder of labs (labs)"
    )
    parser.add_argument("--format", choices=formats.CHECKED, default="text")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as error:
        return 1 if error.code else 0
    try:
        checked = validate(options.files or files_in(options.labs))
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    out, words = formats.CHECKED[options.format](checked)
    sys.stdout.write(out)
    sys.stderr.write(words)
    return exit_code(checked)


if __name__ == "__main__":
    sys.exit(main())
