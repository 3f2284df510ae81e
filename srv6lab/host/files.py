"""Files of ours: where they lie, how they are named to people, how they are written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
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


_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE: renameat2(2)
MOST = 16 << 20  # bytes of a document: what a run writes beside its captures has some 10 kB


def opened(path: Path) -> BinaryIO:
    """A file that somebody else may have made, to be read; OSError for what is no file of its own: a pipe would be waited
    for, a device never ends, a link is to something else."""
    _refuse_kind(path.lstat().st_mode)
    flags = (getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))
    number = os.open(path, reduce(or_, flags, os.O_RDONLY))
    try:
        _refuse_kind(os.fstat(number).st_mode)  # it may be another one by now
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def _refuse_kind(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise OSError("it is a link to something else")
    if stat.S_ISDIR(mode):
        raise OSError("it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError("it is a pipe or a device")


def why(error: OSError | ValueError) -> str:
    """What is wrong with a file, without its name and a number."""
    return getattr(error, "strerror", None) or str(error)


def read_document(path: Path) -> str:
    """The text of a file that somebody else may have made; OSError for one that is too large or no file of its own,
    ValueError for what is no UTF-8."""
    with opened(path) as source:
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


def exchanged(one: Path, other: Path) -> bool:
    """Whether two files or folders have changed their places in one step, which only some systems can."""
    try:
        from ctypes import CDLL

        rename = CDLL(None).renameat2
        return bool(rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
    except (ImportError, AttributeError, OSError, TypeError):
        return False


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
