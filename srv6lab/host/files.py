"""Files of ours: where they lie, how they are named to people, how they are written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PACKAGE = Path(__file__).resolve().parents[1]
IMPORTED_FROM = PACKAGE.parent  # what PYTHONPATH has to name
_SHARE = PACKAGE / "share"
INSTALLED = _SHARE.is_dir()  # from a wheel, which has there what stands beside the package in a checkout
SHARE = _SHARE if INSTALLED else PACKAGE.parent  # labs/, templates/, scripts/, tasks.py, Vagrantfile.j2


def cache(name: str) -> Path:
    """Where what takes long to make is kept for every clone of this user: a folder that may be removed."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "srv6lab" / name


def shared_cache(name: str) -> Path:
    """Where root keeps the same for everybody on this machine: written with XDG_CACHE_HOME=/var/cache."""
    return Path("/var/cache/srv6lab") / name


def state(name: str) -> Path:
    """Where what this user has decided is kept."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "srv6lab" / name


MOST = 16 << 20  # bytes of a document: what a run writes beside its captures has some 10 kB


def read_document(path: Path) -> str:
    """The text of a file that somebody else may have made; OSError for one that is too large or no file (a pipe would be
    waited for, and a device never ends), ValueError for what is no UTF-8."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(number, "rb") as source:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError("it is no file")
        content = source.read(MOST + 1)
    if len(content) > MOST:
        raise OSError(f"it is larger than {MOST >> 20} MiB")
    return content.decode()


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step; a text has the same bytes on every system."""
    with writing_whole(path) as target:
        target.write(content if isinstance(content, bytes) else content.encode())


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of another when all of it is written; if that fails, the old one stays. An OSError names
    it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as target:
            yield target
        fresh.replace(path)
    except BaseException as error:
        fresh.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(fresh)):
            error.filename = str(path)
        raise


def write_to(path: Path, text: str) -> None:
    """Write where somebody wants it: whole, and through a link. A device or a pipe is written to and not replaced."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as target:
            target.write(text)
    else:
        write_whole(path.resolve(), text)


def shown(path: Path) -> str:
    """A path as short as it can be written from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
