"""A topology file → a Topology, or every problem of the file at once.

What is short in the file becomes long (`large`, `walks`). Then two passes: what each part is (`model`, told in our words by `messages/`), then what the
parts mean together (`checks/`). The second runs over whatever the first found sound. The files that a
topology names are read beside it, since one that isn't there is a problem of the file, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from srv6lab.errors import Problem, TopologyError, UsageError, gathered
from srv6lab.topology import checks, rule_dialects, sensor_rules
from srv6lab.topology.large import spread
from srv6lab.topology.like import filled
from srv6lab.topology.losses import answered
from srv6lab.topology.messages.schema import (
    findings_of,
    misplaced,
    real_path,
    schema_problems,
    value_at,
)
from srv6lab.topology.model import Topology
from srv6lab.topology.walks import expanded
from srv6lab.topology.yaml.source import MAX_BYTES, Source, examine
from srv6lab.topology.yaml.source import Path as KeyPath
from srv6lab.topology.yaml.tree import MAX_PROBLEMS


@dataclass(frozen=True, slots=True)
class Lab:
    """A topology that stands, its source with the place of each part, what is odd but allowed, and the
    texts of the files that it names."""

    topology: Topology
    source: Source
    warnings: tuple[Problem, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of all that is read of it: another one is another lab, or the same said otherwise."""
        found = blake2b(self.source.digest, digest_size=16)
        for name, text in sorted(self.files.items()):
            found.update(f"{name}\0{len(text)}\0{text}".encode())
        return found.hexdigest()


def load(path: Path, shown: str | None = None) -> Lab:
    """The file's lab; `shown` is the file's name in messages."""
    return loads(read(path), shown or str(path), path.parent)


def read(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most, so that a huge file answers at once."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise UsageError(f"{path} is no file, but a device or a pipe", "name a topology file")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", "check the path, or name a lab") from None
    except IsADirectoryError:
        mend = f"name the file in it: {path / 'topology.yml'}"
        raise UsageError(f"{path} is a folder, not a topology file", mend) from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(f"{path} can't be read: {reason}", "check the path and its permissions") from None


def loads(text: str | bytes, shown: str, folder: Path | None = None) -> Lab:
    """The lab of a text that stands in no file, or not yet; the files that it names are in `folder`."""
    source, problems = examine(text, shown)
    try:
        source, of_short = spread(source, folder, problems)
    except TopologyError as error:
        raise _refusal(error.problems) from None
    source, of_like = filled(source)
    of_losses = answered(source)
    source, of_walks = expanded(source)
    problems = (*of_short, *of_like, *of_walks, *of_losses)
    topology, schema = _topology(source)
    view = _view(source, schema)
    found = checks.run(view, source.locate)
    files, missing = _files(view, folder, source)
    if topology is None or problems or any(one.severity == "error" for one in (*found, *missing)):
        words = islice(schema_problems(schema, source), MAX_PROBLEMS) if schema else ()
        raise _refusal(problems, words, found, missing)
    return Lab(topology, source, tuple(map(_printable, gathered([*found, *missing]))), files)


def long_data(path: Path, shown: str | None = None) -> dict[str, Any]:
    """What a short file becomes, without the keys and groups that have made it so; TopologyError if it doesn't load."""
    load(path, shown)
    source, problems = examine(read(path), shown or str(path))
    long, _ = spread(source, path.parent, problems)
    said = {key: value for key, value in long.data.items() if key not in ("include", "vars", "pools")}
    groups = {name: group for name, group in said.get("groups", {}).items() if group.keys() != {"members"}}
    return {
        key: groups if key == "groups" else value for key, value in said.items() if key != "groups" or groups
    }


def _topology(source: Source) -> tuple[Topology | None, ValidationError | None]:
    try:
        return Topology.model_validate(source.data), None
    except ValidationError as error:
        return None, error


def _files(view: checks.Facts, folder: Path | None, source: Source) -> tuple[dict[str, str], list[Problem]]:
    """The texts of the files that services and nodes name, and what is wrong with them."""
    texts: dict[str, str] = {}
    problems = []
    for path, name in view.named_files if folder else ():
        try:
            texts[name] = _text(Path(folder or "."), name)
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or "").lower() or str(error)
            mend = "the file is looked for in the topology's folder"
            problems.append(Problem(source.locate(path), f"{name} can't be read: {reason}", mend))
        else:
            if path[0] == "services":
                where = str(Path(source.locate(path).file).parent / name)
                found = chain(
                    sensor_rules.problems(texts[name], where),
                    rule_dialects.problems(texts[name], where, view.services[str(path[1])].engine),
                )
                problems += islice(found, MAX_PROBLEMS)
    return texts, problems


def _text(folder: Path, name: str) -> str:
    """A small text file in the folder, where no link leads out of it; a pipe would never end, and a shell loses NUL."""
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except RuntimeError:  # of Python before 3.13
        raise ValueError("it is a link that leads in a circle") from None
    if not inside:
        raise ValueError("it is a link that leads out of the topology's folder")
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1000} kB")
    if b"\0" in content:
        raise ValueError("it is no text")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None


def _refusal(*phases: Iterable[Problem]) -> TopologyError:
    """All problems of all phases; where one phase has complained, the next has nothing to add."""
    problems: set[Problem] = set()
    for phase in phases:
        taken = {problem.location for problem in problems}
        problems |= {problem for problem in phase if problem.location not in taken}
    return TopologyError(map(_printable, problems))


def _printable(problem: Problem) -> Problem:
    """The problem without the control characters that a text in "double quotes" can smuggle in."""
    if problem.what.isprintable() and problem.mend.isprintable():
        return problem
    return replace(problem, what=_escaped(problem.what), mend=_escaped(problem.mend))


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _view(source: Source, error: ValidationError | None) -> checks.Facts:
    """What of the file is sound, once the keys that the schema doesn't know are taken away."""
    if error is None:
        return checks.view_of(source.data)
    findings = findings_of(error, source.data)
    unknown = {real_path(source.data, one["loc"])[0] for one in findings if one["type"] == "extra_forbidden"}
    data = _without(source.data, unknown)
    cut = frozenset(path[:-1] for path in unknown)
    lost = frozenset(misplaced(source.data).values())
    return checks.view_of(data, cut, lost)


def _without(data: dict[str, Any], paths: Iterable[KeyPath]) -> dict[str, Any]:
    """The data without some keys. Aliases share parts of it, so a key may be gone already."""
    data = deepcopy(data)
    for path in sorted(paths, key=len, reverse=True):
        value_at(data, path[:-1]).pop(path[-1], None)
    return data
