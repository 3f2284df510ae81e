"""The root of a node: overlays of what it is shown of this machine, and folders of its own, all in a memory that has a
bound. What is written there is forgotten with it."""

from __future__ import annotations

import os
from itertools import count

from . import shown
from .kernel import MS_BIND, MS_NODEV, MS_NOSUID, MS_REC, is_alone, mount, mounts, read_only

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from collections.abc import Iterable

# What each node gets of its own, and what somebody who isn't root writes to, two levels deep.
_FURNISHED = frozenset({"/dev", "/proc", "/run", "/sys", "/tmp"})
_WRITTEN, _WRITTEN_DEPTH = ("/etc", "/usr/local", "/var"), 3
# What somebody who isn't root is not shown, though he may read it: what is his own isn't the lab's.
_NOT_THE_LABS = frozenset({"/home", "/root", "/srv", "/opt", "/mnt", "/media", "/boot"})
_NOT_A_DISK = frozenset(
    {
        "proc",
        "sysfs",
        "devtmpfs",
        "devpts",
        "tmpfs",
        "ramfs",
        "cgroup",
        "cgroup2",
        "bpf",
        "debugfs",
        "tracefs",
    }
    | {"securityfs", "pstore", "mqueue", "hugetlbfs", "configfs", "fusectl", "autofs", "binfmt_misc"}
    | {"efivarfs", "nsfs", "rpc_pipefs", "selinuxfs"}
)


def build(scratch: str, lower: str, hiding: str, more: Iterable[str], size: str) -> str:
    """A root like `lower` that forgets what is written: overlays whose upper layer is a memory of `size`. `hiding` is a
    layer over /etc, and `more` are folders that are shown, too."""
    mount("tmpfs", scratch, "tmpfs", MS_NOSUID, f"mode=755,size={size}")
    os.chdir(scratch)
    root = f"{scratch}/root"
    os.mkdir(root)
    if is_alone():
        _build_in_parts(scratch, lower, root)
    elif lower != "/":
        _overlay((lower,), "root", root)
    else:
        _build_of_what_is_shown(root, hiding, more)
    return root


def _build_of_what_is_shown(root: str, hiding: str, more: Iterable[str]) -> None:
    mount(root, root, None, MS_BIND)  # a node's root has to be a mount
    names = (f"part{number}" for number in count())
    disks = _disks()
    for name in (*shown.PROGRAMS, shown.SETTINGS):
        place = f"/{name}"
        if os.path.islink(place):
            os.symlink(os.readlink(place), root + place)
        elif os.path.isdir(place):
            os.mkdir(root + place)
            layers = (hiding, place) if name == shown.SETTINGS else (place,)
            _lay(layers, names, root + place)
            _lay_disks(disks, place, names, root)
    shown.skeleton(root)
    for place in (*shown.MORE, *more):
        if os.path.isdir(place):
            os.makedirs(root + place, exist_ok=True)
            _lay((place,), names, root + place)


def _lay_disks(disks: Iterable[str], below: str, names: Iterable[str], root: str) -> None:
    """Other disks of the host below a folder that is shown."""
    for disk in disks:
        if disk.startswith(f"{below}/") and os.path.isdir(disk):
            _lay((disk,), names, root + disk)


def _lay(layers: tuple[str, ...], names: Iterable[str], target: str) -> None:
    try:
        _overlay(layers, next(iter(names)), target)
    except OSError:  # such as a file system that can't be a lower layer: readable will do
        if len(layers) > 1:
            raise
        mount(layers[0], target, None, MS_BIND)
        read_only(target)


def _disks() -> list[str]:
    """Mount points of the host's real file systems other than the root."""
    return [path for path, kind in mounts() if path != "/" and kind not in _NOT_A_DISK]


def _overlay(layers: tuple[str, ...], name: str, target: str, ours: Iterable[str] = ()) -> None:
    """Lay a writable layer over others; its folders are made in the current folder, with those of the lowest that are to
    be `ours`: a folder that both layers have is whose the upper one is."""
    upper, work = f"{name}.upper", f"{name}.work"
    os.mkdir(upper)
    os.mkdir(work)
    os.chmod(upper, os.stat(layers[-1]).st_mode & 0o7777)
    for folder in ours:
        os.makedirs(f"{upper}/{folder}", exist_ok=True)
    lower = ":".join("".join(f"\\{c}" if c in "\\:," else c for c in one) for one in layers)
    mount("overlay", target, "overlay", MS_NODEV, f"lowerdir={lower},upperdir={upper},workdir={work}")


def _build_in_parts(scratch: str, lower: str, root: str) -> None:
    """A root for somebody who is alone in a user namespace. There the kernel lays nothing over a folder that has mounts
    of the host below it, since those hide what lies under them: such a folder is made of its entries."""
    hiding = [path for path, _ in mounts() if path != scratch]
    names = (f"part{number}" for number in count())

    def lay(folder: str, at: str) -> None:
        if not any(path.startswith(f"{folder.rstrip('/')}/") for path in hiding):
            _overlay_or_bind(folder, next(names), root + at, _written(folder, at))
            return
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            part = f"{at}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), root + part)
            elif entry.is_dir():
                os.mkdir(root + part)
                if part not in _FURNISHED and (lower != "/" or part not in _NOT_THE_LABS):
                    lay(entry.path, part)
            elif entry.is_file():
                os.close(os.open(root + part, os.O_CREAT | os.O_WRONLY, 0o644))
                mount(entry.path, root + part, None, MS_BIND)

    mount(root, root, None, MS_BIND)  # a node's root has to be a mount
    lay(lower, "")


def _overlay_or_bind(lower: str, name: str, target: str, ours: Iterable[str]) -> None:
    closed = [folder for folder in ours if not os.access(f"{lower}/{folder}", os.R_OK | os.X_OK)]
    if not os.access(lower, os.R_OK | os.X_OK):  # such as root's own folder
        mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
        return
    try:
        _overlay((lower,), name, target, ours)
    except OSError:  # such as a file system that can't be a lower layer: readable will do
        mount(lower, target, None, MS_BIND | MS_REC)
        return
    for folder in closed:  # what may not be looked into is empty
        mount("tmpfs", f"{target}/{folder}", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")


def _written(folder: str, at: str) -> list[str]:
    """The folders that programs write to below one that lies at a place of the node's root, relative to it. Somebody who
    is alone may change nothing in them unless they are his."""
    found = []
    for place in _WRITTEN:
        levels = [place[len(at) :].strip("/")] if f"{place}/".startswith(f"{at}/") else []
        for _ in range(_WRITTEN_DEPTH):
            found += levels
            levels = [
                f"{level}/{name}".lstrip("/") for level in levels for name in _folders(f"{folder}/{level}")
            ]
    return found


def _folders(folder: str) -> list[str]:
    try:
        return [one.name for one in os.scandir(folder) if one.is_dir(follow_symlinks=False)]
    except OSError:  # nobody may look into it, or it isn't there
        return []
