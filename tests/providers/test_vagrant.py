"""The provider of virtual machines, over a stand-in for Vagrant: what fails is told clearly and kept, and the
whole of an exercise is run and graded. The stand-in's machines are nodes of a lab in namespaces, so packets,
traces, sensors and counters are real; only Vagrant and the way into a machine are not.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from srv6lab.cli import tasks as labs
from srv6lab.errors import Interrupted, MachineError, UsageError
from srv6lab.evidence.verdict import Status
from srv6lab.live import lifecycle
from srv6lab.live.instance import Instance
from srv6lab.providers.registry import provider_of
from srv6lab.providers.vagrant import traces, ups
from tests.conftest import LABS, SITE, Up, silent
from tests.vagrant.told import Told, telling

FAILURES = {
    "boot": (
        "exit: it was started and can't be logged in to\n"
        "  mend: its console shows why: open it in the hypervisor, or give it more memory; "
        "invoke up tries it again, invoke destroy begins anew\n"
    ),
    "box": (
        "exit: its box is not here and can't be had\n"
        "  Error: Could not resolve host: vagrantcloud.com\n"
        "  mend: vagrant box add NAME, where there is a network; "
        "or invoke box.build, then up with --box srv6lab/debian13\n"
    ),
    "disk": (
        "exit: the disk of this machine is full\n"
        "  VBoxManage: error: VMDK: cannot write allocated data block in "
        "'/home/teacher/small/srv6lab_1795307358914_40733/box.vmdk' (VERR_DISK_FULL)\n"
        "  mend: free some room (vagrant box prune, df -h), then invoke up\n"
    ),
    "port": (
        "exit: a port of this machine that it needs is in use\n"
        "  Forwarded port: 22 => 2222\n"
        "  mend: end what listens there (ss -ltnup shows it), then invoke up\n"
    ),
    "traces": (
        "exit: libvirt's qemu may not write the traces\n"
        "  Call to virDomainCreateWithFlags failed: internal error: process exited while connecting to monitor: "
        "2026-11-22T03:38:03.210599Z qemu-system-x86_64: net dump: can't open "
        "/home/teacher/small/captures/middle.pcap: Permission denied (Libvirt::Error)\n"
        '  mend: let it run as you: in /etc/libvirt/qemu.conf user = "YOUR NAME" and security_driver = "none", '
        "then systemctl restart libvirtd\n"
    ),
    "provision": (
        "exit: Day0 failed with exit code 1\n"
        "  day0/exit.sh:63: LINE 63\n"  # the line that `ip -batch` counts, behind the one that began it
        "  RTNETLINK answers: Network is unreachable\n"
        "  mend: mend that, and invoke up goes on\n"
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_machine_that_fails_has_one_clear_message_the_others_stay_and_destroy_cleans_up(
    told: Told, failure: str
) -> None:
    told.write("told", {"exit": [failure]})
    with pytest.raises(MachineError) as caught:
        told.up()
    log = told.home.path.resolve() / "logs" / "exit.log"
    line = (
        (told.home.path / "day0" / "exit.sh").read_text().splitlines()[62].rstrip(":")
    )  # errors end with no colon
    assert str(caught.value) == f"{FAILURES[failure].replace('LINE 63', line)}  log: {log}"
    assert "stderr of exit" in log.read_text()
    assert told.read("running") == ["gate", "west"]
    state = told.home.read()
    assert state and state.phase == "starting" and state.provider_data["done"] == ["west", "gate"]
    (told.home.path / ".vagrant" / "machines").mkdir(parents=True)  # as Vagrant makes it
    assert lifecycle.destroy(told.home)
    assert (told.folder / "destroyed").exists() and told.read("running") == []
    assert not told.home.path.exists()


def test_up_goes_on_where_it_stopped(told: Told) -> None:
    told.write("told", {"exit": ["boot"], "east": ["disk"]})
    with pytest.raises(MachineError, match="exit: it was started"):
        told.up()
    before = (told.home.path / "Vagrantfile").stat().st_mtime_ns
    said: list[str] = []
    with pytest.raises(MachineError, match="east: the disk"):
        told.up(said)
    assert said[0] == "going on: 2 of 4 machines are up"
    assert not any(line.startswith(("west:", "gate:")) for line in said)
    assert (told.home.path / "Vagrantfile").stat().st_mtime_ns == before, "rendered under a lab that stands"


def test_a_machine_that_hangs_is_ended(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRV6LAB_VAGRANT_TIMEOUT", "1.5")
    told.write("told", {"gate": ["hang"]})
    with pytest.raises(MachineError, match="gate: vagrant was not done after 0 minutes"):
        told.up()
    assert (told.folder / "interrupted").exists(), "Vagrant could not clean up"
    assert told.read("running") == ["west"]


@contextmanager
def pressing(when: Callable[[], bool]) -> Iterator[None]:
    """Ctrl-C, a moment after `when`."""

    def press() -> None:
        while not when():
            time.sleep(0.01)
        time.sleep(0.1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    yield
    thread.join()


def test_ctrl_c_lets_vagrant_clean_up_and_keeps_what_is_up(told: Told) -> None:
    told.write("told", {"gate": ["hang"]})

    with pressing((told.folder / "hanging").exists), pytest.raises(Interrupted) as caught:
        told.up()
    assert str(caught.value) == (
        "interrupted: what came up of lab is kept\n"
        "  mend: invoke up lab=small --instance lab goes on, "
        "invoke destroy lab=small --instance lab takes it away"
    )
    assert (told.folder / "interrupted").exists() and told.read("running") == ["west"]


def test_machines_come_up_together_where_that_is_asked_for(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first alone; then each of two waits until the other is begun."""
    monkeypatch.setenv(ups.VARIABLE, "2")
    told.write("told", {"gate": ["beside exit"], "exit": ["beside gate"]})
    said: list[str] = []
    with pytest.raises(MachineError):  # the stand-in's ssh enters no machine
        told.up(said)
    begun = [line.split(":")[0] for line in said if ": machine " in line]
    assert begun[0] == "west" and sorted(begun) == sorted(told.read("machines"))
    first, second = (told.folder / f"ended-{begun[0]}", told.folder / "begun-gate")
    assert first.stat().st_mtime_ns <= second.stat().st_mtime_ns, "the first was not alone"
    assert sorted(told.read("running")) == ["east", "exit", "gate", "west"]


