"""The proxy on other kernels, each a Debian's own in an emulated machine with this machine's userland; and
once on arm64, with Debian's own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from srv6lab.images.kernel import SUITES, Kernel, fetch
from srv6lab.providers.vm.boot import booted
from srv6lab.providers.vm.machine import Machine, native
from tests.conftest import REPOSITORY, silent, tool

_ARM64 = (
    "base-files",
    "coreutils",
    "dash",
    "grep",
    "iproute2",
    "iputils-ping",
    "kmod",
    "python3",
    "sed",
    "util-linux",
)


def judge(said: str, kernel: Kernel, machine: str) -> None:
    """Three requests and three replies crossed the proxy, and it left nothing behind."""
    found = json.loads(said)
    assert found["received"] == 3, found["ping"]
    assert {name: packets for name, (packets, _) in found["counters"].items()} == {
        "entered": 6,
        "returned": 6,
    }
    assert (found["kernel"], found["architecture"], found["left"]) == (kernel.release, machine, [])


@pytest.mark.prove
@pytest.mark.parametrize("version", SUITES)
def test_a_ping_crosses_the_proxy(version: str) -> None:
    kernel = fetch(version, native(), silent)
    with booted(Machine(kernel), silent) as vm:
        script = f"cd {REPOSITORY} && exec /usr/bin/python3 -m tests.srconf.elsewhere"
        done = vm.run(["sh", "-c", script], timeout=600)
    assert done.exit_code == 0, done.stderr
    judge(done.stdout, kernel, "x86_64" if native() == "amd64" else "aarch64")


@pytest.fixture
def arm64_root(tmp_path: Path) -> Path:
    """A Debian of that architecture, unpacked: nothing of it runs here."""
    suite = SUITES["6.12"]
    words = [str(REPOSITORY / "scripts/apt-suite"), "--family", _codename(), suite]
    sources = tmp_path / "suite.sources"
    sources.write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
    options = ["--mode=root", "--variant=extract", "--architectures=arm64", f"--include={','.join(_ARM64)}"]
    root = tmp_path / "root"
    command = [tool("mmdebstrap"), *options, suite, str(root), str(sources)]
    subprocess.run(command, check=True, capture_output=True)
    return root


def _codename() -> str:
    (line,) = (
        line
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("VERSION_CODENAME")
    )
    return line.partition("=")[2].strip('"')


@pytest.mark.prove
def test_a_ping_crosses_the_proxy_on_arm64(arm64_root: Path, tmp_path: Path) -> None:
    kernel = fetch("6.12", "arm64", silent)
    proof = tmp_path / "proof"
    for folder in ("srv6lab/srconf", "tests/srconf"):
        shutil.copytree(REPOSITORY / folder, proof / folder)
    machine = Machine(kernel, root=arm64_root, python="/usr/bin/python3", shares={proof: "/proof"})
    with booted(machine, silent) as vm:
        script = "cd /proof && exec python3 -m tests.srconf.elsewhere"
        done = vm.run(["sh", "-c", script], timeout=600)
    assert done.exit_code == 0, done.stderr
    judge(done.stdout, kernel, "aarch64")
