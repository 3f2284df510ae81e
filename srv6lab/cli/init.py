"""A folder of one's own: labs, and what makes them run, checks them in CI and helps an editor. Nothing is overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from srv6lab.errors import UsageError
from srv6lab.host.files import SHARE, shown
from srv6lab.host.version import version

_FIRST = "first-lab"
_SCHEMA = Path(".vscode/topology.schema.json")
# What stands in templates/init, and where it goes.
_FILES = {
    "tasks.py": "tasks.py",
    "readme.txt": "README.md",
    "gitignore.txt": ".gitignore",
    "workflow.yml": ".github/workflows/labs.yml",
    "settings.json": ".vscode/settings.json",
}
_OF_A_LAB = ("*.yml", "README.md", "*/*")
_COURSE = re.compile(
    r"^(?:requires|order):.*\n(?:[ -].*\n)*", re.MULTILINE
)  # which labs are beside it in the course
_MODELINE = "# yaml-language-server: $schema="


@dataclass(frozen=True, slots=True)
class Made:
    """The files that were made, those that were there already and stay as they are, and the lab to begin with."""

    files: tuple[Path, ...]
    left: tuple[Path, ...]
    lab: str


def make(folder: Path, lab: Path | None) -> Made:
    """A folder of one's own with a first lab, or with a copy of the lab of that file; UsageError where it can't be one."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown(folder)} is no folder", "name one that is empty, or that isn't there yet")
    name, texts = (lab.parent.name, _copied(lab)) if lab else (_FIRST, _first())
    made: list[Path] = []
    left: list[Path] = []
    if (home := folder / "labs" / name).exists():  # a lab that was begun isn't mixed with another
        texts, left = {}, [home]
    for path, text in {**_around(), **{f"labs/{name}/{path}": text for path, text in texts.items()}}.items():
        (made if _write(folder / path, text) else left).append(folder / path)
    return Made(tuple(made), tuple(left), name)


def _around() -> Mapping[str, str]:
    from srv6lab.topology.json_schema import json_schema

    texts = {to: _template(name).replace("@VERSION@", version()) for name, to in _FILES.items()}
    return {**texts, str(_SCHEMA): json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"}


def _first() -> Mapping[str, str]:
    return {"topology.yml": _template("topology.yml")}


def _template(name: str) -> str:
    return (SHARE / "templates" / "init" / name).read_text(encoding="utf-8")


def _copied(lab: Path) -> Mapping[str, str]:
    """The files of a lab by their paths in its folder, with a first line that names the schema where it will be."""
    found = dict(_files(lab.parent))
    head, *rest = found.get(lab.name, "").splitlines(keepends=True)
    line = f"{_MODELINE}../../{_SCHEMA.as_posix()}\n"
    text = "".join([line, *([] if head.startswith(_MODELINE) else [head]), *rest])
    found[lab.name] = _COURSE.sub("", text)
    return found


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    for pattern in _OF_A_LAB:
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> bool:
    """Whether it is written: what is there, if only a link to nothing, stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as target:
            target.write(text)
    except FileExistsError:
        return False
    return True
