"""Plans that were made before. To read, check and plan a lab is a third of the time of most commands, and what comes of it
follows from the lab's files and from this program: so it is kept for this user, and made anew when one of them changes.

What is read back makes objects of this program, so it is taken only from a file that nobody else can have written.
"""

from __future__ import annotations

import os
import pickle
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.host.files import PACKAGE, cache, opened, write_whole

if TYPE_CHECKING:
    from srv6lab.errors import Problem
    from srv6lab.plan.nodes import Plan

    Planned = tuple[Plan, tuple[Problem, ...]]
    # Of a lab's text: its plan, what the loader warns of, and the texts of other files of its folder; None for these where
    # it is read from more than they are.
    Make = Callable[[bytes], tuple[Planned, Mapping[str, str] | None]]

_LARGEST = 1_000_000  # bytes of a file of a lab
_MOST_NODES = 200  # to write the plan of a larger lab takes longer than many commands save by it
_MOST_PLANS = 50


def planned(path: Path, shown: str, make: Make) -> Planned | None:
    """The plan of a lab's file, which messages call `shown`; None where nothing can be kept of it."""
    try:
        text, file = _text(path), cache("plans")
        file /= blake2b(b"\0".join([*_program(), shown.encode(), text]), digest_size=16).hexdigest()
    except (OSError, RuntimeError, ValueError):  # not to be read; no home
        return None
    known = _read(file)
    if known and all(_same(path.parent / name, of) for name, of in known[1].items()):
        found: Planned = known[0]
        return found
    fresh, files = make(text)
    if files is not None and len(fresh[0].nodes) <= _MOST_NODES:
        with suppress(OSError):
            _write(file, (fresh, {name: text.encode() for name, text in files.items()}))
    return fresh


def _text(path: Path) -> bytes:
    with opened(path) as source:
        text = source.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError("it is too large")
    return text


def _same(path: Path, text: bytes) -> bool:
    try:
        return _text(path) == text
    except (OSError, ValueError):
        return False


def _program() -> Iterator[bytes]:
    """What tells this program from any other that could have made a plan."""
    yield sys.version.encode()
    pydantic = find_spec("pydantic")
    if pydantic and pydantic.origin:
        yield _as_it_is(pydantic.origin, Path(pydantic.origin).stat())
    for folder, below, _ in os.walk(PACKAGE):
        below[:] = sorted(set(below) - {"__pycache__", "share"})
        with os.scandir(folder) as entries:
            yield from sorted(_as_it_is(one.path, one.stat()) for one in entries if one.is_file())


def _as_it_is(path: str, of: os.stat_result) -> bytes:
    return f"{path} {of.st_mtime_ns} {of.st_size}".encode()


def _read(file: Path) -> Any:
    """What was written; None where nothing was, or somebody else can have written it."""
    try:
        with opened(file) as source:
            return pickle.load(source) if _private(file.parent, os.fstat(source.fileno())) else None
    except Exception:  # it may be half of one, or of objects that are called otherwise by now
        return None


def _private(folder: Path, *inside: os.stat_result) -> bool:
    """Whether a folder is this user's alone, and so is what lies in it."""
    of = folder.lstat()
    own = hasattr(os, "geteuid") and all(one.st_uid == os.geteuid() for one in (of, *inside))
    return own and not stat.S_IMODE(of.st_mode) & 0o077


def _write(file: Path, made: Any) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # a lab may hold keys that others may not read
    if _private(file.parent):
        write_whole(file, pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
        for old in sorted(file.parent.iterdir(), key=_when)[:-_MOST_PLANS]:
            old.unlink(missing_ok=True)


def _when(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # somebody else took it away
        return 0
