"""The root file system of nodes that run FRR: this machine's own if its FRR is new enough, else one that is
built once and kept.

FRR's SRv6 of this lab needs 10.6, which no stable Debian has. So the newest Debian is installed into a folder
of the cache with mmdebstrap, from this machine's own apt sources with another suite in them: no mirror is
named here. A folder is in the cache under its last name only when it is whole.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

from srv6lab.called import FOR_SUDO
from srv6lab.errors import MachineError
from srv6lab.host import files
from srv6lab.host.command import run
from srv6lab.host.progress import Progress
from srv6lab.host.requirements import is_root
from srv6lab.host.system import dotted
from srv6lab.images import debian
from srv6lab.plan.frr import NEEDED

SUITE = debian.ROLLING
# What Day0, probes and people use in a node, beside FRR and what Debian can't do without.
PACKAGES = (
    "frr", "iproute2", "iptables", "iputils-ping", "mount", "nftables", "procps", "python3", "bsdutils", "util-linux",
)  # fmt: skip
_LEAVE_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
_BGPD = "usr/lib/frr/bgpd"
_PATIENCE = 30.0  # seconds for bgpd's version
_ROOT = Path("/")


def cache() -> Path:
    return files.cache("frr")


def serving(progress: Progress) -> Path:
    """The root that nodes with FRR are laid over; built if it isn't there yet."""
    if (version := frr_version(_ROOT)) and version >= NEEDED:
        return _ROOT
    return built(progress)


def is_here() -> bool:
    """Whether nodes with FRR have a root without anything being built."""
    return any((one / _BGPD).exists() for one in _kept()) or (frr_version(_ROOT) or ()) >= NEEDED


def _kept() -> tuple[Path, Path]:
    """Where the root is kept: this user's, and everybody's."""
    recipe = debian.recipe(SUITE, os.uname().machine, *PACKAGES, *_LEAVE_OUT)
    name = f"{SUITE}-{recipe}"
    return cache() / name, files.shared_cache("frr") / name


def built(progress: Progress) -> Path:
    """The cached root, this user's or everybody's; it is built if there is none. MachineError says why it can't be."""
    folder, shared = _kept()
    if not (folder / _BGPD).exists() and (shared / _BGPD).exists():
        return shared
    if not (folder / _BGPD).exists():
        said = "another process builds the root file system with FRR: waiting for it"
        with debian.alone(folder.with_suffix(".lock"), lambda: progress(said)):
            if not (folder / _BGPD).exists():
                _build(folder, progress)
    return folder


def frr_version(root: Path) -> tuple[int, ...] | None:
    """The version of the FRR below a root, None where there is none."""
    if not (root / _BGPD).exists():
        return None
    enter = ["chroot", str(root)] if root != _ROOT else []
    done = run([*enter, f"/{_BGPD}", "--version"], _PATIENCE)
    found = re.search(r"bgpd version (\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else None


def _build(folder: Path, progress: Progress) -> None:
    progress(f"building a root file system with FRR in {folder}, once: about half a minute")
    began = time.monotonic()
    unfinished = folder.with_suffix(".unfinished")
    _remove(unfinished)
    try:
        _mmdebstrap(unfinished)
        version = frr_version(unfinished)
        if version is None or version < NEEDED:
            raise _cannot(f"{SUITE} has FRR {'.'.join(map(str, version or ())) or 'not at all'}")
        _open_to_all(unfinished / "etc/frr")
        _remove(folder)  # one that lost its FRR
        unfinished.rename(folder)
    finally:
        _remove(unfinished)
    progress(f"FRR {'.'.join(map(str, version))} is in {folder}, after {time.monotonic() - began:.0f} s")


def _open_to_all(folder: Path) -> None:
    """What Debian shows to FRR alone has no secrets before it runs, and who isn't root reads it, too."""
    for path in (folder, *folder.rglob("*")) if folder.is_dir() else ():
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))


def _mmdebstrap(target: Path) -> None:
    if not is_root():
        raise MachineError(
            f"nodes with FRR need a root file system with FRR {dotted(NEEDED)} or newer, and only root can build one",
            f"sudo env XDG_CACHE_HOME=/var/cache {FOR_SUDO} frr builds one for everybody here",
        )
    if not shutil.which("mmdebstrap"):
        raise MachineError(
            f"no FRR {dotted(NEEDED)} or newer here, and no mmdebstrap to fetch one",
            "apt-get install mmdebstrap",
        )
    try:
        debian.mmdebstrap(SUITE, target, PACKAGES, _LEAVE_OUT, ["--mode=root", "--variant=apt"])
    except MachineError as error:
        raise _cannot(error.what) from None


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _cannot(why: str) -> MachineError:
    mend = f"it needs a Debian mirror once; or install FRR {dotted(NEEDED)} or newer on this machine"
    return MachineError(f"the root file system with FRR can't be built: {why}", mend)
