"""What a machine needs to run a lab in virtual machines: each need with what was found, and what mends it.

Vagrant refuses a VirtualBox that is newer than it knows, with a message that names neither cause nor cure.
So the pairs that work stand here: the first Vagrant that knows a VirtualBox.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.errors import MachineError

Version = tuple[int, ...]

# VirtualBox → the first Vagrant that drives it.
PAIRS: Mapping[Version, Version] = {
    (6, 1): (2, 2, 7),
    (7, 0): (2, 3, 2),
    (7, 1): (2, 4, 2),
    (7, 2): (2, 4, 9),
}
_OLDEST, _NEWEST = min(PAIRS), max(PAIRS)
_WINDOWS = r"C:\Program Files\Oracle\VirtualBox\VBoxManage.exe"
_INSTALL = {
    "vagrant": {"linux": "apt-get install vagrant", "darwin": "brew install --cask vagrant"},
    "virtualbox": {"darwin": "brew install --cask virtualbox"},
    "ssh": {"linux": "apt-get install openssh-client"},
}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a provider needs: what was found of it, and what mends it ("" where nothing has to be)."""

    what: str
    found: str
    mend: str = ""

    @property
    def met(self) -> bool:
        return not self.mend


def needs(provider: str) -> tuple[Need, ...]:
    """All that a provider needs of this machine, met or not. It starts `--version` of each tool, no more."""
    vagrant = read_vagrant(_said("vagrant", "--version"))
    found = [_tool("vagrant", vagrant), Need("ssh", "there" if shutil.which("ssh") else "missing", _ssh())]
    if provider == "virtualbox":
        return (*found, _virtualbox(vagrant, read_virtualbox(_said(vboxmanage(), "--version"))))
    return (*found, _libvirt(), _plugin())


def require(provider: str) -> None:
    """MachineError with every need that is not met."""
    unmet = [need for need in needs(provider) if not need.met]
    if unmet:
        what = "; ".join(f"{need.what}: {need.found}" for need in unmet)
        raise MachineError(what, "\n        ".join(need.mend for need in unmet))


def read_vagrant(said: str) -> Version:
    """`vagrant --version` → (2, 3, 4), or () where it said no version."""
    return _version(re.search(r"^Vagrant (\d+(?:\.\d+)+)", said, re.MULTILINE))


def read_virtualbox(said: str) -> Version:
    """`VBoxManage --version` → (7, 0, 26): the last line, for warnings stand before it."""
    return _version(re.search(r"^(\d+(?:\.\d+)+)\S*\s*\Z", said, re.MULTILINE))


def pair(vagrant: Version, virtualbox: Version) -> Need:
    """Whether this Vagrant drives this VirtualBox."""
    shown = f"{_text(virtualbox)} with Vagrant {_text(vagrant)}"
    release = virtualbox[:2]
    if release < _OLDEST:
        return Need("VirtualBox", shown, f"install VirtualBox {_text(_NEWEST)}: labs need 6.1 or newer")
    first = PAIRS.get(release, PAIRS[_NEWEST] if release > _NEWEST else PAIRS[_OLDEST])
    if vagrant >= first:
        return Need("VirtualBox", shown)
    known = max((one for one, least in PAIRS.items() if vagrant >= least), default=None)
    older = f", or VirtualBox {_text(known)}" if known else ""
    return Need(
        "VirtualBox", f"{shown}, which doesn't know it", f"install Vagrant {_text(first)} or newer{older}"
    )


def vboxmanage() -> str:
    """VBoxManage's place: on the PATH, or where VirtualBox's installer for Windows puts it."""
    return shutil.which("VBoxManage") or (_WINDOWS if Path(_WINDOWS).exists() else "")


def _virtualbox(vagrant: Version, virtualbox: Version) -> Need:
    if not virtualbox:
        here = _INSTALL["virtualbox"].get(sys.platform, "install VirtualBox 7 with its own installer")
        return Need("VirtualBox", "VBoxManage is missing, or says no version", here)
    return pair(vagrant, virtualbox) if vagrant else Need("VirtualBox", _text(virtualbox))


def _tool(name: str, version: Version) -> Need:
    here = _INSTALL[name].get(sys.platform, f"install {name} with its own installer")
    return Need(name, _text(version) if version else "missing", "" if version else here)


def _ssh() -> str:
    here = _INSTALL["ssh"].get(sys.platform, "install OpenSSH's client")
    return "" if shutil.which("ssh") else here


def _libvirt() -> Need:
    socket = Path("/run/libvirt/libvirt-sock")
    if not shutil.which("libvirtd") and not shutil.which("virtqemud"):
        return Need("libvirt", "missing", "apt-get install libvirt-daemon-system qemu-system-x86")
    if not socket.exists():
        return Need("libvirt", "its service isn't running", "systemctl start libvirtd")
    if not os.access(socket, os.R_OK | os.W_OK):
        return Need("libvirt", f"{socket} is closed to you", "adduser $USER libvirt, then log in again")
    return Need("libvirt", "running")


def _plugin() -> Need:
    if re.search(r"^vagrant-libvirt ", _said("vagrant", "plugin", "list"), re.MULTILINE):
        return Need("vagrant-libvirt", "there")
    mend = "apt-get install vagrant-libvirt, or: vagrant plugin install vagrant-libvirt"
    return Need("vagrant-libvirt", "missing", mend)


def _said(program: str, *words: str) -> str:
    path = shutil.which(program) if program else None
    if path is None:
        return ""
    try:
        done = subprocess.run([path, *words], capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _version(found: re.Match[str] | None) -> Version:
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _text(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
