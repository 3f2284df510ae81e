"""The contract with VirtualBox: real Vagrant and the real VBoxManage make every machine up to `startvm`, and what
VirtualBox then says of each is held against the plan.

The box is our own description of a machine with an empty disk, since nothing is started. Needs root, a network
once, and about a minute; so it is marked `prove`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from srv6lab.box import NAME
from srv6lab.lab import with_box
from srv6lab.plan import Machine, Plan
from srv6lab.render import box_ovf, vagrant
from srv6lab.rendered import write
from tests.conftest import LABS, REPOSITORY, SITE, need_root, tool
from tests.test_vagrantfile import differences, suffix
from tests.vagrant import virtualbox

pytestmark = pytest.mark.prove

Said = dict[str, Any]
DISK = 64 * 2**20


def wanted(plan: Plan, machine: Machine, folder: Path) -> Said:
    """What VirtualBox has to know of a machine, from the plan alone."""
    return {
        "name": f"{plan.name}-{machine.name}{suffix(folder)}",
        "memory": machine.memory,
        "cpus": machine.cpus,
        "controller": "IntelAhci",
        "nics": {
            number: {
                "mac": nic.mac.replace(":", "").upper(),
                "network": f"{plan.name}-{nic.link}{suffix(folder)}",
                "cable": "on",
                "trace": f"{folder}/captures/{nic.trace}.pcap",
            }
            for number, nic in enumerate(machine.nics, 2)
        },
    }


def told(information: str, readable: str) -> Said:
    """`showvminfo` with and without --machinereadable, in the form of `wanted`."""
    said = dict(re.findall(r'^"?([^"=\n]+)"?="?([^"\n]*?)"?$', information, re.MULTILINE))
    traces = dict(re.findall(r"^NIC (\d+): .*Trace: on \(file: (.*?)\)", readable, re.MULTILINE))
    kinds = {number: said.get(f"nic{number}", "none") for number in range(1, 9)}
    assert kinds[1] == "nat"
    return {
        "name": said["name"],
        "memory": int(said["memory"]),
        "cpus": int(said["cpus"]),
        "controller": said["storagecontrollertype0"],
        "nics": {
            number: {
                "mac": said[f"macaddress{number}"],
                "network": said[f"intnet{number}"] if kind == "intnet" else kind,
                "cable": said[f"cableconnected{number}"],
                "trace": traces.get(str(number)),
            }
            for number, kind in kinds.items()
            if number > 1 and kind != "none"
        },
    }


@dataclass(frozen=True)
class VirtualBox:
    """VirtualBox as it is for these tests: in a chroot, with a folder of its own."""

    base: Path
    env: Mapping[str, str]

    def run(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", f"--mount=/proc/{os.environ['VIRTUALBOX_MOUNTS']}/ns/mnt", "--"]
        return subprocess.run(
            [*inside, "env", f"--chdir={cwd or self.base}", *words],
            env=self.env, capture_output=True, text=True, timeout=600,
        )  # fmt: skip


HOLD = "import sys; from pathlib import Path; from tests.vagrant import virtualbox as v; v.enter(Path(sys.argv[1]), Path(sys.argv[2])); print('here', flush=True); sys.stdin.read()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualBox]:
    """A process holds the mounts, and they end with it."""
    need_root()
    base = tmp_path_factory.mktemp("virtualbox").resolve()
    root = virtualbox.chroot()
    command = ["unshare", "--mount", sys.executable, "-c", HOLD, str(root), str(base)]
    holder = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdin and holder.stdout.readline() == "here\n"
    env = {**virtualbox.environment(root, base), "VBOX_NO_START": "yes"}
    os.environ["VIRTUALBOX_MOUNTS"] = str(holder.pid)
    one = VirtualBox(base, env)
    try:
        assert one.run("VBoxManage", "setproperty", "machinefolder", str(base / "machines")).returncode == 0
        added = one.run("vagrant", "box", "add", "--name", NAME, str(empty_box(base)))
        assert added.returncode == 0, added.stderr
        yield one
    finally:
        del os.environ["VIRTUALBOX_MOUNTS"]
        holder.stdin.close()
        holder.wait()


def empty_box(base: Path) -> Path:
    folder = base / "box"
    folder.mkdir()
    size = [tool("qemu-img"), "create", "-q", "-f", "vmdk", "-o", "subformat=streamOptimized"]
    subprocess.run([*size, str(folder / "box.vmdk"), str(DISK)], check=True)
    (folder / "box.ovf").write_text(box_ovf("box.vmdk", DISK))
    (folder / "metadata.json").write_text(json.dumps({"provider": "virtualbox"}))
    (folder / "Vagrantfile").write_text(
        'Vagrant.configure("2") { |config| config.vm.base_mac = "080027A56B36" }\n'
    )
    with tarfile.open(base / "empty.box", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    return base / "empty.box"


def largest() -> str:
    """One lab is enough, and takes a minute: the one with the most NICs."""
    return max(LABS, key=lambda name: len(list(SITE.load(SITE.refer(name))[0].nics())))


@pytest.mark.parametrize("name", [largest()])
def test_virtualbox_knows_each_machine_as_it_is_planned(name: str, installed: VirtualBox) -> None:
    plan = with_box(SITE.load(SITE.refer(name))[0], NAME)
    folder = installed.base / name
    folder.mkdir()
    write(vagrant(plan), folder)
    for machine in plan.machines:
        done = installed.run("vagrant", "up", machine.name, "--provider=virtualbox", cwd=folder)
        assert "nothing is started here" in done.stdout + done.stderr, done.stdout + done.stderr
        identity = (folder / f".vagrant/machines/{machine.name}/virtualbox/id").read_text()
        answers = [
            installed.run("VBoxManage", "showvminfo", identity, *form).stdout
            for form in (["--machinereadable"], [])
        ]
        have = told(*answers)
        assert differences(wanted(plan, machine, folder), have) == []
        for wrong, where in mistakes(machine):
            assert any(where in text for text in differences(wanted(plan, wrong, folder), have)), where
    gone = installed.run("vagrant", "destroy", "--force", cwd=folder)
    assert gone.returncode == 0 and plan.name not in installed.run("VBoxManage", "list", "vms").stdout


def mistakes(machine: Machine) -> Iterator[tuple[Machine, str]]:
    """The machine, planned otherwise, and where that has to be seen."""
    nic = machine.nics[0]
    yield replace(machine, memory=machine.memory + 1), "memory"
    yield replace(machine, cpus=machine.cpus + 1), "cpus"
    yield replace(machine, name=f"{machine.name}x"), "name"
    for changed, where in (
        (replace(nic, mac="02:00:00:00:00:01"), "mac"),
        (replace(nic, link=f"{nic.link}x"), "network"),
        (replace(nic, trace=f"{nic.trace}x"), "trace"),
    ):
        yield replace(machine, nics=(changed, *machine.nics[1:])), f"nics 2 {where}"
    yield replace(machine, nics=machine.nics[1:]), f"nics {len(machine.nics) + 1}"
