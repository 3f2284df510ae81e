"""Labs under another kernel: the same tasks, the same verdicts, and no trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check, collect, run_here
from srv6lab.errors import MachineError, UsageError
from srv6lab.evidence.verdict import Status
from srv6lab.images.kernel import fetch
from srv6lab.live.instance import Reference
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.nodes import Plan
from srv6lab.providers.registry import KERNELS, choose_provider, provider_named
from srv6lab.providers.state import Home
from srv6lab.providers.vm.machine import native
from srv6lab.srv6.flavors import flavored
from tests.conftest import LABS, REPOSITORY, SITE, Up, bring, need_root, silent
from tests.machine import settles
from tests.small import SMALL

pytestmark = pytest.mark.prove  # every machine here is emulated where KVM doesn't work
KERNEL = "6.12"
EXERCISE = """\
exercises:
  - name: across
    probes: [{id: echo, from: west, to: east, icmp: 3}]
    expect:
      packets:
        - {at: "gate:eth2", direction: out, probe: echo, destination: "fc00:b::e", segment_list: ["fc00:b::d4", "fc00:b::e"], segments_left: 1, inner: {source: 10.0.1.1, destination: 10.0.2.1, protocol: icmp}, count: 3}
        - {at: "east:eth1", direction: in, probe: echo, source: 10.0.1.1, destination: 10.0.2.1, protocol: icmp, count: 3}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Four nodes in a micro-VM."""
    need_root()
    folder = tmp_path_factory.mktemp("small")
    (folder / "topology.yml").write_text(SMALL.partition("exercises:")[0] + EXERCISE)
    reference = Reference(folder / "topology.yml", "small")
    plan, _ = SITE.load(reference)
    home = Home(folder / ".srv6lab" / "small")
    yield bring(home, plan, reference, f"microvm:{KERNEL}")
    destroy(home, purge=True)
    assert not home.path.exists()


def test_its_nodes_run_the_kernel_that_was_asked_for(small: Up) -> None:
    release = fetch(KERNEL, native(), silent).release
    assert small.sh("gate", "uname -r").strip() == release != os.uname().release
    found = {(one.kind, one.name): one.alive for one in small.running.status()}
    assert found[("kernel", release)]
    assert {name for kind, name in found if kind == "node"} == {"west", "gate", "exit", "east"}
    assert len([name for kind, name in found if kind == "tracer"]) == 6
    assert all(found.values())


def test_its_exercise_passes(small: Up) -> None:
    (verdict,) = check(small.running, small.plan, ["across"], silent)
    assert verdict.status is Status.PASS, verdict


def test_a_fault_in_it_is_seen(small: Up) -> None:
    small.sh("exit", "ip -6 route del fc00:b::d4")
    try:
        (verdict,) = check(small.running, small.plan, ["across"], silent)
        assert verdict.status is Status.FAIL
    finally:
        small.again()
    (verdict,) = check(small.running, small.plan, ["across"], silent)
    assert verdict.status is Status.PASS, "up has mended it"


def test_captures_are_whole(small: Up, tmp_path: Path) -> None:
    paths = collect(small.running, tmp_path / "out")
    assert {path.name for path in paths} == {
        *("WEST-eth1.pcap".lower(), "gate-eth1.pcap", "middle.pcap"),
        *("exit-eth2.pcap", "exit-eth1.pcap", "east-eth1.pcap"),
    }
    assert all(path.stat().st_size > 24 for path in paths)


def test_a_command_on_this_terminal_has_its_own_code(small: Up) -> None:
    assert run_here(small.running, "west", ["sh", "-c", "exit 9"]) == 9


def test_a_dead_node_is_no_failed_command(small: Up) -> None:
    """Its PID in the machine is gone: the state names one that never was."""
    data = dict(small.running.state.provider_data)
    pid, start = data["inside"]["nodes"]["west"]
    for wrong in ([pid, start + 1], [4_000_000, start]):
        inside = {**data["inside"], "nodes": {**data["inside"]["nodes"], "west": wrong}}
        state = replace(small.running.state, provider_data={**data, "inside": inside})
        with pytest.raises(MachineError, match="node west isn't running"):
            replace(small.running, state=state).exec("west", ["true"])
        dead = [one.name for one in replace(small.running, state=state).status() if not one.alive]
        assert dead == ["west"]


def test_an_exit_code_of_125_is_a_command_s_own(small: Up) -> None:
    done = small.running.exec("west", ["sh", "-c", "echo no >&2; exit 125"])
    assert (done.exit_code, done.stderr) == (125, "no\n")


def test_a_command_has_ten_times_the_time(small: Up) -> None:
    """What waits for it counts on this machine's speed, and an emulated one is slower."""
    assert small.running.exec("west", ["sleep", "4"], 3).exit_code == 0
    with pytest.raises(MachineError, match=r"no answer in 1 s: sleep 60"):
        small.running.exec("west", ["sleep", "60"], 0.1)


def test_another_provider_is_refused_while_it_is_up(small: Up) -> None:
    with pytest.raises(UsageError, match=f"is up under microvm:{KERNEL}"):
        bring(small.running.home, small.plan, small.reference, "netns")


def test_nothing_of_the_lab_is_on_this_machine_s_kernel(small: Up) -> None:
    """Its processes live in the machine: outside is one qemu below one keeper."""
    data = small.running.state.provider_data
    kept = [
        path.name
        for path in Path("/proc").glob("[0-9]*")
        if _namespace(path) == _namespace(Path(f"/proc/{data['machine'][0]}"))
    ]
    assert sorted(map(int, kept)) == sorted([data["keeper"][0], data["machine"][0]])


