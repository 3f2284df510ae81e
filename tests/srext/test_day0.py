"""SREXT by our own Day0: fetched, changed, built and loaded in a machine with Debian 12's kernel, which is emulated, and
an exercise judged with it. SREXT=FOLDER is a clone to take it from; else it comes from where Day0 fetches it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srv6lab.images.kernel import fetch
from srv6lab.live import send
from srv6lab.plan.nodes import Plan
from srv6lab.providers.vm.boot import booted
from srv6lab.providers.vm.machine import Machine, native
from srv6lab.render.apply import changes_of
from srv6lab.render.vagrant import vagrant
from tests.conftest import LABS, REPOSITORY, SITE, silent
from tests.userland import userland

HERE = Path(__file__).parent
KERNEL, SUITE = "6.1", "bookworm"
TOOLS = (
    "git",
    "make",
    "gcc",
    "libc6-dev",
    "kmod",
    "tcpdump",
    "nftables",
    "iptables",
    f"linux-headers-{native()}",
)
PATIENCE = 1800.0  # seconds for all that happens in the machine, under emulation


def lab_of_srext() -> Plan:
    """The first lab of the course whose proxies are all of the one kind that SREXT is offered for."""
    for name in LABS:
        plan, _ = SITE.load(SITE.refer(name))
        kinds = {proxy.behavior.name for node in plan.nodes for proxy in node.proxies}
        if kinds == {"End.AD4"}:
            return plan
    raise AssertionError("no lab has an End.AD4")


def words(plan: Plan, proxy: str, exercise: str) -> Iterator[str]:
    """What lab.sh reads: the nodes, and functions that wire them, change them, trace and probe."""
    nics = {nic.point: nic for nic in plan.nics()}
    place = {node.name: f"netns {node.name if node.name != proxy else 1}" for node in plan.nodes}  # 1: a PID
    yield f"PROXY={proxy}"
    yield f"OTHERS={shlex.quote(' '.join(node for node in place if node != proxy))}"
    yield "cables() {"
    for nic in nics.values():
        other = nics[nic.peer]
        if nic.point < other.point:
            near = f"name {nic.name} address {nic.mac} mtu {nic.mtu} {place[nic.point.node]}"
            far = f"name {other.name} address {other.mac} mtu {other.mtu} {place[other.point.node]}"
            yield f"  ip -n wires link add {near} type veth peer {far}"
    yield "}\napply() {"
    _, asked = plan.exercise(exercise)
    for action in asked.apply:
        for change in changes_of(plan, action):
            yield f"  within {change.node} bash -euo pipefail -c {shlex.quote(change.do)}"
    yield "}\ntraces() {"
    for nic in plan.traced():
        point = nic.point
        yield f"  trace {point.node} {shlex.quote(point.netns or '')} {point.nic} {nic.trace}"
    yield "}\nprobe() {"
    for number, one in enumerate(asked.probes):
        ping = send.command(plan.target(one), one, f"5e{number:030x}", patience=10)
        yield f"  within {one.source} {shlex.join(ping)} >&2 || true"
    yield "}"


def write(plan: Plan, exercise: str, folder: Path, mirror: str) -> str:
    proxy = next(node.name for node in plan.nodes if node.proxies)
    for path, content in vagrant(plan).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "nodes").write_text("\n".join(words(plan, proxy, exercise)) + "\n")
    shutil.copy(HERE / "lab.sh", folder)
    if mirror:
        subprocess.run(["git", "clone", "--quiet", "--bare", mirror, folder / "mirror"], check=True)
    return proxy


@pytest.mark.prove
@pytest.mark.parametrize("served", ["SREXT", "srconf on eBPF"])
def test_the_proxy_that_day0_installs_serves(
    served: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """With a network SREXT; without one srconf, and Day0 says why. The walk is the same."""
    plan = lab_of_srext()
    exercise = next(one.name for one in plan.exercises if one.apply and one.probes)
    proof = tmp_path / "proof"
    proof.mkdir()
    write(plan, exercise, proof, os.environ.get("SREXT", "") if served == "SREXT" else "")
    kernel = fetch(KERNEL, native(), silent)
    root, start = userland(SUITE, TOOLS), time.monotonic()
    machine = Machine(kernel, root=root, python="/usr/bin/python3", shares={proof: "/proof"})
    with booted(machine, silent) as vm:
        done = vm.run(["bash", "/proof/lab.sh", "/proof"], timeout=PATIENCE)
    log = proof / "srext.log"
    assert done.exit_code == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    assert (proof / "proxy").read_text().strip() == served, done.stdout
    if served != "SREXT":
        assert "SREXT cannot be fetched" in done.stdout
    record_property("kernel", kernel.release)
    record_property("seconds_in_the_machine", round(time.monotonic() - start))
    check = ["check", f"lab={plan.name}", "--exercise", exercise, "--captures", str(proof / "captures"), "-v"]
    judged = subprocess.run(
        [sys.executable, "-m", "invoke", *check], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
