"""What a machine needs to run a lab in virtual machines: each need with what was found, and what mends it.

`invoke doctor` looks closer; this is what `up` must know before it makes anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.errors import MachineError
from srv6lab.host.vagrant import mismatch

Version = tuple[int, ...]

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
    wrong = mismatch(vagrant, virtualbox)
    shown = f"{_text(virtualbox)} with Vagrant {_text(vagrant)}"
    return Need("VirtualBox", shown, f"install other versions: {wrong}" if wrong else "")


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