def test_after_a_failure_who_is_under_way_comes_up_and_nobody_else_is_begun(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ups.VARIABLE, "2")
    told.write("told", {"gate": ["boot"], "exit": ["after gate"]})
    with pytest.raises(MachineError, match="gate: it was started and can't be logged in to") as caught:
        told.up()
    assert "exit" not in str(caught.value)
    state = told.home.read()
    assert state and state.provider_data["done"] == ["west", "exit"]
    assert not (told.folder / "begun-east").exists()


def test_all_that_fail_together_are_told(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ups.VARIABLE, "3")
    told.write("told", {"gate": ["disk"], "exit": ["boot"], "east": ["box"]})
    with pytest.raises(MachineError) as caught:
        told.up()
    for node, what in (("gate", "the disk"), ("exit", "it was started"), ("east", "its box")):
        assert f"{node}: {what}" in str(caught.value)


def test_ctrl_c_ends_all_that_are_under_way(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ups.VARIABLE, "2")
    told.write("told", {"gate": ["hang"], "exit": ["hang"]})
    hanging = [told.folder / f"begun-{one}" for one in ("gate", "exit")]
    with pressing(lambda: all(one.exists() for one in hanging)), pytest.raises(Interrupted):
        told.up()
    assert len((told.folder / "interrupted").read_text().splitlines()) == 2
    assert told.read("running") == ["west"] and not (told.folder / "begun-east").exists()


@pytest.mark.parametrize("told_of", ["0", "-1", "two", "1.5"])
def test_how_many_at_once_is_a_number(told: Told, monkeypatch: pytest.MonkeyPatch, told_of: str) -> None:
    monkeypatch.setenv(ups.VARIABLE, told_of)
    with pytest.raises(UsageError, match="the number of machines that come up at once"):
        told.up()
    assert not told.home.path.exists()


def test_a_changed_file_is_not_built_on_what_stands(told: Told) -> None:
    """Half of the machines are of another lab now: they are taken away, and all begins anew."""
    told.write("told", {"exit": ["boot"], "gate": ["ok", "box"]})
    with pytest.raises(MachineError):
        told.up()
    (told.home.path / ".vagrant" / "machines").mkdir(parents=True)
    machines = tuple(replace(one, memory=2048) for one in told.plan.nodes)
    with pytest.raises(MachineError, match="gate: its box"):
        replace(told, plan=replace(told.plan, nodes=machines)).up()
    assert (told.folder / "destroyed").exists() and told.read("running") == ["west"]


@pytest.mark.parametrize(
    ("vagrant", "virtualbox", "what"),
    [
        ("2.3.4", "7.1.4r165100", "Vagrant from 2.4.2 on drives VirtualBox 7.1, and this one 7.0 and older"),
        ("2.4.1", "7.2.0", "Vagrant from 2.4.9 on drives VirtualBox 7.2, and this one 7.0 and older"),
        ("2.4.9", "5.2.44", "VirtualBox 6.1 is the oldest that labs are made for"),
        ("2.2.5", "6.1.50", "Vagrant from 2.2.7 on drives VirtualBox 6.1"),
        ("2.3.4", "WARNING: no driver", "VirtualBox"),
    ],
)
def test_a_pair_that_does_not_work_is_refused_before_anything_is_made(
    told: Told, vagrant: str, virtualbox: str, what: str
) -> None:
    (told.folder / "vagrant-version").write_text(vagrant)
    (told.folder / "virtualbox-version").write_text(virtualbox)
    with pytest.raises(MachineError) as caught:
        told.up()
    assert what in str(caught.value)
    assert not told.home.path.exists()


