"""Bounds of a lab as a whole: how many processes it has, and how much memory, where this machine has control groups.

A group of a lab is named after its instance's folder, so `destroy` finds it without having it written down.
"""

from __future__ import annotations

import os
from binascii import crc32

_ROOT = "/sys/fs/cgroup"
_OURS = "srv6lab-"
_PART_OF_MEMORY = 0.75  # what a lab leaves is the machine's own
_PROCESSES = 4096  # processes and threads, of all nodes together


def group(home: str) -> str:
    """The name of the group of the lab with this folder."""
    return f"{_OURS}{crc32(os.fsencode(home)):08x}"


def make(name: str) -> None:
    """The group, with its bounds, and this process in it, in each hierarchy that has them; nothing where none is."""
    for folder, bounds in _hierarchies():
        try:
            os.makedirs(f"{folder}/{name}", exist_ok=True)
            for file, value in bounds.items():
                _write(f"{folder}/{name}/{file}", str(value))
            _write(f"{folder}/{name}/cgroup.procs", "0")
        except OSError:
            remove(name)


def remove(name: str) -> None:
    """The group of a lab that is gone. Who has brought commands into its nodes may still be in there (see usher.py)."""
    for folder in (_ROOT, f"{_ROOT}/memory", f"{_ROOT}/pids"):
        try:
            for pid in _read(f"{folder}/{name}/cgroup.procs").split():
                _write(f"{folder}/cgroup.procs", pid)
            os.rmdir(f"{folder}/{name}")
        except OSError:
            continue


def join(pid: int) -> None:
    """Put this process into the groups of ours that another is in, unless it is there: that takes the kernel its time."""
    mine = _read("/proc/self/cgroup").splitlines()
    for line in _read(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if path.startswith(f"/{_OURS}") and line not in mine:
            _write(f"{_ROOT}/{controllers}{path}/cgroup.procs".replace("//", "/"), "0")


def _hierarchies() -> list[tuple[str, dict[str, int]]]:
    memory = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * _PART_OF_MEMORY)
    if os.path.exists(f"{_ROOT}/cgroup.controllers"):
        return [(_ROOT, {"memory.max": memory, "pids.max": _PROCESSES})]
    both = [("memory", {"memory.limit_in_bytes": memory}), ("pids", {"pids.max": _PROCESSES})]
    return [(f"{_ROOT}/{name}", bounds) for name, bounds in both if os.path.isdir(f"{_ROOT}/{name}")]


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
