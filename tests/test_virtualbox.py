"""The contract with VirtualBox: real Vagrant and the real VBoxManage make every machine up to `startvm`, and what
VirtualBox then says of each is held against the plan.

What fails is told by the same real tools: `up` gives one clear message, and `destroy` takes all away.

The box is our own description of a machine with an empty disk, since nothing has to boot from it. Needs root, a
network once, and some minutes; so it is marked `prove`.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from srv6lab.images import OUR_BOX
from srv6lab.images.box import box_ovf
from srv6lab.live.lifecycle import with_box
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.render.files import write
from srv6lab.render.vagrant import vagrant
from tests.conftest import INVOKE, LABS, REPOSITORY, SITE, need_root, tool
from tests.test_vagrantfile import differences, suffix
from tests.vagrant import virtualbox

pytestmark = pytest.mark.prove

Said = dict[str, Any]
DISK = 64 * 2**20


def wanted(plan: Plan, machine: PlannedNode, folder: Path) -> Said:
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
    """VirtualBox as it is for these tests: in a chroot, with a folder and a network of its own. `holder` is the
    process that holds the mounts."""

    base: Path
    env: Mapping[str, str]
    holder: int

    def command(self, *words: str, cwd: Path | None = None) -> list[str]:
        own = ["nsenter", f"--target={self.holder}", "--mount", "--net", "--"]
        return [*own, "env", f"--chdir={cwd or self.base}", *words]

    def run(
        self, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words, cwd=cwd), env=env or self.env, capture_output=True, text=True, timeout=600
        )


HOLD = """
import sys
from pathlib import Path
from tests.vagrant import virtualbox
virtualbox.enter(Path(sys.argv[1]), Path(sys.argv[2]))
print("here", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualBox]:
    """A process holds the mounts, and they end with it."""
    need_root()
    base = tmp_path_factory.mktemp("virtualbox").resolve()
    root = virtualbox.chroot()
    command = ["unshare", "--mount", "--net", sys.executable, "-c", HOLD, str(root), str(base)]
    holder = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdin and holder.stdout.readline() == "here\n"
    one = VirtualBox(base, virtualbox.environment(root, base), holder.pid)
    try:
        assert one.run("ip", "link", "set", "dev", "lo", "up").returncode == 0
        assert one.run("VBoxManage", "setproperty", "machinefolder", str(base / "machines")).returncode == 0
        added = one.run("vagrant", "box", "add", "--name", OUR_BOX, str(empty_box(base)))
        assert added.returncode == 0, added.stderr
        yield one
    finally:
        holder.stdin.close()
        holder.wait()


def empty_box(base: Path) -> Path:
    folder = base / "box"
    folder.mkdir()
    raw = base / "disk.raw"
    with raw.open("wb") as file:
        file.write(b"no system\n")
        file.truncate(DISK)
    convert = [tool("qemu-img"), "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized"]
    subprocess.run([*convert, str(raw), str(folder / "box.vmdk")], check=True)
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
    plan = with_box(SITE.load(SITE.refer(name))[0], OUR_BOX)
    folder = installed.base / name
    folder.mkdir()
    write(vagrant(plan), folder)
    for machine in plan.nodes:
        unstarted = {**installed.env, "VBOX_NO_START": "yes"}
        done = installed.run(
            "vagrant", "up", machine.name, "--provider=virtualbox", cwd=folder, env=unstarted
        )
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


def mistakes(machine: PlannedNode) -> Iterator[tuple[PlannedNode, str]]:
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


@dataclass
class Lab:
    """A lab that is brought up as a person would, from a box that boots nothing."""

    virtualbox: VirtualBox
    plan: Plan
    instance: str

    @property
    def first(self) -> str:
        return self.plan.nodes[0].name

    @property
    def log(self) -> Path:
        return SITE.root / ".srv6lab" / self.instance / "logs" / f"{self.first}.log"

    def words(self, task: str, *words: str) -> list[str]:
        return [*INVOKE, task, f"lab={self.plan.name}", "--instance", self.instance, *words]

    def up(self, box: str = OUR_BOX, **env: str) -> str:
        """What is said of a bringing up that fails."""
        words = self.words("up", "--provider", "virtualbox", "--box", box)
        quick = {**self.virtualbox.env, "SRV6LAB_BOOT_TIMEOUT": "4"}
        done = self.virtualbox.run(*words, cwd=REPOSITORY, env={**quick, **env})
        assert done.returncode == 3, done.stderr
        return error(done.stderr)

    def gone(self) -> bool:
        """Take it away: whether nothing is left, neither a machine nor a process nor a file."""
        assert self.virtualbox.run(*self.words("destroy"), cwd=REPOSITORY).returncode == 0
        known = self.virtualbox.run("VBoxManage", "list", "vms").stdout
        pids = list((self.virtualbox.base / "run").glob("*.pid"))
        return f'"{self.plan.name}-' not in known and not pids and not self.log.parent.parent.exists()


