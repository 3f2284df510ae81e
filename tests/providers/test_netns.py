"""The namespace provider: isolation, side by side, again and again, and no trace."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.errors import MachineError, NodeError, UsageError
from srv6lab.evidence.verdict import Status
from srv6lab.live.lifecycle import destroy
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedRoute
from srv6lab.providers.process import Process
from srv6lab.providers.state import Home
from tests.conftest import INVOKE, LABS, REPOSITORY, SITE, Up, bring, invoke, need_root, silent, some_labs
from tests.machine import marked, nothing_left, settles
from tests.small import SMALL

NAME = LABS[0]
REFERENCE = SITE.refer(NAME)


def fresh_home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".srv6lab" / f"test-{uuid.uuid4().hex[:12]}")


def loaded() -> Plan:
    return SITE.load(REFERENCE)[0]


def test_in_a_container_that_may_not_do_it_up_says_what_it_needs(tmp_path: Path) -> None:
    """As root of a container without capabilities of its own: one error, in no traceback, and nothing is up."""
    without = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    words = [
        *without,
        sys.executable,
        "-m",
        "invoke",
        "up",
        NAME,
        "--instance",
        f"test-{uuid.uuid4().hex[:12]}",
    ]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "error: the nodes can't be started: PermissionError" in done.stderr
    assert done.stderr.rstrip().endswith(
        "--cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW --cap-add BPF"
    )


@pytest.mark.parametrize("name", some_labs())
def test_up_and_destroy_leave_nothing(name: str, tmp_path: Path) -> None:
    home = fresh_home(tmp_path)
    reference = SITE.refer(name)
    found, _ = SITE.load(reference)
    with nothing_left() as mark:
        bring(home, found, reference)
        assert len(marked(mark)) > len(found.nodes), "the test can't see the lab's processes"
        assert destroy(home)
    assert not home.path.exists()
    assert not home.path.parent.exists()
    assert not destroy(home), "destroying twice has nothing to do"


def test_destroy_needs_no_topology(tmp_path: Path) -> None:
    folder = tmp_path / "labs" / "gone"
    shutil.copytree(REFERENCE.path.parent, folder)
    reference = SITE.refer(str(folder / "topology.yml"))
    home = fresh_home(tmp_path)
    with nothing_left():
        bring(home, SITE.load(reference)[0], reference)
        shutil.rmtree(folder)
        assert destroy(home)


def test_destroy_keeps_results_unless_purged(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    check(lab.running, lab.plan, [lab.plan.exercises[0].name], silent)
    home = lab.running.home
    destroy(home)
    assert [entry.name for entry in home.path.iterdir()] == ["runs"]
    destroy(home, purge=True)
    assert not home.path.exists()


def test_nodes_are_machines_of_their_own(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    node, other = (machine.name for machine in lab.plan.nodes[:2])
    word = uuid.uuid4().hex
    lab.sh(
        node, f"echo {word} >/etc/{word}; mkdir /root/{word}; ip netns add {word}; echo {word} >/tmp/{word}"
    )
    lab.sh(node, f"echo {word} >/run/{word}; echo {word} >/dev/shm/{word}; rm /dev/null; hostname {word}")
    assert word in lab.sh(node, "ip netns list; hostname")
    for place in ("/etc", "/root", "/tmp", "/run", "/dev/shm", "/run/netns"):
        assert not Path(place, word).exists()
    assert Path("/dev/null").is_char_device()
    assert word not in lab.sh(other, "ls /etc /tmp /run /dev/shm; hostname; ip netns list")
    assert lab.sh(other, "hostname").strip() == other
    assert "1: lo" in lab.sh(node, f"ip netns exec {word} ip link")
    assert len(lab.sh(node, "ps -e -o pid=").split()) < 10, "a node sees its own processes only"


def test_a_node_cannot_set_what_belongs_to_the_host(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    node = lab.plan.nodes[0].name
    before = Path("/proc/sys/kernel/panic").read_text()
    assert "1" in lab.sh(node, "echo 77 >/proc/sys/kernel/panic; echo $?")
    assert Path("/proc/sys/kernel/panic").read_text() == before
    lab.sh(node, "echo 1 >/proc/sys/net/ipv4/ip_forward")


def test_daemons_die_with_the_lab_and_zombies_are_reaped(tmp_path: Path) -> None:
    home = fresh_home(tmp_path)
    with nothing_left() as mark:
        found = loaded()
        lab = bring(home, found, REFERENCE)
        node = found.nodes[0].name
        lab.sh(node, "setsid sleep 31536000 >/dev/null 2>&1 & sleep 0.1 & sh -c 'sleep 0.1 &'")
        assert any("sleep 31536000" in line for line in marked(mark))
        assert settles(lambda: "defunct" not in lab.sh(node, "ps -e"))
        destroy(home)


def test_labs_run_side_by_side(bring_up: Callable[[str], Up]) -> None:
    first, second = bring_up(NAME), bring_up(NAME)
    exercise = [first.plan.exercises[0].name]
    node = first.plan.nodes[0].name
    nic = first.plan.nodes[0].nics[0].name
    first.sh(node, f"ip link set {nic} down")
    (broken,) = check(first.running, first.plan, exercise, silent)
    (whole,) = check(second.running, second.plan, exercise, silent)
    assert (broken.status, whole.status) == (Status.FAIL, Status.PASS)
    destroy(first.running.home)
    (whole,) = check(second.running, second.plan, exercise, silent)
    assert whole.status is Status.PASS


def test_day0_is_safe_to_run_again(lab: Up) -> None:
    names = [exercise.name for exercise in lab.plan.exercises]
    describe = "ip -6 route; ip route; ip address | grep -v valid_lft; ip rule"
    before = [lab.sh(machine.name, describe) for machine in lab.plan.nodes]
    for machine in lab.plan.nodes:
        lab.sh(machine.name, "bash /run/day0.sh")
    assert [lab.sh(machine.name, describe) for machine in lab.plan.nodes] == before
    assert all(v.status is Status.PASS for v in check(lab.running, lab.plan, names, silent))


def test_nics_are_found_by_their_mac(bring_up: Callable[[str], Up]) -> None:
    """On other machines eth1 is called enp0s8."""
    lab = bring_up(NAME)
    for machine in lab.plan.nodes:
        for number, nic in enumerate(machine.nics):
            lab.sh(
                machine.name, f"ip link set {nic.name} down; ip link set {nic.name} name enp0s{7 + number}"
            )
            lab.sh(machine.name, f"ip address flush dev enp0s{7 + number}")
        lab.sh(machine.name, "bash /run/day0.sh")
    for probe in lab.plan.exercises[0].every_probe():
        lab.sh(probe.source, f"ping -c 1 -W 2 {lab.plan.target(probe)}")


def test_captures_begin_before_the_first_packet(bring_up: Callable[[str], Up]) -> None:
    """The first IPv6 packets of a NIC are its own neighbor and multicast reports."""
    lab = bring_up(NAME)
    for machine in lab.plan.nodes:
        for nic in machine.nics:
            if nic.address.version == 6:
                counter = f"cat /sys/class/net/{nic.name}/statistics/tx_packets"
                before = int(lab.sh(machine.name, counter))
                pcap = lab.running.home.captures / f"{nic.trace}.pcap"
                shown = subprocess.run(
                    ["tcpdump", "-r", pcap, "--count", "ether", "src", nic.mac],
                    capture_output=True,
                    text=True,
                ).stdout
                # Nodes speak up now and then, also while this is read.
                assert 0 < before <= int(shown.split()[0]) <= int(lab.sh(machine.name, counter)), nic


def test_up_names_the_node_the_line_and_the_reason(tmp_path: Path) -> None:
    home = fresh_home(tmp_path)
    found = loaded()
    broken = [
        _with_a_bad_route(machine) if index < 2 else machine for index, machine in enumerate(found.nodes)
    ]
    with nothing_left(), pytest.raises(NodeError) as caught:
        bring(home, replace(found, nodes=tuple(broken)), REFERENCE)
    for machine in broken[:2]:
        assert f"{machine.name}: Day0 failed" in str(caught.value)
    assert "day0/" in str(caught.value)
    assert "route replace 10.99.0.0/16 via 203.0.113.9" in str(caught.value)
    assert "Nexthop has invalid gateway" in str(caught.value)
    assert not home.path.exists()


def _with_a_bad_route(machine: PlannedNode) -> PlannedNode:
    bad = PlannedRoute(ip_network("10.99.0.0/16"), ip_address("203.0.113.9"), machine.nics[0].name)
    return replace(machine, routes=(bad,))


def test_a_change_that_the_kernel_refuses_is_told_and_finished_by_the_next_up(
    bring_up: Callable[[str], Up],
) -> None:
    lab = bring_up(NAME)
    changed = [_with_a_bad_route(lab.plan.nodes[0]), *lab.plan.nodes[1:]]
    with pytest.raises(NodeError, match=r"Nexthop has invalid gateway(?s:.*)is half changed"):
        bring(lab.running.home, replace(lab.plan, nodes=tuple(changed)), REFERENCE)
    lab = lab.again()
    assert all(one.alive for one in lab.running.status())


def test_up_mends_dead_tracers_and_rebuilds_a_dead_lab(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    data = lab.running.state.provider_data
    victim = next(iter(data["tracers"].values()))
    Process(*victim[1]).kill(signal.SIGKILL)
    assert not all(one.alive for one in lab.running.status())
    lab = lab.again()
    assert all(one.alive for one in lab.running.status())
    Process(*data["keeper"]).kill()
    with pytest.raises(MachineError, match="isn't running"):
        lab.running.exec(lab.plan.nodes[0].name, ["true"])
    lab = lab.again()
    (verdict,) = check(lab.running, lab.plan, [lab.plan.exercises[0].name], silent)
    assert verdict.status is Status.PASS


def test_another_process_with_a_reused_pid_is_left_alone(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    destroy(lab.running.home)
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        data = {**lab.running.state.provider_data, "keeper": [innocent.pid, 1]}
        lab.running.home.path.mkdir(parents=True)
        lab.running.home.write(replace(lab.running.state, provider_data=data))
        destroy(lab.running.home)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_one_command_at_a_time(bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(NAME)
    with lab.running.home.locked(), pytest.raises(UsageError, match="another command"):
        destroy(lab.running.home)
    assert all(one.alive for one in lab.running.status())


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match=r"(?s)not on this machine: .*tcpdump.*scripts/setup lab"):
        bring(fresh_home(tmp_path), loaded(), REFERENCE)


MOMENTS = [(signal.SIGINT, after) for after in (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)]
MOMENTS += [(signal.SIGTERM, 0.05), (signal.SIGTERM, 0.25), (signal.SIGHUP, 0.15)]


@pytest.mark.parametrize(("number", "after"), MOMENTS)
def test_interrupt_leaves_nothing_and_says_so(number: signal.Signals, after: float) -> None:
    """Ctrl-C `after` seconds into the work, or a signal that says so: the first line of progress is out by then. Twice,
    as timeout(1) does: cleaning up goes on."""
    instance = f"test-{uuid.uuid4().hex[:12]}"
    with nothing_left():
        popen = _begin_up(instance)
        assert popen.stdout
        assert "provider: " in popen.stdout.readline()
        time.sleep(after)
        os.killpg(popen.pid, number)
        if number != signal.SIGINT:
            time.sleep(0.02)
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGTERM)
        said, _ = popen.communicate(timeout=30)
        assert "Traceback" not in said, said
        done = f"{REFERENCE.name} is up. Next" in said
        if not done:
            assert popen.returncode == (1 if number == signal.SIGINT else 128 + number)
            assert "interrupted" in said
        if done or f"{instance} is up, but was not waited for" in said:
            assert invoke("destroy", REFERENCE.name, "--instance", instance).returncode == 0
    assert not (REPOSITORY / ".srv6lab" / instance).exists()


def _begin_up(instance: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "invoke", "up", REFERENCE.name, "--instance", instance],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _killed_up(moment: float, *, group: bool) -> None:
    """Start `up`, kill it after `moment` seconds, destroy, and look for what is left."""
    instance = f"test-{uuid.uuid4().hex[:12]}"
    with nothing_left():
        popen = _begin_up(instance)
        time.sleep(moment)
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(popen.pid, signal.SIGKILL)
        popen.communicate(timeout=30)
        assert invoke("destroy", REFERENCE.name, "--instance", instance).returncode == 0
    assert not (REPOSITORY / ".srv6lab" / instance).exists()


@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
def test_killed_up_is_cleaned_by_destroy(bring_up: Callable[[str], Up], group: bool) -> None:
    _kill_at_moments(bring_up, 2, group)


@pytest.mark.prove
@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
def test_killed_up_at_twenty_moments(bring_up: Callable[[str], Up], group: bool) -> None:
    _kill_at_moments(bring_up, 20, group)


def _kill_at_moments(bring_up: Callable[[str], Up], moments: int, group: bool) -> None:
    """SIGKILL at moments spread over all of `up`, beside a second lab that goes on working."""
    other = bring_up(NAME)
    began = time.monotonic()
    warm = f"test-{uuid.uuid4().hex[:12]}"
    assert invoke("up", NAME, "--instance", warm).returncode == 0
    whole = time.monotonic() - began
    invoke("destroy", NAME, "--instance", warm, "--purge")
    for number in range(1, moments + 1):
        moment = whole * number / (moments + 1)
        _killed_up(moment, group=group)
    (verdict,) = check(other.running, other.plan, [other.plan.exercises[0].name], silent)
    assert verdict.status is Status.PASS


@pytest.mark.prove
@pytest.mark.parametrize("name", some_labs())
def test_five_fresh_ups_and_fifteen_warm_checks(bring_up: Callable[[str], Up], name: str) -> None:
    for _ in range(5):
        lab = bring_up(name)
        assert _passes(lab)
    for _ in range(15):
        assert _passes(lab)


def _passes(lab: Up) -> bool:
    names = [exercise.name for exercise in lab.plan.exercises]
    return all(v.status is Status.PASS for v in check(lab.running, lab.plan, names, silent))


def test_few_open_files_are_enough(tmp_path: Path) -> None:
    file, name = tmp_path / "small.yml", f"test-{uuid.uuid4().hex[:12]}"
    file.write_text(SMALL)
    words = [*INVOKE, "TASK", str(file), "--instance", name]
    need_root()
    try:
        for task, more in (("up", []), ("exec", ["--node", "west", "--", "true"])):
            line = shlex.join([task if word == "TASK" else word for word in words] + more)
            few = ["bash", "-c", f"ulimit -n 60; exec {line}"]
            done = subprocess.run(few, cwd=REPOSITORY, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    finally:
        destroy(SITE.home(SITE.refer(str(file)), name), purge=True)
