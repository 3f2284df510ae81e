"""What virtual machines need: Vagrant, a hypervisor that it drives, memory and disk, on Linux, macOS and
Windows. Questions out, findings from the answers: what is asked of is chosen by the system."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.host.packages import named, remedy
from srv6lab.host.system import System, dotted
from srv6lab.host.vagrant import (
    DISK,
    PLUGIN,
    PLUGIN_FILE,
    read_plugins,
    read_vagrant,
    read_virtualbox,
    vboxmanage,
)
from srv6lab.plan.nodes import Plan

from . import needs as lab_needs
from . import readers, virtualbox
from .asking import ABSENT, Answer, ask
from .findings import Finding, Looked, Need, State
from .readers import MIB, Memory

AREA = "machines"
PROVIDERS = ("virtualbox", "libvirt")
LIMITS = {"kvm": 5.0}  # seconds for a question
_LIBVIRT = "qemu:///system"
_POWERSHELL = (
    "Get-CimInstance Win32_OperatingSystem | Select-Object TotalVisibleMemorySize, FreePhysicalMemory, "
    "@{n='HypervisorPresent';e={(Get-CimInstance Win32_ComputerSystem).HypervisorPresent}} | ConvertTo-Json"
)
_MEMORY = {
    "macos": ("sh", "-c", "sysctl -n hw.memsize; vm_stat"),
    "windows": ("powershell", "-NoProfile", "-NonInteractive", "-Command", _POWERSHELL),
}
_ALWAYS = ("vagrant", "processor")
_NEEDS = {
    "virtualbox": (*_ALWAYS, "VirtualBox", *virtualbox.NEEDED),
    "libvirt": (*_ALWAYS, "vagrant-libvirt", "libvirt", "qemu"),
}

ROOM = ("memory", "disk", virtualbox.LEFT)  # what one lab needs that was asked for
Answers = Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lab that is to run takes: how many machines, with how much memory in MiB, from which boxes, and what
    they will be called in VirtualBox. Of none in particular, nothing."""

    machines: int = 0
    memory: int = 0
    boxes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def wanted(plan: Plan, folder: Path) -> Wanted:
    """What a lab takes whose files will lie in a folder of its name below this one."""
    names = virtualbox.names(folder / plan.name, [f"{plan.name}-{node.name}" for node in plan.nodes])
    boxes = tuple(sorted({node.box for node in plan.nodes}))
    return Wanted(len(plan.nodes), lab_needs.memory(plan), boxes, names)


def look(provider: str, system: System, plans: Sequence[Plan], asked: Plan | None, folder: Path) -> Looked:
    """What is here, and whether there is room for the machines of the lab that was asked for."""
    answers = ask(questions(provider, system), LIMITS)
    found = findings(
        provider, system, answers, free_disk(folder), wanted(asked, folder) if asked else Wanted()
    )
    more = room(found) if asked else ()
    return Looked(needs(provider, found), found, {plan.name: more for plan in plans})


def needs(provider: str, findings: Iterable[Finding]) -> tuple[Need, ...]:
    """What every lab needs under a provider. What can't be asked of a VirtualBox that isn't there is no need."""
    found = {finding.name for finding in findings}
    names = (name for name in _NEEDS[provider] if name not in virtualbox.NEEDED or name in found)
    return tuple(Need((name,), f"every lab under {provider}") for name in names)


def room(findings: Iterable[Finding]) -> tuple[Need, ...]:
    """What the lab needs besides that was asked for."""
    return tuple(Need((one.name,), "the lab's machines") for one in findings if one.name in ROOM)


def questions(
    provider: str, system: System, environ: Mapping[str, str] = os.environ
) -> dict[str, tuple[str, ...]]:
    """The command lines whose answers `findings` reads."""
    asked = {
        "vagrant": (_command("vagrant"), "--version"),
        "memory": _MEMORY.get(system.family, ("cat", "/proc/meminfo")),
    }
    if provider == "virtualbox":
        asked["boxes"] = (_command("vagrant"), "box", "list")
        return {**asked, **virtualbox.questions(vboxmanage(system, environ), system)}
    asked |= {
        "plugins": (_command("vagrant"), "plugin", "list"),
        "libvirt": (_command("virsh"), "--connect", _LIBVIRT, "version"),
        "qemu": (_command("qemu-system-x86_64"), "--version"),
    }
    if system.is_linux:
        asked["kvm"] = (sys.executable, "-I", "-S", str(Path(__file__).with_name("kvm.py")))
    return asked


def findings(
    provider: str, system: System, answers: Answers, disk: int, lab: Wanted | None = None
) -> tuple[Finding, ...]:
    """What the answers say. `disk` is what is free, in MiB; `lab` is what one takes that is to run."""
    lab = lab or Wanted()
    last = (_processor(system), _memory(system, answers, lab.memory), _disk(disk, lab.machines))
    own = _virtualbox(system, answers, lab) if provider == "virtualbox" else _libvirt(system, answers)
    return (_vagrant(system, answers, provider), *own, *last)


