"""`invoke doctor` and `invoke behaviors` as a person types them."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from srv6lab.doctor.findings import State
from srv6lab.doctor.probes import probes
from srv6lab.host.packages import listed
from tests.conftest import LABS, REPOSITORY, need_root, some_labs, tool
from tests.in_process import Typed
from tests.machine import anybodys_python, site_packages

NAME = LABS[0]
Done = subprocess.CompletedProcess[str]


def run(*words: str, **env: str) -> Done:
    need_root()
    command = [sys.executable, "-m", "invoke", *words]
    everywhere = {**os.environ, **env}
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, env=everywhere)


def path_of(folder: Path, *without: str, **scripts: str) -> str:
    """A PATH with what labs use, without some of it, and with scripts in the place of others."""
    folder.mkdir()
    names = {tool.how for tool in listed() if "/" not in tool.how and ":" not in tool.how}
    for name in {*names, "env", "sh", "cat", "setpriv", "mount"} - {*without, *scripts}:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_this_machine_can_run_labs() -> None:
    """It can, since it runs these tests."""
    done = run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("netns: this machine has all that is needed\n")
    assert "MISS" not in done.stdout
    for probe in probes():
        assert f" {probe.name} " in done.stdout


@pytest.mark.parametrize("name", some_labs())
def test_a_lab_that_runs_here_is_0(name: str) -> None:
    done = run("doctor", f"lab={name}", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["schema"], found["provider"], found["lab"], found["works"]) == (1, "netns", name, True)
    assert found["labs"] == [{"name": name, "runs": True, "lacks": []}]
    names = [one["name"] for one in found["findings"]]
    assert len(set(names)) == len(names)
    assert {probe.name for probe in probes()} <= set(names)
    for one in found["findings"]:
        assert set(one) == {"area", "name", "state", "found", "purpose", "mend", "needed"}
        assert one["state"] in list(State)
        assert one["state"] == "ok" or one["mend"]


def test_without_a_tool_that_every_lab_needs_it_is_3(tmp_path: Path) -> None:
    done = run("doctor", PATH=path_of(tmp_path / "bin", "tshark"))
    assert done.returncode == 3
    assert "  MISS  tshark " in done.stdout
    assert done.stdout.endswith("netns: this machine lacks tshark\n")
    assert f"  -     {NAME}: lacks tshark (every check)\n" in done.stdout


def test_a_tool_that_only_a_lab_needs_counts_when_that_lab_is_named(tmp_path: Path) -> None:
    topology = tmp_path / "topology.yml"
    topology.write_text(SENSOR)
    (tmp_path / "all.rules").write_text('alert icmp any any -> any any (msg:"any"; sid:1;)\n')
    path = path_of(tmp_path / "bin", "suricata", "snort")
    plain = run("doctor", PATH=path)
    assert plain.returncode == 0
    assert "  -     suricata " in plain.stdout
    asked = run("doctor", f"lab={topology}", PATH=path)
    assert asked.returncode == 3
    assert "  MISS  suricata " in asked.stdout
    assert "sensor: lacks snort or suricata (service ids on gate)" in asked.stdout


SENSOR = """\
name: sensor
nodes:
  west: {role: host}
  gate: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/64"}
links:
  - {name: cable, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "gate:eth1"]}
services:
  ids: {node: gate, engine: auto, rules: all.rules, listen: eth1}
"""


@pytest.mark.parametrize(("version", "code"), [("7.0.26r168464", 0), ("7.1.4r165100", 3)])
def test_virtualbox_by_what_its_programs_say(tmp_path: Path, version: str, code: int) -> None:
    path = path_of(tmp_path / "bin", vagrant="echo Vagrant 2.3.4", VBoxManage=f"echo {version}")
    done = run("doctor", "--provider", "virtualbox", PATH=path)
    assert done.returncode == (code if platform.machine() == "x86_64" else 3)
    assert ("Vagrant from 2.4.2 on drives VirtualBox 7.1" in done.stdout) == bool(code)


def test_libvirt_by_what_its_programs_say(tmp_path: Path) -> None:
    vagrant = 'case $1 in plugin) echo "vagrant-libvirt (0.11.2, system)" ;; *) echo Vagrant 2.3.4 ;; esac'
    path = path_of(
        tmp_path / "bin",
        vagrant=vagrant,
        virsh="echo Using library: libvirt 9.0.0",
        **{"qemu-system-x86_64": "echo QEMU emulator version 7.2.22"},
    )
    done = run("doctor", "--provider", "libvirt", PATH=path)
    assert done.returncode == (0 if platform.machine() == "x86_64" else 3), done.stdout
    refused = path_of(tmp_path / "other", vagrant=vagrant, virsh="echo error: no such socket >&2; exit 1")
    done = run("doctor", "--provider", "libvirt", PATH=refused)
    assert done.returncode == 3
    assert "said: no such socket" in done.stdout


def test_a_wrong_file_is_2(tmp_path: Path, typed: Typed) -> None:
    path = tmp_path / "topology.yml"
    path.write_text("name: 7\n")
    done = typed("doctor", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}:1:7" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("doctor", "--provider", "vmware"), "there are: netns, virtualbox, libvirt"),
        (("doctor", "--format", "yaml"), "there are: text, json"),
        (("doctor", f"{NAME}x"), f"did you mean `{NAME}`?"),
        (("doctor", "provider=vmware"), "there are: netns, virtualbox, libvirt"),
        (("behaviors", "End.DX5"), "did you mean"),
        (("behaviors", "--format", "yaml"), "there are: text, json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_word_is_1(words: tuple[str, ...], said: str, typed: Typed) -> None:
    done = typed(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_ordinary_user_gets_an_answer() -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    path = os.pathsep.join([str(REPOSITORY), *site_packages()])
    environment = {**os.environ, "HOME": "/nonexistent", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*nobody, anybodys_python(), "-m", "invoke", "doctor"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "mend: run the same command with sudo; or add --kernel" in done.stdout
    assert done.stdout.endswith("netns: this machine has all that is needed\n")


def test_behaviors_are_listed_and_shown(typed: Typed) -> None:
    assert typed("behaviors").stdout.startswith("behavior ")
    assert typed("behaviors", "End.X").stdout.startswith("End.X\n")
    (one,) = json.loads(typed("behaviors", "end.dx4", "--format", "json").stdout)["behaviors"]
    assert one["name"] == "End.DX4"


def test_the_programs_that_tests_take_away_are_here() -> None:
    """Else their absence would prove nothing."""
    assert tool("tshark") and tool("suricata")
