"""Temporary folders of commands that may be killed: each is locked by whoever works in it, so what is left of one that was
killed is known, and goes with the next.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from srv6lab.host.lock import hold, is_free

_LOCK = "lock"
_TRIES = 100
_below: list[Path] = []


@contextmanager
def below(root: Path) -> Iterator[None]:
    """Until the end temporary folders lie there, where the folder that it stands in is there and can be written to; else
    where the system has them."""
    _below.append(root)
    try:
        yield
    finally:
        _below.remove(root)
        with suppress(OSError):  # somebody else is at work in it, or it was never made
            root.rmdir()


class Scratch:
    """A folder that is gone with its `cleanup`, as that of `tempfile`."""

    def __init__(self) -> None:
        self._lock, self.name, self._root = _made()

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    def cleanup(self) -> None:
        shutil.rmtree(self.name, ignore_errors=True)
        with suppress(OSError):
            os.close(self._lock)
        shutil.rmtree(self.name, ignore_errors=True)  # Windows removes no file that is open
        with suppress(OSError):  # somebody else is at work in it
            if self._root:
                self._root.rmdir()


def place() -> str:
    """Where such a folder is made now, for people."""
    return str(_root() or tempfile.gettempdir())


def sweep(root: Path) -> None:
    """Remove the folders there in which nobody works any more."""
    with suppress(OSError):
        for folder in root.iterdir():
            left = False
            with suppress(OSError), (folder / _LOCK).open("rb") as lock:
                if left := is_free(lock):
                    shutil.rmtree(folder, ignore_errors=True)
            if left:
                shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                folder.rmdir()  # one that was never locked
        root.rmdir()


def _made() -> tuple[int, str, Path | None]:
    """The lock of a new folder, the folder, and what it lies in, None for the system's own place."""
    for _ in range(_TRIES):
        try:
            root = _root()
            name = tempfile.mkdtemp(prefix="srv6lab-", dir=root)
            lock = os.open(f"{name}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # whoever swept took it for one that was left
        with suppress(OSError):
            hold(lock)
            if os.path.samestat(os.fstat(lock), Path(name, _LOCK).stat()):
                return lock, name, root
        os.close(lock)
    raise FileNotFoundError(errno.ENOENT, "no folder for temporary files stays", tempfile.gettempdir())


def _root() -> Path | None:
    """Where folders are made, None for the system's own place."""
    me = os.getuid() if hasattr(os, "getuid") else None  # on Windows nobody shares that place
    common = [Path(tempfile.gettempdir(), f"srv6lab-{me}")] if me is not None else []
    for root in (*_below[-1:], *common):
        with suppress(OSError):
            root.mkdir(mode=0o700, exist_ok=True)
            found = root.lstat()
            if stat.S_ISDIR(found.st_mode) and me in (None, found.st_uid) and os.access(root, os.W_OK):
                sweep(root)
                root.mkdir(mode=0o700, exist_ok=True)
                return root
    return None