def test_a_box_is_for_virtual_machines(told: Told) -> None:
    with pytest.raises(UsageError, match="netns has no boxes"):
        told.up(box="a/b", provider="netns")
    told.write("told", {"west": ["boot"]})
    with pytest.raises(MachineError):
        told.up(box="a/b")
    assert 'node.vm.box = "a/b"' in (told.home.path / "Vagrantfile").read_text()
    with pytest.raises(UsageError, match="is up from a/b"):
        told.up(box="c/d")


@dataclass(frozen=True)
class Standing:
    """A lab that the stand-in's machines run, and the one in namespaces whose nodes they are."""

    told: Told
    beneath: Up

    @property
    def running(self) -> Instance:
        state = self.told.home.read()
        assert state
        return Instance(self.told.home, state, provider_of(state))


def serves(name: str) -> bool:
    """Whether a lab has a service in a namespace, whose NICs are traced inside its machine."""
    machines = SITE.load(SITE.refer(name))[0].nodes
    return any(one.netns for machine in machines for one in machine.services)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, bring_up: Callable[[str], Up]) -> Iterator[Standing]:
    """A lab with services, up twice: the machines' traces are those of the namespaces beneath. What a test
    takes away it brings back."""
    beneath = bring_up(next(name for name in LABS if serves(name)))
    pids = {node: pair[0] for node, pair in beneath.running.state.provider_data["nodes"].items()}
    with telling(tmp_path_factory.mktemp("standing")) as told:
        told.write("machines", list(pids))
        told.write("pids", pids)
        told.write("captures", str(beneath.running.home.captures))
        one = replace(told, plan=beneath.plan, reference=beneath.reference)
        assert one.up().phase == "ready"
        yield Standing(one, beneath)


def test_an_exercise_with_alerts_and_counters_is_graded_on_machines(standing: Standing) -> None:
    """Traces of links are cut between marks, those of services' NICs are fetched, and so are alerts and counters."""
    found = (one.name for one in standing.told.plan.exercises if one.expect.alerts and one.expect.counters)
    all_pass(standing, [next(found)])


@pytest.mark.prove
def test_every_exercise_is_graded_on_machines(standing: Standing) -> None:
    all_pass(standing, [one.name for one in standing.told.plan.exercises])


def all_pass(standing: Standing, names: list[str]) -> None:
    verdicts = labs.check(standing.running, standing.told.plan, names, silent)
    bad = [item for one in verdicts for item in one.items if item.status is not Status.PASS]
    assert verdicts and not bad


def test_a_trace_that_stops_is_seen(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tracer of a NIC dies: no mark reaches its file, so what it lacks proves nothing."""
    monkeypatch.setattr(traces, "_PATIENCE", 3.0)
    one = standing.running
    point, tracing = next(iter(standing.beneath.running.state.provider_data["tracers"].items()))
    os.kill(tracing[1][0], signal.SIGKILL)
    readings = {str(place): reading for place, reading in one.mark().items()}
    assert readings[point].note == "the trace lacks a frame that was sent to mark its end"
    assert [place for place, reading in readings.items() if reading.note] == [point]
    standing.beneath.again()


def test_a_machine_that_is_gone_is_told(standing: Standing) -> None:
    node = standing.told.read("machines")[0]
    standing.told.write("running", standing.told.read("machines")[1:])
    health = standing.running.status()
    dead = {entry.name for entry in health if not entry.alive}
    assert node in dead and all(name == node or name.startswith(f"{node}:") for name in dead)
    again: list[str] = []
    standing.told.up(again)
    assert again[0] == f"bringing back {node}"
    assert all(entry.alive for entry in standing.running.status())


def test_a_command_has_its_own_output_and_exit_code(standing: Standing) -> None:
    one = standing.running
    node = standing.told.read("machines")[0]
    hostile = "a b'c\"d$(id)`id`;|&\n*"
    result = one.exec(node, ["sh", "-c", 'printf %s "$1"; echo no >&2; exit 7', "x", hostile])
    assert (result.exit_code, result.stdout, result.stderr) == (7, hostile, "no\n")


def test_halted_machines_come_back(standing: Standing) -> None:
    lifecycle.halt(standing.running, silent)
    assert standing.told.read("running") == []
    said: list[str] = []
    standing.told.up(said)
    assert said[0].startswith("bringing back ") and all(one.alive for one in standing.running.status())


def test_a_lab_that_runs_is_not_rendered_again(standing: Standing) -> None:
    vagrantfile = standing.told.home.path / "Vagrantfile"
    before = vagrantfile.read_bytes(), vagrantfile.stat().st_mtime_ns
    machines = tuple(replace(one, memory=2048) for one in standing.told.plan.nodes)
    changed = replace(standing.told, plan=replace(standing.told.plan, nodes=machines))
    with pytest.raises(
        UsageError, match="is up from an older file, and virtualbox changes no lab that is up"
    ):
        changed.up()
    assert (vagrantfile.read_bytes(), vagrantfile.stat().st_mtime_ns) == before


def test_virtual_machines_are_not_asked_of_namespaces(standing: Standing) -> None:
    one = standing.beneath.running
    state = one.home.read()  # as it is by now: other tests have halted nodes of it
    assert state
    with pytest.raises(UsageError, match="netns has no machines that could be shut down"):
        lifecycle.halt(replace(one, state=state), silent)
