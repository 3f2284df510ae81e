"""The usual troubles of VirtualBox, each found by what programs say of it. The programs are stand-ins that answer what
they were told of, and refuse everything else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from srv6lab.doctor import vagrant as doctor
from srv6lab.doctor.findings import Looked, State, unmet
from srv6lab.doctor.virtualbox import names
from srv6lab.host.system import System
from srv6lab.host.vagrant import DISK
from srv6lab.render.vagrant import vagrant
from tests.small import planned

LINUX = System("debian", "Debian", "Linux 6.12.48+deb13-amd64", "x86-64")
OLDER = System("debian", "Debian", "Linux 6.1.0-18-amd64", "x86-64")
NEWEST = System("fedora", "Fedora", "Linux 6.17.1-300.fc43.x86_64", "x86-64")
WINDOWS = System("windows", "Windows 11", "NT 10.0", "x86-64")
_SECURE = "od -An -tu1 -j4 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_KVM = "kvm_intel 479232 {} - Live 0x0000000000000000\nkvm 1388544 1 kvm_intel, Live 0x0000000000000000\n"
_POWERSHELL = '{"TotalVisibleMemorySize": 16574716, "FreePhysicalMemory": 8388608, "HypervisorPresent": %s}\n'
WELL = {
    "vagrant --version": "Vagrant 2.4.9\n",
    "vagrant box list": "bento/debian-12 (virtualbox, 202502.21.0, (amd64))\n",
    "VBoxManage --version": "7.1.4r165100\n",
    "VBoxManage list hostinfo": "Host Information:\n\nProcessor supports HW virtualization: yes\n",
    "VBoxManage list vms": '"bento-debian-12_master" {6b6c5a3e-0000-4000-8000-000000000001}\n',
    "cat /proc/meminfo": "MemTotal:       24683804 kB\nMemAvailable:   20971520 kB\n",
    "cat /proc/modules": "vboxdrv 700416 0 - Live 0x0000000000000000 (OE)\n",
    "cat /sys/module/kvm/parameters/enable_virt_at_load": "",
    _SECURE: " 0\n",
    "powershell *": _POWERSHELL % "false",
}
LAB = """
name: pair
nodes:
  west: {role: host}
  east: {role: host}
links:
  - {name: cable, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "east:eth1"]}
