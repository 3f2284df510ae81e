"""A whole lab in one machine. The machine is this one, in namespaces of its own that a stand-in for Vagrant starts:
so the lab in it, its packets and its captures are real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli import tasks as labs
from srv6lab.errors import MachineError, UsageError
from srv6lab.evidence.verdict import Status
from srv6lab.live import lifecycle
from srv6lab.live.instance import Instance, Reference
from srv6lab.live.lifecycle import with_box
from srv6lab.providers import registry
from srv6lab.providers.registry import provider_of
from srv6lab.render.files import write
from srv6lab.render.vagrant import SINGLE_VM, single_vm
from tests.conftest import SITE, need_root, silent, tool
from tests.small import planned
from tests.test_vagrantfile import understood
from tests.vagrant.told import Told

PROVIDER = "virtualbox-single-vm"
# Where the machine keeps what it is given, and a Python that has what its box has.
MACHINE = """
set -eu
for place in /usr/local/lib /usr/local/sbin /var/lib /run; do mount -t tmpfs tmpfs "$place"; done
printf '#!/bin/sh\\nexec %s "$@"\\n' "$1" >/usr/local/sbin/python3
chmod +x /usr/local/sbin/python3
ip link set dev lo up
echo here
exec sleep infinity
"""


@pytest.fixture
def machine(told: Told) -> Iterator[Told]:
    """A lab without FRR, and a machine for it that is off."""
    need_root()
    own = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    popen = subprocess.Popen(
        [*own, "sh", "-c", MACHINE, "sh", sys.executable], stdout=subprocess.PIPE, text=True
    )
    assert popen.stdout and popen.stdout.readline() == "here\n"
    pid = int(Path(f"/proc/{popen.pid}/task/{popen.pid}/children").read_text())
    told.write("machines", [SINGLE_VM])
    told.write("pids", {SINGLE_VM: pid})
    plan = next(plan for plan in SITE.plans() if not any(one.routing for one in plan.nodes))
    reference = SITE.refer(plan.name)
    yield replace(told, plan=plan, reference=Reference(reference.path, "small"))
    popen.kill()  # its child goes with it
    popen.communicate()


def running(told: Told) -> Instance:
    state = told.home.read()
    assert state
    return Instance(told.home, state, provider_of(state))


def test_a_lab_in_one_machine_is_graded_mended_and_taken_away(machine: Told) -> None:
    said: list[str] = []
    state = machine.up(said, provider=PROVIDER)
    assert (state.phase, state.box) == ("ready", "srv6lab/debian13")
    assert machine.read("running") == [SINGLE_VM]
    one = running(machine)
    verdicts = labs.check(one, machine.plan, [machine.plan.exercises[0].name], silent)
    assert [verdict.status for verdict in verdicts] == [Status.PASS]
    assert all(entry.alive for entry in one.status())

    node = one.nodes()[0]
    hostile = "a b'c\"d$(id)`id`;|&\n*"
    told = one.exec(node, ["sh", "-c", 'printf %s "$1"; exit 7', "x", hostile])
    assert (told.exit_code, told.stdout) == (7, hostile)

    lifecycle.halt(one, silent)
    dead = {entry.name for entry in one.status() if not entry.alive}
    assert dead == {SINGLE_VM, *one.nodes()}
    machine.up(said, provider=PROVIDER)
    one = running(machine)
    assert "bringing back the machine" in said and all(entry.alive for entry in one.status())

    pid = one.state.provider_data["within"]["nodes"][node][0]
    kill = ["nsenter", "--target", str(machine_pid(machine)), "--pid", "--mount", "kill", "-9", str(pid)]
    subprocess.run(kill, check=True)
    with pytest.raises(MachineError, match=f"node {node} isn't running"):
        one.exec(node, ["true"])
    assert node in {entry.name for entry in one.status() if not entry.alive}
    machine.up(provider=PROVIDER)
    assert all(entry.alive for entry in running(machine).status())

    assert lifecycle.destroy(machine.home, purge=True)
    assert not machine.home.path.exists()


def machine_pid(told: Told) -> int:
    return int(json.loads((told.folder / "pids.json").read_text())[SINGLE_VM])


def test_a_day0_that_fails_in_the_machine_is_told_and_goes_on(machine: Told) -> None:
    """Here the machine lacks a tool that the lab needs."""
    enter = ["nsenter", "--target", str(machine_pid(machine)), "--mount", "sh", "-c"]
    subprocess.run([*enter, "printf 'exit 1' >/usr/local/sbin/ip; chmod +x /usr/local/sbin/ip"], check=True)
    with pytest.raises(MachineError) as caught:
        machine.up(provider=PROVIDER)
    assert "links can't be made" in str(caught.value) or "tracers" in str(caught.value)
    state = machine.home.read()
    assert state and state.phase == "starting" and machine.read("running") == [SINGLE_VM]
    subprocess.run([*enter, "rm /usr/local/sbin/ip"], check=True)
    assert machine.up(provider=PROVIDER).phase == "ready"


def test_one_machine_is_for_providers_that_make_machines(machine: Told) -> None:
    with pytest.raises(UsageError, match="netns makes no machines"):
        registry.choose_provider(machine.home, "", single_vm=True)
    assert (
        registry.choose_provider(machine.home, "libvirt", single_vm=True).record.name == "libvirt-single-vm"
    )
    with pytest.raises(UsageError, match="has the kernel of its box"):
        registry.choose_provider(machine.home, "", os.uname().release, single_vm=True)


def test_vagrant_understands_the_machine_and_the_shell_what_readies_it(tmp_path: Path) -> None:
    plan = with_box(planned(), "a/b")
    write(single_vm(plan), tmp_path)
    machines = understood([tmp_path], tmp_path / "home")[tmp_path]
    assert list(machines) == [SINGLE_VM] and (
        machines[SINGLE_VM]["box"],
        machines[SINGLE_VM]["networks"],
    ) == ("a/b", [])
    script = tmp_path / "day0" / f"{SINGLE_VM}.sh"
    assert [one["path"] for one in machines[SINGLE_VM]["provisioners"]] == [str(script)]
    assert {f"{machine.name}.sh" for machine in plan.nodes} < {path.name for path in script.parent.iterdir()}
    done = subprocess.run([tool("shellcheck"), script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


READY = """
mount -t tmpfs tmpfs /var/log
cd "$1"
for name in ip ping tcpdump nft iptables; do ln -s /bin/true "$name"; done
printf '#!/bin/sh\necho "$*"; exit 100\n' >apt-get
printf '#!/bin/sh\nexec %s "$@"\n' "$3" >python3
chmod +x apt-get python3
[ -z "$4" ] || ln -s /bin/true "$4"
PATH=$PWD exec /bin/bash "$2"
"""


@pytest.mark.parametrize(
    ("python", "have", "said"),
    [
        (sys.executable, "suricata", ""),
        (sys.executable, "", "the machine lacks suricata, and its archive does not give them"),
        ("/bin/false", "suricata", "the machine lacks python3-pydantic python3-yaml, and its archive"),
    ],
)
def test_what_the_machine_lacks_is_told(python: str, have: str, said: str, tmp_path: Path) -> None:
    write(single_vm(planned()), tmp_path)
    script, programs = tmp_path / "day0" / f"{SINGLE_VM}.sh", tmp_path / "bin"
    programs.mkdir()
    words = ["unshare", "--mount", "sh", "-c", READY, "sh", programs, script, python, have]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == (1 if said else 0) and said in done.stderr, done.stderr
