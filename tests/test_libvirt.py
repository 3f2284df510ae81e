"""The contract with libvirt: real Vagrant and a real libvirtd make a machine, and what libvirt then says of it is
held against the plan; what is refused there is told clearly.

The box has an empty disk, since nothing has to boot from it. Needs root; `scripts/setup e2e` installs what it needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from srv6lab.images import OUR_BOX
from srv6lab.plan.nodes import Plan
from tests.conftest import INVOKE, REPOSITORY, SITE, need_root, tool
from tests.vagrant.libvirt import NAMESPACES

pytestmark = pytest.mark.prove

UP = ("--provider", "libvirt", "--box", OUR_BOX)
HOLD = """
import json, sys
from pathlib import Path
from tests.vagrant.libvirt import Libvirt
one = Libvirt(Path(sys.argv[1]), json.loads(sys.argv[2]))
print(json.dumps(one.env), flush=True)
sys.stdin.read()
one.close()
"""


@dataclass(frozen=True)
class Lab:
    """A lab in a libvirtd of its own; `inside` is the first process of its namespaces."""

    inside: int
    env: Mapping[str, str]
    plan: Plan
    instance: str

    @property
    def home(self) -> Path:
        return SITE.root / ".srv6lab" / self.instance

    @property
    def log(self) -> Path:
        return self.home / "logs" / f"{self.plan.nodes[0].name}.log"

    def entered(self, *words: str) -> list[str]:
        enter = ["nsenter", f"--target={self.inside}", "--mount", "--net", "--pid", "--"]
        return [*enter, "env", f"--chdir={REPOSITORY}", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.entered(*words), env=self.env, capture_output=True, text=True, timeout=300)

    def words(self, task: str, *words: str) -> list[str]:
        return [*INVOKE, task, f"lab={self.plan.name}", "--instance", self.instance, *words]

    def gone(self) -> bool:
        """Take it away: whether libvirt knows of no machine and no disk of it."""
        assert self.run(*self.words("destroy")).returncode == 0
        known = self.run("virsh", "-q", "list", "--all", "--name").stdout
        disks = self.run("virsh", "-q", "vol-list", "default").stdout
        return not known.strip() and f"{self.plan.name}-" not in disks and not self.home.exists()


@contextmanager
def libvirt(base: Path, **qemu: str) -> Iterator[Lab]:
    need_root()
    command = [*NAMESPACES, sys.executable, "-c", HOLD, str(base), json.dumps(qemu)]
    holder = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdin
    env = {**json.loads(holder.stdout.readline()), "SRV6LAB_VAGRANT_TIMEOUT": "120"}
    inside = int(Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text())
    one = Lab(inside, env, next(SITE.plans()), f"test-{uuid.uuid4().hex[:12]}")
    try:
        added = one.run("vagrant", "box", "add", "--name", OUR_BOX, str(empty_box(base)))
        assert added.returncode == 0, added.stderr
        yield one
    finally:
        one.run(*one.words("destroy", "--purge"))
        holder.communicate("")


def empty_box(base: Path) -> Path:
    folder = base / "box"
    folder.mkdir()
    disk = [tool("qemu-img"), "create", "-q", "-f", "qcow2", str(folder / "box.img"), "1G"]
    subprocess.run(disk, check=True)
    said = {"provider": "libvirt", "format": "qcow2", "virtual_size": 1}
    (folder / "metadata.json").write_text(json.dumps(said))
    with tarfile.open(base / "empty.box", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    return base / "empty.box"


def told(document: str) -> Any:
    """A machine as libvirt has it: processor, memory, and each link's MAC, ports and trace."""
    domain = ET.fromstring(document)
    words = [each.get("value", "") for each in domain.iter() if each.tag.endswith("}arg")]
    dumps = {
        part.split("netdev=")[1].split(",")[0]: part.split("file=")[1]
        for part in words
        if part.startswith("filter-dump")
    }
    links = {}
    for number, one in enumerate(domain.iterfind("devices/interface")):
        source = one.find("source")
        mac = one.find("mac")
        if one.get("type") == "udp" and source is not None and mac is not None:
            local = source.find("local")
            assert local is not None
            ends = (local.get("port"), source.get("port"), local.get("address") == source.get("address"))
            links[mac.get("address")] = (*ends, dumps.get(f"hostua-net-{number}"))
    memory = domain.findtext("memory") or "0"
    return {"kind": domain.get("type"), "memory": int(memory) // 1024, "links": links}


def test_libvirt_knows_a_machine_as_it_is_planned_and_ctrl_c(tmp_path: Path) -> None:
    """While Vagrant waits for a machine that boots nothing, libvirt is asked what it is; then it is interrupted."""
    with libvirt(tmp_path) as lab:
        first = lab.plan.nodes[0]
        up = subprocess.Popen(
            lab.entered(*lab.words("up", *UP)), env=lab.env, stderr=subprocess.PIPE, text=True
        )
        while not lab.log.exists() or "to get an IP address" not in lab.log.read_text():
            assert up.poll() is None, up.communicate()[1]
            time.sleep(0.1)
        name = lab.run("virsh", "-q", "list", "--name").stdout.strip()
        have = told(lab.run("virsh", "dumpxml", name).stdout)
        subprocess.run(["pkill", "-INT", "-P", str(up.pid)], check=True)
        said = up.communicate(timeout=300)[1]
        assert f"error: interrupted: what came up of {lab.instance} is kept\n" in said and lab.gone()
    assert (have["kind"], have["memory"]) == ("qemu", first.memory)
    assert list(have["links"]) == [nic.mac for nic in first.nics]
    for nic in first.nics:
        mine, other, same, trace = have["links"][nic.mac]
        assert same and abs(int(mine) - int(other)) == 1
        assert trace == str(lab.home / "captures" / f"{nic.trace}.pcap")


def test_traces_that_qemu_may_not_write(tmp_path: Path) -> None:
    """As most systems have it: libvirt's qemu is a user of its own, who may not write into a lab's folder."""
    with libvirt(tmp_path, user='"libvirt-qemu"', group='"libvirt-qemu"') as lab:
        tmp_path.chmod(0o755)
        done = lab.run(*lab.words("up", *UP))
        said = done.stderr[done.stderr.index("\nerror: ") + 1 :]
        assert done.returncode == 3 and said.count("\n") < 6, said
        assert said.startswith(f"error: {lab.plan.nodes[0].name}: libvirt's qemu may not write the traces"), (
            said
        )
        assert lab.gone()
