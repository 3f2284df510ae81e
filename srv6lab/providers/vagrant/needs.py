"""What a machine needs to run a lab in virtual machines: each need with what was found, and what mends it.

`invoke doctor` looks closer; this is what `up` must know before it makes anything.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from srv6lab.errors import MachineError
from srv6lab.host.command import run
from srv6lab.host.packages import named, remedy
from srv6lab.host.system import dotted, this_system
from srv6lab.host.vagrant import (
    DISK,
    PLUGIN,
    PLUGIN_FILE,
    mismatch,
    read_plugins,
    read_vagrant,
    read_virtualbox,
    vboxmanage,
)
from srv6lab.plan.nodes import Plan

Version = tuple[int, ...]

EMULATED = 4  # minutes for a machine to come up, as measured where two processors emulated seven
_PATIENCE = 60.0  # seconds for what a tool says of itself


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
    ssh = "" if shutil.which("ssh") else _install(provider, "ssh")
    found = [
        Need("vagrant", dotted(vagrant) or "missing", "" if vagrant else _install(provider, "vagrant")),
        Need("ssh", "missing" if ssh else "there", ssh),
    ]
    if provider == "virtualbox":
        said = read_virtualbox(_said(vboxmanage(this_system()), "--version"))
        return (*found, _virtualbox(vagrant, said.version))
    return (*found, _libvirt(), _plugin())


def require(provider: str) -> None:
    """MachineError with every need that is not met."""
    unmet = [need for need in needs(provider) if not need.met]
    if unmet:
        what = "; ".join(f"{need.what}: {need.found}" for need in unmet)
        raise MachineError(what, "\n        ".join(need.mend for need in unmet))


def costs(plan: Plan, many: int) -> str:
    """What the machines of a lab take, `many` of which come up at once, in words for whoever is about to wait for them."""
    boxes, memory = sorted({node.box for node in plan.nodes}), sum(node.memory for node in plan.nodes)
    machines = len(plan.nodes)
    order = "one after the other" if many == 1 else f"up to {many} at once"
    return (
        f"{machines} machines {order}, each with a boot and Day0: {machines * EMULATED} minutes where they "
        f"are emulated, fewer where the processor runs them; {memory} MB of memory and up to "
        f"{machines * DISK // 1024} GB of disk in all; from {' and '.join(boxes)}, which Vagrant fetches once "
        "where it has none: some hundred MB"
    )


def pair(vagrant: Version, virtualbox: Version) -> Need:
    """Whether this Vagrant drives this VirtualBox."""
    wrong = mismatch(vagrant, virtualbox)
    shown = f"{dotted(virtualbox)} with Vagrant {dotted(vagrant)}"
    return Need("VirtualBox", shown, f"install other versions: {wrong}" if wrong else "")


def _virtualbox(vagrant: Version, virtualbox: Version) -> Need:
    if not virtualbox:
        here = _install("virtualbox", "VBoxManage")
        return Need("VirtualBox", "VBoxManage is missing, or says no version", here)
    return pair(vagrant, virtualbox) if vagrant else Need("VirtualBox", dotted(virtualbox))


def _libvirt() -> Need:
    socket = Path("/run/libvirt/libvirt-sock")
    if not shutil.which("libvirtd") and not shutil.which("virtqemud"):
        return Need("libvirt", "missing", _install("libvirt", "libvirtd", "qemu-system-x86_64"))
    if not socket.exists():
        return Need("libvirt", "its service isn't running", "systemctl start libvirtd")
    if not os.access(socket, os.R_OK | os.W_OK):
        return Need("libvirt", f"{socket} is closed to you", "adduser $USER libvirt, then log in again")
    return Need("libvirt", "running")


def _plugin() -> Need:
    if PLUGIN in read_plugins(_said("vagrant", "plugin", "list")):
        return Need(PLUGIN, "there")
    return Need(PLUGIN, "missing", f"{_install('libvirt', PLUGIN_FILE)}, or: vagrant plugin install {PLUGIN}")


def _install(group: str, *tools: str) -> str:
    return remedy([named(how, group) for how in tools])


def _said(program: str, *words: str) -> str:
    """What a tool says of itself; nothing if it isn't there, or doesn't answer."""
    try:
        return run([shutil.which(program) or program, *words], _PATIENCE).stdout
    except MachineError:
        return ""
