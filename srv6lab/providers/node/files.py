"""Files that this machine puts into a node. What lies in a node is the lab's, and a link there leads whoever follows it
from outside through this machine's root: so none is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


def put(pid: int, place: str, content: bytes, mode: int = 0o644) -> None:
    """A file of a node, made or written anew, with the folders that lead to it. OSError where a link or anything else
    than a file is in the way."""
    *folders, name = place.strip("/").split("/")
    at = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            at = _below(at, folder)
        file = os.open(name, _FILE, mode, dir_fd=at)
    finally:
        os.close(at)
    with os.fdopen(file, "wb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(f"{place} is no file in the node")
        opened.truncate()
        opened.write(content)
        os.fchmod(file, mode)


def _below(at: int, folder: str) -> int:
    try:
        try:
            return os.open(folder, _FOLDER, dir_fd=at)
        except FileNotFoundError:
            os.mkdir(folder, dir_fd=at)
            return os.open(folder, _FOLDER, dir_fd=at)
    finally:
        os.close(at)


def copy(pid: int, path: Path, place: str) -> None:
    """A file of ours, with its mode."""
    put(pid, place, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))


def network(pid: int, name: str) -> int | None:
    """An open file of the network namespace that a node calls `name`; None if it has none, or if a link is in the way."""
    return _opened(pid, ("run", "netns", name))


def get(pid: int, place: str, most: int) -> bytes | None:
    """The beginning of a file of a node; None if it has none, or if a link or anything else than a file is in the way."""
    file = _opened(pid, place.strip("/").split("/"))
    if file is None:
        return None
    try:
        return os.read(file, most) if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _opened(pid: int, parts: Sequence[str]) -> int | None:
    try:
        at = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        for folder in parts[:-1]:
            above, at = at, os.open(folder, _FOLDER, dir_fd=at)
            os.close(above)
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except OSError:
        return None
    finally:
        os.close(at)
