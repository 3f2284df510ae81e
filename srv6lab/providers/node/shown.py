"""What a node is shown of this machine's root: programs and their settings, and of those no secret.

It is a list of what is shown, so what somebody puts beside it tomorrow is hidden. `/etc` is shown but for what not
everybody on this machine may read: such files are whiteouts in a layer that is made once for a lab.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from collections.abc import Iterator

# Entries of the root that are shown; links among them stay links.
PROGRAMS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "nix", "gnu")
SETTINGS = "etc"
# What else is shown, each with a layer of the node's own over it.
MORE = ("/var/lib/dpkg",)
# Folders that a node has, empty ones.
_EMPTY = {
    **dict.fromkeys(("boot", "home", "media", "mnt", "opt", "proc", "run", "srv", "sys", "dev"), 0o755),
    "root": 0o700,
    "tmp": 0o1777,
    **dict.fromkeys(("var", "var/backups", "var/cache", "var/lib", "var/lib/misc", "var/log", "var/spool"), 0o755),
    **dict.fromkeys(("var/local", "var/mail", "var/opt"), 0o755),
    "var/tmp": 0o1777,
}  # fmt: skip
_LINKS = {"var/run": "/run", "var/lock": "/run/lock"}
# Folders of services, which have to be there, and whose they are.
_SERVICES = tuple(
    f"var/{kind}/{name}" for kind in ("lib", "log", "cache") for name in ("frr", "snort", "suricata")
)


def skeleton(root: str) -> None:
    """The folders of a node that show nothing of this machine."""
    for name, mode in _EMPTY.items():
        _make(f"{root}/{name}", mode)
    for name, to in _LINKS.items():
        os.symlink(to, f"{root}/{name}")
    for name in _SERVICES:
        try:
            seen = os.stat(f"/{name}", follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(seen.st_mode):
            _make(f"{root}/{name}", stat.S_IMODE(seen.st_mode))
            os.chown(f"{root}/{name}", seen.st_uid, seen.st_gid)


def _make(folder: str, mode: int) -> None:
    os.mkdir(folder)
    os.chmod(folder, mode)


def hide(folder: str, layer: str) -> None:
    """Make a layer that hides what not everybody may read below a folder of this machine."""
    _like(folder, layer)
    for path in _secrets(folder):
        *parents, name = path[len(folder) + 1 :].split("/")
        at, of = layer, folder
        for parent in parents:
            at, of = f"{at}/{parent}", f"{of}/{parent}"
            if not os.path.isdir(at):
                _like(of, at)
        os.mknod(f"{at}/{name}", stat.S_IFCHR)  # device 0:0 says to overlayfs that nothing is there


def _like(folder: str, new: str) -> None:
    """A folder of a layer is whose the one below is: the upper one's owner and mode count."""
    seen = os.stat(folder)
    os.mkdir(new)
    os.chown(new, seen.st_uid, seen.st_gid)
    os.chmod(new, stat.S_IMODE(seen.st_mode))


def _secrets(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_symlink():
            continue
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode) and mode & 0o5 == 0o5:
            yield from _secrets(entry.path)
        elif not (stat.S_ISREG(mode) and mode & 0o4):
            yield entry.path
