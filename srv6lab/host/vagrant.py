"""Vagrant and VirtualBox on this machine: where they are, the versions that they tell, and which of these work
together, since Vagrant refuses a VirtualBox that is newer than it knows."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from .system import System, dotted, version

PLUGIN = "vagrant-libvirt"
PLUGIN_FILE = "/usr/share/vagrant-plugins/plugins.d/vagrant-libvirt.json"  # as `scripts/setup` looks for it
DISK = 3 * 1024  # MiB that a machine's disk may come to: a guess, on the safe side for a minimal box
_WINDOWS = r"C:\Program Files\Oracle\VirtualBox"
# The first Vagrant that drives each VirtualBox, by their release notes; oldest first.
FIRST_VAGRANT: dict[tuple[int, int], tuple[int, int, int]] = {
    (6, 1): (2, 2, 7),
    (7, 0): (2, 3, 2),
    (7, 1): (2, 4, 2),
    (7, 2): (2, 4, 9),
}


@dataclass(frozen=True, slots=True)
class VirtualBox:
    """`version` is () if none was told; `warning` is what VBoxManage says of its kernel driver."""

    version: tuple[int, ...]
    warning: str = ""


def read_vagrant(text: str) -> tuple[int, ...]:
    """The version that `vagrant --version` tells, which may stand behind warnings; () if none."""
    found = re.search(r"^Vagrant (\d+(?:\.\d+)+)", text, re.MULTILINE)
    return version(found[1]) if found else ()


def read_virtualbox(text: str) -> VirtualBox:
    """The version that `VBoxManage --version` tells on its last line, and its warnings before that."""
    found = re.search(r"^(\d+\.\d+\.\d+)\S*\s*$", text, re.MULTILINE)
    before = text[: found.start()] if found else text
    warning = re.search(r"WARNING: (.*?)(?:\n\s*\n|\.\s|\Z)", before, re.DOTALL)
    return VirtualBox(version(found[1]) if found else (), " ".join(warning[1].split()) if warning else "")


def read_plugins(text: str) -> dict[str, str]:
    """Vagrant's plugins with their versions, by `vagrant plugin list`."""
    return dict(re.findall(r"^([\w-]+) \(([\d.]+)[,)]", text, re.MULTILINE))


def vboxmanage(system: System, environ: Mapping[str, str] = os.environ) -> str:
    """How VBoxManage is called. VirtualBox's installer for Windows doesn't put it in PATH."""
    if path := shutil.which("VBoxManage"):
        return path
    folder = environ.get("VBOX_MSI_INSTALL_PATH") or environ.get("VBOX_INSTALL_PATH")
    if system.family == "windows" and (folder or Path(_WINDOWS).exists()):
        return str(PureWindowsPath(folder or _WINDOWS) / "VBoxManage.exe")
    return "VBoxManage"


def mismatch(vagrant: tuple[int, ...], virtualbox: tuple[int, ...]) -> str:
    """What to change for these two to work together; "" if they do, or if it isn't known that they don't.

    >>> mismatch((2, 3, 4), (7, 1, 4))
    'Vagrant from 2.4.2 on drives VirtualBox 7.1, and this one 7.0 and older'
    """
    release = virtualbox[:2]
    oldest, newest = min(FIRST_VAGRANT), max(FIRST_VAGRANT)
    if release < oldest:
        return f"VirtualBox {dotted(oldest)} is the oldest that labs are made for"
    if release > newest:
        return f"VirtualBox {dotted(newest)} is the newest that a Vagrant is known to drive"
    since = max(first for known, first in FIRST_VAGRANT.items() if known <= release)
    if vagrant >= since:
        return ""
    older = [known for known, first in FIRST_VAGRANT.items() if first <= vagrant]
    drives = f"{dotted(max(older))} and older" if older else "none that labs are made for"
    return f"Vagrant from {dotted(since)} on drives VirtualBox {dotted(release)}, and this one {drives}"