def free_disk(folder: Path) -> int:
    """MiB that are free where a folder lies, or will lie."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free // MIB


def _command(name: str) -> str:
    return shutil.which(name) or name


def _finding(name: str, lacking: bool, found: str, purpose: str, mend: str = "") -> Finding:
    return Finding(
        AREA, name, State.LACKING if lacking else State.OK, found, purpose, mend if lacking else ""
    )


def _version_of(
    name: str, how: str, group: str, answer: Answer, read: Callable[[str], tuple[int, ...]], system: System
) -> Finding:
    """A program by the version that it tells."""
    tool = named(how, group)
    version = read(answer.out) if answer.ok else ()
    said = "" if answer.code is None else "gives no answer" if answer.late else _short(answer.out)
    mend = remedy([tool], system) if answer.code is None else f"see what it says: {how} --version"
    return _finding(name, not version, dotted(version) or said, tool.purpose, mend)


def _vagrant(system: System, answers: Answers, group: str) -> Finding:
    return _version_of("vagrant", "vagrant", group, _answer(answers, "vagrant"), read_vagrant, system)


def _virtualbox(system: System, answers: Answers, lab: Wanted) -> Iterator[Finding]:
    answer = _answer(answers, "virtualbox")
    said = read_virtualbox(answer.out)
    yield _version_of("VirtualBox", "VBoxManage", "virtualbox", answer, lambda _: said.version, system)
    if said.version:
        vagrant = read_vagrant(_answer(answers, "vagrant").out)
        yield from virtualbox.findings(_finding, system, answers, vagrant, lab.names)
    if lab.boxes:
        yield virtualbox.boxes(_finding, _answer(answers, "boxes"), lab.boxes)


def _libvirt(system: System, answers: Answers) -> Iterator[Finding]:
    listed = _answer(answers, "plugins")
    plugin = read_plugins(listed.out).get(PLUGIN, "")
    mend = remedy([named(PLUGIN_FILE, "libvirt")], system)
    if system.family != "debian":
        mend = "vagrant plugin install vagrant-libvirt"
    said = plugin or ("gives no answer" if listed.late else "")
    yield _finding("vagrant-libvirt", not plugin, said, "Vagrant's plugin for libvirt", mend)
    yield _libvirtd(system, _answer(answers, "libvirt"))
    qemu = _answer(answers, "qemu")
    yield _version_of("qemu", "qemu-system-x86_64", "libvirt", qemu, readers.first_version, system)
    if system.is_linux:
        yield _kvm(_answer(answers, "kvm"))


def _libvirtd(system: System, answer: Answer) -> Finding:
    version = readers.libvirt(answer.out) if answer.ok else ()
    absent = [named(how, "libvirt") for how in ("virsh", "libvirtd")]
    mend = (
        "sudo systemctl start libvirtd; if it refuses you: sudo usermod -aG libvirt $USER, and log in again"
    )
    if answer.code is None:
        mend = remedy(absent, system)
    said = "gives no answer" if answer.late else readers.refusal(answer.out)
    return _finding("libvirt", not version, dotted(version) or said, "keeps virtual machines", mend)


def _kvm(answer: Answer) -> Finding:
    """Machines run without it too, emulated."""
    purpose = "machines at full speed instead of emulated ones"
    if answer.ok:
        return _finding("KVM", False, "runs", purpose)
    if answer.late:
        return _finding(
            "KVM",
            True,
            "an instruction was begun and never ended",
            purpose,
            "use it without KVM: machines are emulated",
        )
    said = _short(answer.out)
    mend = (
        "switch on virtualization in the firmware (or nested, in a virtual machine), then: sudo modprobe kvm"
    )
    if "Permission denied" in said:
        mend = "sudo usermod -aG kvm $USER, and log in again"
    return _finding("KVM", True, said, purpose, mend)


def _processor(system: System) -> Finding:
    mend = "use a machine with an x86-64 processor: the boxes are made for it"
    return _finding(
        "processor", system.processor != "x86-64", system.processor, "what the boxes are made for", mend
    )


def _memory(system: System, answers: Answers, wanted: int) -> Finding:
    text = _answer(answers, "memory").out
    said: Memory | None
    if system.family == "windows":
        windows = readers.windows(text)
        said = windows.memory if windows else None
    else:
        said = readers.macos_memory(text) if system.family == "macos" else readers.linux_memory(text)
    purpose = f"the lab's machines take {wanted} MiB" if wanted else "1 GiB for most machines"
    if said is None:
        return Finding(AREA, "memory", State.UNKNOWN, "not told", purpose)
    found = f"{said.free} of {said.total} MiB free"
    mend = "end other programs, or give the nodes less: `memory:` in the topology"
    return _finding("memory", said.free < wanted, found, purpose, mend)


def _disk(free: int, machines: int) -> Finding:
    wanted = DISK * machines
    purpose = f"{machines} machines may take {wanted} MiB" if machines else f"up to {DISK} MiB for a machine"
    return _finding("disk", free < wanted, f"{free} MiB free", purpose, "make room where this clone lies")


def _answer(answers: Answers, name: str) -> Answer:
    return answers.get(name, ABSENT)


def _short(text: str) -> str:
    return " ".join(text.split())[:120]
