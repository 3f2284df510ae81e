"""Which traces a provider gives to whoever reads them as they grow, and what it says of the others."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.evidence.packets import Point
from srv6lab.providers import netns, tcpdump, vagrant
from srv6lab.providers.base import Trace
from srv6lab.providers.process import Process, boot_id
from srv6lab.providers.registry import provider_named
from srv6lab.providers.state import Home, State
from srv6lab.providers.vagrant.traces import Traced

STATE = State("one", "mine", "netns", "", "ready")
HERE, THERE = Point("gate", "eth1"), Point("gate", "veth0", "box")


def myself() -> Process:
    found = Process.of(os.getpid())
    assert found
    return found


def dead() -> Process:
    popen = subprocess.Popen(["true"])
    popen.wait()
    return Process(popen.pid, 0)


def in_namespaces(keeper: Process, tracer: Process) -> State:
    tracers = {HERE: tcpdump.Tracing("link", tracer)}
    return replace(STATE, provider_data=netns.Data(boot_id(), keeper, {}, tracers).document())


def test_in_namespaces_a_dead_tracer_is_told_and_its_file_stays(tmp_path: Path) -> None:
    home, provider = Home(tmp_path), provider_named("netns")
    path = home.captures / "link.pcap"
    assert provider.traces(home, in_namespaces(myself(), myself())) == [Trace(HERE, path)]
    note = "its tracer is dead: invoke up restarts it"
    assert provider.traces(home, in_namespaces(myself(), dead())) == [Trace(HERE, path, note)]


def test_a_tracer_that_filled_its_file_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcpdump, "LIMIT", 1 << 20)
    home = Home(tmp_path)
    home.captures.mkdir()
    (home.captures / "link.pcap").write_bytes(bytes(1 << 20))
    (trace,) = provider_named("netns").traces(home, in_namespaces(myself(), dead()))
    assert trace.note == "its tracer stopped when link.pcap reached 1 MiB: invoke up restarts it"


def test_a_lab_without_its_keeper_has_no_traces_any_more(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="nothing of mine runs any more"):
        provider_named("netns").traces(Home(tmp_path), in_namespaces(dead(), myself()))


def test_of_machines_those_of_links_lie_here_and_for_the_others_it_is_told_what_to_type(
    tmp_path: Path,
) -> None:
    data = vagrant.Data(tmp_path, ("gate",), ("gate",), {HERE: Traced("link", "", "")}, {THERE: "inside"})
    state = replace(STATE, provider_data=data.document())
    here, there = provider_named("virtualbox").traces(Home(tmp_path), state)
    assert here == Trace(HERE, tmp_path / "captures" / "link.pcap")
    assert (there.point, there.path) == (THERE, None)
    typed = (
        "invoke exec lab=one --node gate -- ip netns exec box tcpdump -i veth0 -U -w - | wireshark -k -i -"
    )
    assert typed in there.note


def test_of_one_machine_with_all_of_it_it_is_told_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as told:
        provider_named("virtualbox-single-vm").traces(Home(tmp_path), STATE)
    assert "they can't be read as they grow" in told.value.what
    assert "invoke capture lab=one fetches them" in told.value.mend