def error(said: str) -> str:
    """The one message, without the progress before it."""
    _progress, *messages = said.split("\nerror: ")
    assert len(messages) == 1 and "Traceback" not in said, said
    return f"error: {messages[0].rstrip()}"


@pytest.fixture
def lab(installed: VirtualBox) -> Iterator[Lab]:
    plan = next(SITE.plans())
    one = Lab(installed, plan, f"test-{uuid.uuid4().hex[:12]}")
    yield one
    installed.run(*one.words("destroy", "--purge"), cwd=REPOSITORY)


def test_a_box_that_is_not_here(lab: Lab) -> None:
    """Vagrant asks the network, where nobody listens."""
    said = lab.up("nobody/nothing", VAGRANT_SERVER_URL="http://127.0.0.1:9")
    assert said.startswith(f"error: {lab.first}: its box is not here and can't be had\n"), said
    assert "mend: vagrant box add NAME, where there is a network; or invoke box.build" in said
    assert said.endswith(f"log: {lab.log}") and lab.gone()


def test_a_machine_that_does_not_boot(lab: Lab) -> None:
    """It stays, to be looked at; a second `up` finds that it can't be logged in to."""
    said = [lab.up(), lab.up()]
    for one in said:
        assert one.startswith(f"error: {lab.first}: it was started and can't be logged in to\n  mend: "), one
    running = lab.virtualbox.run("vagrant", "status", "--machine-readable", cwd=lab.log.parent.parent)
    assert f"{lab.first},state,running" in running.stdout and lab.gone()


def test_ctrl_c_in_the_middle(lab: Lab) -> None:
    words = lab.virtualbox.command(
        *lab.words("up", "--provider", "virtualbox", "--box", OUR_BOX), cwd=REPOSITORY
    )
    up = subprocess.Popen(words, env=lab.virtualbox.env, stderr=subprocess.PIPE, text=True)
    while not lab.log.exists() or "Waiting for machine to boot" not in lab.log.read_text():
        assert up.poll() is None, up.communicate()[1]
        time.sleep(0.1)
    up.send_signal(signal.SIGINT)
    said = up.communicate()[1]
    name = f"lab={lab.plan.name} --instance {lab.instance}"
    assert up.returncode == 1 and error(said) == (
        f"error: interrupted: what came up of {lab.instance} is kept\n"
        f"  mend: invoke up {name} goes on, invoke destroy {name} takes it away"
    )
    assert lab.gone()


def test_ports_that_are_in_use(lab: Lab) -> None:
    """All that Vagrant may take for its way into a machine."""
    take = "import socket, sys; all = [socket.create_server(('127.0.0.1', port)) for port in range(2200, 2251)]; print('taken', flush=True); sys.stdin.read()"
    words = lab.virtualbox.command(sys.executable, "-c", take)
    taker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert taker.stdout and taker.stdout.readline() == "taken\n"
    try:
        said = lab.up()
    finally:
        taker.communicate("")
    assert said.startswith(f"error: {lab.first}: a port of this machine that it needs is in use\n"), said
    assert "mend: end what listens there (ss -ltnup shows it), then invoke up" in said and lab.gone()


def test_a_disk_that_is_full(lab: Lab) -> None:
    """A box that has not been used yet is copied to where machines lie."""
    box, run = lab.virtualbox.base / "empty.box", lab.virtualbox.run
    assert run("vagrant", "box", "add", "--name", "test/full", str(box)).returncode == 0
    full = lab.virtualbox.base / "full"
    full.mkdir()
    place = f"{lab.virtualbox.env['VBOX_CHROOT']}{full}"
    assert run("mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", place).returncode == 0
    assert run("VBoxManage", "setproperty", "machinefolder", str(full)).returncode == 0
    try:
        said = lab.up("test/full")
    finally:
        run("VBoxManage", "setproperty", "machinefolder", str(lab.virtualbox.base / "machines"))
    assert said.startswith(f"error: {lab.first}: the disk of this machine is full\n"), said
    assert lab.gone()
    assert run("umount", place).returncode == 0
