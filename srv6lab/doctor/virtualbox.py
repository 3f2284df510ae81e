"""What stands in VirtualBox's way on a machine: its own version and driver, who else holds the processor, and what is
left in it of a lab whose folder is gone. Questions out, findings from the answers, as in `vagrant.py`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.host.system import System, dotted, version
from srv6lab.host.vagrant import mismatch, read_virtualbox

from . import readers
from .asking import ABSENT, Answer
from .findings import Finding

# `name, lacking, found, purpose, mend` to a finding of this area.
Make = Callable[..., Finding]
Answers = Mapping[str, Answer]

# What can be asked of a VirtualBox that is there alone, and what every lab needs of it.
NEEDED = ("Vagrant with VirtualBox", "VirtualBox driver", "VT-x or AMD-V", "VT-x beside KVM")
LEFT = "names of machines"  # what a lab needs that was asked for
_SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_FIRST_THAT_ASKS_KVM = (
    (7, 2),
    (6, 16),
)  # VirtualBox and Linux: from there on one asks the other for the processor
_AT_LOAD = (6, 12)  # Linux: from there on KVM takes the processor when it is loaded, before any machine runs


def questions(vboxmanage: str, system: System) -> dict[str, tuple[str, ...]]:
    """The command lines whose answers `findings` reads, but for Vagrant's."""
    asked: dict[str, tuple[str, ...]] = {
        "virtualbox": (vboxmanage, "--version"),
        "host": (vboxmanage, "list", "hostinfo"),
        "machines": (vboxmanage, "list", "vms"),
    }
    if system.is_linux:
        asked["modules"] = ("cat", "/proc/modules")
        asked["kvm at load"] = ("cat", "/sys/module/kvm/parameters/enable_virt_at_load")
        asked["secure boot"] = ("od", "-An", "-tu1", "-j4", _SECURE_BOOT)
    return asked


def names(instance: Path, machines: Sequence[str]) -> tuple[str, ...]:
    """The names that a lab's machines get in VirtualBox, as its Vagrantfile makes them of the folder that it lies
    in; none where Vagrant knows of machines in there, whose names these then are."""
    if (instance / ".vagrant" / "machines").is_dir():
        return ()
    copy = hashlib.sha256(os.fsencode(instance.resolve())).hexdigest()[:8]
    return tuple(f"{machine}-{copy}" for machine in machines)


def findings(
    make: Make, system: System, answers: Answers, vagrant: tuple[int, ...], wanted: Sequence[str]
) -> Iterator[Finding]:
    """What the answers say of a VirtualBox that told its version; `wanted` are names of machines that must be free."""
    said = read_virtualbox(answers["virtualbox"].out)
    if vagrant:
        wrong = mismatch(vagrant, said.version)
        pair = f"{dotted(vagrant)} with {dotted(said.version)}"
        mend = f"install other versions: {wrong}"
        yield make("Vagrant with VirtualBox", bool(wrong), pair, "versions that work together", mend)
    purpose = "runs machines in the kernel"
    yield make("VirtualBox driver", bool(said.warning), said.warning, purpose, _driver(system, answers))
    if system.processor == "x86-64":
        yield from _processor(make, system, answers, said.version)
    if wanted:
        yield _left(make, answers, wanted)


def _driver(system: System, answers: Answers) -> str:
    """What brings the driver, which a kernel under Secure Boot loads only if it is signed."""
    if not system.is_linux:
        return "restart, and allow VirtualBox's system extension"
    mend = "sudo /sbin/vboxconfig, with this kernel's headers installed"
    if answers.get("secure boot", ABSENT).out.split() == ["1"]:
        return f"{mend}; Secure Boot is on: sign the module with a key that mokutil enrolls, or switch it off"
    return mend


def _processor(
    make: Make, system: System, answers: Answers, virtualbox: tuple[int, ...]
) -> Iterator[Finding]:
    off = re.search(r"^Processor supports HW virtualization:\s+no\s*$", _said(answers, "host"), re.MULTILINE)
    mend = "switch VT-x or AMD-V on in the firmware; in a virtual machine, nested virtualization in its host"
    yield make(
        "VT-x or AMD-V", bool(off), "the processor offers none" if off else "", "machines at all", mend
    )
    if system.is_linux:
        held = _held(system, answers, virtualbox)
        mend = (
            "end what runs under KVM, then: sudo modprobe -r kvm_intel kvm_amd kvm; for good, "
            "`options kvm enable_virt_at_load=0` in /etc/modprobe.d/kvm.conf, and restart"
        )
        yield make("VT-x beside KVM", bool(held), held, "one of the two has the processor", mend)
    if system.family == "windows":
        yield _hyper_v(make, answers)


def _held(system: System, answers: Answers, virtualbox: tuple[int, ...]) -> str:
    """By whom the processor is held, in words; "" where VirtualBox gets it."""
    kernel = version("".join(re.findall(r"\d+\.\d+", system.kernel)[:1]) or "0")
    first, linux = _FIRST_THAT_ASKS_KVM
    loaded = re.search(r"^(kvm_(?:intel|amd)) \d+ (\d+) ", _said(answers, "modules"), re.MULTILINE)
    if not loaded or (virtualbox[:2] >= first and kernel >= linux):
        return ""
    if loaded[2] != "0":
        return f"a machine runs under KVM ({loaded[1]} is in use)"
    at_load = kernel >= _AT_LOAD and _said(answers, "kvm at load").strip() == "Y"
    return f"KVM took it when {loaded[1]} was loaded" if at_load else ""


def _hyper_v(make: Make, answers: Answers) -> Finding:
    said = readers.windows(answers.get("memory", ABSENT).out)
    mend = "as administrator: bcdedit /set hypervisorlaunchtype off, then restart"
    found = "Hyper-V has the processor: machines run, and slowly" if said and said.hypervisor else ""
    return make("processor for VirtualBox", bool(found), found, "machines at full speed", mend)


def _left(make: Make, answers: Answers, wanted: Sequence[str]) -> Finding:
    known = re.findall(r'^"(.*)" \{', _said(answers, "machines"), re.MULTILINE)
    taken = [name for name in wanted if name in known]
    mend = (
        "they are left of a lab whose folder was taken away; for each: VBoxManage unregistervm NAME --delete"
    )
    return make(LEFT, bool(taken), ", ".join(taken), "free for the lab's machines", mend)


def boxes(make: Make, answer: Answer, wanted: Sequence[str]) -> Finding:
    """Whether Vagrant has the boxes. It fetches them where it hasn't, so this is a need in a room without a network."""
    here = re.findall(r"^(\S+) +\(virtualbox,", answer.out if answer.ok else "", re.MULTILINE)
    absent = [box for box in wanted if box not in here]
    mend = (
        f"while there is a network: vagrant box add --provider virtualbox {' '.join(absent)}; "
        f"or {CALLED} box.build --add, and {CALLED} up with --box and its name"
    )
    found = f"not here: {', '.join(absent)}" if absent else ", ".join(wanted)
    return make(
        "boxes", bool(absent), found, "what machines are made from; Vagrant fetches what is not here", mend
    )


def _said(answers: Answers, name: str) -> str:
    answer = answers.get(name, ABSENT)
    return answer.out if answer.ok else ""
