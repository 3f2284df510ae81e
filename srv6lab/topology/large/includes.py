"""`include: [nodes.yml, links/core.yml]`: other files of the lab's folder, or below it, as if they stood here.

Mappings are merged key by key, and lists are joined, what is included first. What a file says itself goes before what it
includes; two files beside each other may not say different things. A file that is included twice is there once.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import NoReturn

from srv6lab.errors import Problem, TopologyError
from srv6lab.topology.scalars import FILE_NAME, LONGEST_FILE_NAME
from srv6lab.topology.yaml.edit import Problems, child, entries, mapping, merged
from srv6lab.topology.yaml.source import MAX_BYTES, Source, examine
from srv6lab.topology.yaml.tree import Mark, Node

MOST_FILES = 50
_MEND = "name a file in the lab's folder, or below it, such as nodes.yml"


def with_includes(
    source: Source, folder: Path | None, before: tuple[Problem, ...]
) -> tuple[Source, Problems]:
    """The file with what it includes, and its problems so far."""
    reader = _Reader(source, folder, before)
    if child(source.root, "include"):
        root = reader.whole(source.root, ())
        own = [one for one in entries(source.root) if one[0] == "include"]
        kept = [one for one in entries(root) if one[0] != "include"]
        source = reader.source
        source = Source(source.file, {}, mapping(root.mark, [*own, *kept]), source._lines, source._files)
    problems = Problems(source, reader.problems)
    return source, problems


class _Reader:
    """Reads each file once; `source` grows by the lines of each."""

    def __init__(self, source: Source, folder: Path | None, before: tuple[Problem, ...]) -> None:
        self.source, self.folder = source, folder
        self.problems = Problems(source, before)
        self.seen: set[Path] = set()

    def whole(self, root: Node, way: tuple[Path, ...]) -> Node:
        """A file's tree with those of all that it includes; `way` are the files that led to it."""
        said = child(root, "include")
        names = [said] if said and isinstance(said.data, str) else _items(said)
        below: Node | None = None
        for name in names:
            if isinstance(name.data, str) and (tree := self._read(name, way)) is not None:
                below = merged(tree, below, joined=True, clash=self._clash) if below else tree
        return merged(root, below, joined=True) if below else root

    def _read(self, name: Node, way: tuple[Path, ...]) -> Node | None:
        path = self._path(name)
        if path in way:
            self._stop(
                name, f"{name.data} includes itself{_by(way, path)}", "take one of these includes away"
            )
        if path in self.seen:
            return None
        self.seen.add(path)
        if len(self.seen) > MOST_FILES:
            self._stop(name, f"more than {MOST_FILES} files are included", "put them together")
        file = str(PurePosixPath(self.source.file).parent / str(name.data))
        try:
            with path.open("rb") as stream:
                other, problems = examine(stream.read(MAX_BYTES + 1), file)
        except TopologyError as error:
            raise TopologyError([*self.problems, *error.problems]) from None
        except OSError as error:
            self._stop(name, f"{name.data} can't be read: {(error.strerror or str(error)).lower()}", _MEND)
        self.problems += problems
        self.source = self.problems.source = self.source.including(other)
        return self.whole(other.root, (*way, path))

    def _path(self, name: Node) -> Path:
        """Where a file is, if it is in the lab's folder, by whatever links lead there."""
        if self.folder is None:
            self._stop(name, "a text that stands in no file includes nothing", "save it as a file")
        text, home = str(name.data), self.folder.resolve()
        plain = FILE_NAME.match(text) and len(text) <= LONGEST_FILE_NAME
        try:
            path = (home / text).resolve() if plain else home
        except (OSError, RuntimeError):  # the second where Python is older than 3.13
            self._stop(name, f"{text} is a link that leads in a circle", _MEND)
        if home not in path.parents:
            self._stop(name, f"`{text[:60]}` is no file below the lab's folder", _MEND)
        if not path.is_file():
            self._stop(name, f"there is no file {text} in the lab's folder", _MEND)
        return path

    def _stop(self, name: Node, what: str, mend: str) -> NoReturn:
        self.problems.stop(name.mark, what, mend)

    def _clash(self, key: str, mark: Mark, one: Node, other: Node) -> None:
        where = self.source.at(other.mark)
        what = f"`{key}` is also in {where.file}, line {where.line}, and says something else there"
        self.problems.say(mark, what, "say it in one of the two, or in the file that includes both")


def _items(said: Node | None) -> list[Node]:
    return said.children if said and isinstance(said.children, list) else []


def _by(way: tuple[Path, ...], path: Path) -> str:
    between = [one.name for one in way[way.index(path) + 1 :]]
    return f", by way of {', '.join(between)}" if between else ""