"""


@dataclass(frozen=True)
class Machine:
    """A machine whose programs say what they were told, and nothing else."""

    folder: Path

    def tell(self, told: Mapping[str, str]) -> None:
        for program in {"vagrant", "VBoxManage", "cat", "od", "powershell"}:
            cases = [
                f"{_pattern(words)}) printf %s {shlex.quote(said)} ;;"
                for words, said in told.items()
                if words.partition(" ")[0] == program
            ]
            refuse = f'*) echo "{program} $*" >>{shlex.quote(str(self.refused))}; exit 64 ;;'
            if any(cases):
                path = self.folder / program
                path.write_text("\n".join(["#!/bin/sh", 'case "$*" in', *cases, refuse, "esac"]) + "\n")
                path.chmod(0o755)

    @property
    def refused(self) -> Path:
        return self.folder / "refused"


def _pattern(words: str) -> str:
    rest = words.partition(" ")[2]
    return rest if rest == "*" else shlex.quote(rest)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(doctor, "free_disk", lambda _: 70000)
    return Machine(tmp_path / "bin")


def looked(machine: Machine, told: Mapping[str, str], system: System = LINUX) -> Looked:
    machine.tell(told)
    found = doctor.look("virtualbox", system, [PLAN], PLAN, machine.folder / "labs")
    assert not machine.refused.exists(), machine.refused.read_text()
    return found


PLAN = planned(LAB)
LEFT = names(Path("/nowhere"), ["pair-west"])[0]


def test_nothing_is_wrong_where_all_is_well(machine: Machine) -> None:
    for system in (LINUX, OLDER, NEWEST, WINDOWS):
        found = looked(machine, WELL, system)
        assert {one.name: one.found for one in found.all if one.state is not State.OK} == {}
        assert unmet((*found.base, *found.more[PLAN.name]), found.all) == ()


@pytest.mark.parametrize(
    ("name", "told", "system", "said", "mend"),
    [
        ("VT-x or AMD-V", {"VBoxManage list hostinfo": "Processor supports HW virtualization: no\n"}, LINUX,
         "offers none", "in the firmware"),
        ("VT-x beside KVM", {"cat /proc/modules": _KVM.format(3)}, OLDER, "kvm_intel is in use", "modprobe -r kvm_intel"),
        ("VT-x beside KVM", {"cat /proc/modules": _KVM.format(0).replace("intel", "amd"),
                             "cat /sys/module/kvm/parameters/enable_virt_at_load": "Y\n"}, LINUX,
         "took it when kvm_amd was loaded", "options kvm enable_virt_at_load=0"),
        ("processor for VirtualBox", {"powershell *": _POWERSHELL % "true"}, WINDOWS, "Hyper-V has", "bcdedit"),
        ("VirtualBox", {"VBoxManage --version": None}, LINUX, "", "setup virtualbox"),
        ("Vagrant with VirtualBox", {"vagrant --version": "Vagrant 2.3.4\n"}, LINUX, "2.3.4 with 7.1.4", "from 2.4.2 on"),
        ("VirtualBox driver", {"VBoxManage --version": "WARNING: The vboxdrv kernel module is not loaded.\n\n7.1.4r1\n"},
         LINUX, "vboxdrv kernel module is not loaded", "vboxconfig, with this kernel's headers installed$"),
        ("VirtualBox driver", {"VBoxManage --version": "WARNING: The vboxdrv kernel module is not loaded.\n\n7.1.4r1\n",
                               _SECURE: " 1\n"}, LINUX, "vboxdrv", "Secure Boot is on: sign"),
        ("memory", {"cat /proc/meminfo": "MemTotal: 4096000 kB\nMemAvailable: 1024000 kB\n"}, LINUX, "1000 of 4000",
         "give the nodes less"),
        ("boxes", {"vagrant box list": "bento/debian-12 (libvirt, 1.0)\nother (virtualbox, 0)\n"}, LINUX,
         "not here: bento/debian-12", "vagrant box add --provider virtualbox bento/debian-12"),
        ("names of machines", {"VBoxManage list vms": f'"x" {{1}}\n"{LEFT}" {{2}}\n'}, LINUX, LEFT, "unregistervm"),
    ],
)  # fmt: skip
def test_each_trouble_is_named_with_what_mends_it(
    name: str,
    told: Mapping[str, str | None],
    system: System,
    said: str,
    mend: str,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("srv6lab.doctor.virtualbox.names", lambda *_: (LEFT,))
    everything = {**WELL, **told}
    absent = {words.partition(" ")[0] for words, answer in everything.items() if answer is None}
    answers = {
        words: said
        for words, said in everything.items()
        if said is not None and words.partition(" ")[0] not in absent
    }
    found = looked(machine, answers, system)
    wrong = {one.name: one for one in found.all if one.state is not State.OK}
    assert list(wrong) == [name]
    assert said in wrong[name].found
    assert re.search(mend, wrong[name].mend), wrong[name].mend
    needed = unmet((*found.base, *found.more[PLAN.name]), found.all)
    without = name in (
        "boxes",
        "processor for VirtualBox",
    )  # Vagrant fetches boxes; beside Hyper-V it is slow
    assert [str(one) for one in needed] == ([] if without else [name])


def test_a_disk_without_room(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "free_disk", lambda _: 2 * DISK - 1)
    found = looked(machine, WELL)
    assert [str(one) for one in unmet(found.more[PLAN.name], found.all)] == ["disk"]


@pytest.mark.parametrize(
    ("told", "system"),
    [
        # from 6.16 on VirtualBox 7.2 asks KVM for the processor
        ({"VBoxManage --version": "7.2.4r170995\n", "cat /proc/modules": _KVM.format(3)}, NEWEST),
        # loaded, and nothing runs: before 6.12 KVM takes the processor with its first machine
        ({"cat /proc/modules": _KVM.format(0)}, OLDER),
        ({"cat /proc/modules": _KVM.format(0), "cat /sys/module/kvm/parameters/enable_virt_at_load": "N\n"}, LINUX),
    ],
)  # fmt: skip
def test_a_kvm_that_lets_virtualbox_have_the_processor(
    told: Mapping[str, str], system: System, machine: Machine
) -> None:
    found = looked(machine, {**WELL, **told}, system)
    assert unmet(found.base, found.all) == ()


def test_a_question_that_nobody_told_of_is_refused(machine: Machine) -> None:
    told = {words: said for words, said in WELL.items() if words != "VBoxManage list vms"}
    with pytest.raises(AssertionError, match="VBoxManage list vms"):
        looked(machine, told)


def test_machines_that_vagrant_knows_of_are_not_left_over(tmp_path: Path) -> None:
    """And the names are those that the Vagrantfile makes: the first half of a digest of its folder."""
    (name,) = names(tmp_path, ["pair-west"])
    assert re.fullmatch(r"pair-west-[0-9a-f]{8}", name)
    text = str(vagrant(PLAN)["Vagrantfile"])
    assert 'copy = "-" + digest.unpack1("H8")' in text and 'vb.name = "pair-west" + copy' in text
    (tmp_path / ".vagrant" / "machines").mkdir(parents=True)
    assert names(tmp_path, ["pair-west"]) == ()


def test_no_network_of_a_lab_is_host_only() -> None:
    """VirtualBox allows those in few ranges (networks.conf); a link is an internal network, which has none."""
    text = re.sub(r",\n\s+", ", ", str(vagrant(PLAN)["Vagrantfile"]))
    networks = re.findall(r"^ *node\.vm\.network .*$", text, re.MULTILINE)
    assert networks and all(", virtualbox__intnet: " in one for one in networks)