def _namespace(path: Path) -> str:
    try:
        return str((path / "ns/pid").readlink())
    except OSError:
        return ""


def test_a_machine_that_died_is_seen_and_built_anew(small: Up) -> None:
    """Last, since it is another machine afterwards."""
    os.kill(small.running.state.provider_data["machine"][0], signal.SIGKILL)
    assert settles(lambda: not any(one.alive for one in small.running.status()))
    with pytest.raises(MachineError, match="node west isn't running"):
        small.running.exec("west", ["true"])
    assert all(one.alive for one in small.again().running.status())


def test_a_kernel_is_asked_of_the_micro_vm_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    assert choose_provider(home, "", KERNEL).record.name == f"microvm:{KERNEL}"
    assert choose_provider(home, "microvm", KERNEL).record.name == f"microvm:{KERNEL}"
    with pytest.raises(UsageError, match="netns runs on no kernel of your choice"):
        choose_provider(home, "netns", KERNEL)


@pytest.mark.parametrize("name", ["microvm", "microvm:", "microvm:6.13", "microvm:../x"])
def test_an_unknown_kernel_names_those_there_are(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        provider_named(name)
    assert ", ".join(KERNELS) in caught.value.mend


def planned(name: str) -> Plan:
    return SITE.load(SITE.refer(name))[0]


def instance_name() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


def task(word: str, name: str, instance: str, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "invoke", word, f"lab={name}", "--instance", instance, *words]
    return subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_up_that_is_cut_short_leaves_nothing(number: signal.Signals) -> None:
    """While the machine boots, which is known by qemu's log."""
    instance = instance_name()
    home = Home(REPOSITORY / ".srv6lab" / instance)
    argv = [sys.executable, "-m", "invoke", "up", LABS[0], "--instance", instance, "--kernel", KERNEL]
    popen = subprocess.Popen(argv, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True)
    log = home.machine / "qemu.log"
    assert settles(log.exists, 60)
    running = _holding(home.path / "alive")
    assert len(running) > 1, "a keeper, and a qemu at least"
    os.killpg(popen.pid, number)
    _, said = popen.communicate(timeout=60)
    assert "Traceback" not in said
    assert task("destroy", LABS[0], instance).returncode == 0
    assert not _holding(home.path / "alive")
    assert not any(Path(f"/proc/{pid}").exists() for pid in running)
    assert not home.path.exists()


def _holding(path: Path) -> list[int]:
    """The processes that have a file open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if link.readlink() == path:
                found.append(int(link.parts[2]))
        except OSError:
            continue
    return found


def cases() -> Iterator[tuple[str, str]]:
    """Every lab on one kernel; those with services on an older one, too, if it has all of their flavors."""
    for name in LABS:
        yield name, KERNEL
        found = planned(name)
        if any(machine.services for machine in found.nodes) and newest_flavor(found) <= (6, 1):
            yield name, "6.1"


def newest_flavor(found: Plan) -> tuple[int, int]:
    """The first Linux that has every SID of a lab with its flavors."""
    sids = [sid for machine in found.nodes for sid in machine.local_sids]
    wanted = {(sid.behavior.name, frozenset(sid.flavors)) for sid in sids}
    kernels = [
        one.kernel_since
        for name, flavors in wanted
        for one in flavored(name)
        if frozenset(one.flavors) == flavors and one.kernel_since
    ]
    return max(kernels, default=(4, 14))


@pytest.mark.prove
@pytest.mark.parametrize(("name", "kernel"), list(cases()))
def test_every_lab_passes_under_other_kernels(name: str, kernel: str) -> None:
    """As a user types it."""
    instance = instance_name()
    try:
        done = task("up", name, instance, "--kernel", kernel)
        assert done.returncode == 0, done.stderr
        done = task("check", name, instance, "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert {one["status"] for one in json.loads(done.stdout)} == {"pass"}
    finally:
        assert task("destroy", name, instance, "--purge").returncode == 0
    assert not (REPOSITORY / ".srv6lab" / instance).exists()


def test_vpns_are_the_kernel_s_own_there_and_strict_mode_off_is_named() -> None:
    """Where the kernel has VRFs, End.DT4 is bound only with strict mode; off, FRR can't bind it anew."""
    name = next(name for name in LABS if any(one.routing and one.routing.vrfs for one in planned(name).nodes))
    found, reference = planned(name), SITE.refer(name)
    home = SITE.home(reference, instance_name())
    try:
        one = bring(home, found, reference, f"microvm:{KERNEL}")
        names = [exercise.name for exercise in found.exercises]
        assert {verdict.status for verdict in check(one.running, found, names, silent)} == {Status.PASS}
        node, vrf = next(
            (machine.name, vrf)
            for machine in reversed(found.nodes)
            if machine.routing
            for vrf in machine.routing.vrfs
        )
        route = f"ip -6 route show {vrf.sid}"
        assert "End.DT4 vrftable" in one.sh(node, route)
        one.sh(
            node,
            f"echo 0 >/proc/sys/net/vrf/strict_mode; set -- $({route}); ip nexthop del id $3; sleep 2; ! {route} | grep .",
        )
        (verdict,) = check(one.running, found, names[:1], silent)
        assert [(x.cause, x.node, x.proven) for x in verdict.suspects] == [("vrf-strict-mode", node, True)]
    finally:
        destroy(home, purge=True)
