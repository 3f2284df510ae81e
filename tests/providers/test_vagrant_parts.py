"""The parts of the provider of virtual machines: what tools say, read on recorded outputs; marks in traces; the
program that runs in a guest."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from srv6lab.evidence.packets import Point
from srv6lab.host.packages import named, remedy
from srv6lab.host.vagrant import DISK, read_vagrant, read_virtualbox
from srv6lab.inside import guest
from srv6lab.providers.vagrant import needs, traces
from srv6lab.providers.vagrant.command import Event
from srv6lab.providers.vagrant.traces import Traced
from tests.conftest import REPOSITORY
from tests.small import planned

GUEST = REPOSITORY / "srv6lab" / "inside" / "guest.py"
HERE, THERE = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
POINT = Point("gate", "eth1")
TOKEN = bytes(range(16))


def test_who_waits_for_machines_is_told_what_they_take() -> None:
    said = needs.costs(planned(), 1)
    assert f"{len(planned().nodes)} machines one after the other" in said
    assert f"{len(planned().nodes)} machines up to 3 at once" in needs.costs(planned(), 3)
    assert f"{sum(node.memory for node in planned().nodes)} MB of memory" in said
    assert f"{len(planned().nodes) * needs.EMULATED} minutes" in said
    assert f"{len(planned().nodes) * DISK >> 10} GB of disk" in said
    assert all(node.box in said for node in planned().nodes)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("1,gate,state,running\n", Event("gate", "state", ("running",))),
        ("1,,ui,info,a%!(VAGRANT_COMMA) b\\nc\n", Event("", "ui", ("info", "a, b\nc"))),
        ("1,gate,ui,detail,\x1b[0;31mred\x1b[0m\n", Event("gate", "ui", ("detail", "red"))),
        ("1,gate,action\n", Event("gate", "action", ())),
    ],
)
def test_a_line_of_vagrants_is_an_event(line: str, event: Event) -> None:
    assert Event.read(line) == event


@pytest.mark.parametrize("line", ["", "\n", "==> gate: Booting VM...", "a,b,c,d", "warning: something, 1, 2"])
def test_any_other_line_is_none(line: str) -> None:
    assert Event.read(line) is None


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Vagrant 2.3.4\n", (2, 3, 4)),
        ("Vagrant 2.4.9\r\n", (2, 4, 9)),
        ("warning: old gem\nVagrant 2.3.7+git20230731\n", (2, 3, 7)),
        ("", ()),
        ("vagrant: command not found\n", ()),
    ],
)
def test_vagrants_version(said: str, version: needs.Version) -> None:
    assert read_vagrant(said) == version


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("7.0.26r168464\n", (7, 0, 26)),
        ("7.2.22_Debianr175245\n", (7, 2, 22)),
        ("7.1.4r165100\r\n", (7, 1, 4)),
        (
            "WARNING: The vboxdrv kernel module is not loaded.\n         Please recompile\n7.0.20_Debianr163906\n",
            (7, 0, 20),
        ),
        ("WARNING: The character device /dev/vboxdrv does not exist.\n", ()),
        ("", ()),
    ],
)
def test_virtualboxs_version(said: str, version: needs.Version) -> None:
    assert read_virtualbox(said).version == version


@pytest.mark.parametrize(
    ("vagrant", "virtualbox", "mend"),
    [
        ((2, 3, 4), (7, 0, 26), ""),
        ((2, 4, 2), (7, 1, 0), ""),
        ((2, 4, 9), (7, 2, 22), ""),
        ((2, 3, 4), (6, 1, 50), ""),
        ((2, 3, 1), (7, 0, 0), "Vagrant from 2.3.2 on drives VirtualBox 7.0, and this one 6.1 and older"),
        ((2, 4, 9), (7, 3, 1), "VirtualBox 7.2 is the newest that a Vagrant is known to drive"),
        ((2, 4, 9), (6, 0, 24), "VirtualBox 6.1 is the oldest that labs are made for"),
    ],
)
def test_pairs(vagrant: needs.Version, virtualbox: needs.Version, mend: str) -> None:
    assert needs.pair(vagrant, virtualbox).mend == (f"install other versions: {mend}" if mend else "")


def test_what_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for provider, names in {
        "virtualbox": ["vagrant", "ssh", "VirtualBox"],
        "libvirt": ["vagrant", "ssh", "libvirt", "vagrant-libvirt"],
    }.items():
        found = needs.needs(provider)
        assert [need.what for need in found] == names
        assert not any(need.met for need in found)
        assert [need.mend for need in found[:2]] == [
            remedy([named(how, provider)]) for how in ("vagrant", "ssh")
        ]


def pcap(*frames: bytes, cut: int = 0) -> bytes:
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for frame in frames:
        data += struct.pack("<IIII", 1, 2, len(frame), len(frame)) + frame
    return data[: len(data) - cut]


def mark(mac: str, token: bytes = TOKEN) -> bytes:
    return traces.marked(mac, token).ljust(60, b"\0")


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (pcap(b"x" * 60, mark(HERE), mark(THERE)), ""),
        (pcap(mark(THERE), mark(HERE), b"x" * 60, cut=20), ""),
        (pcap(mark(HERE)), "the trace lacks a frame that was sent to mark its end"),
        (pcap(mark(HERE), mark(THERE, bytes(16))), "the trace lacks a frame that was sent to mark its end"),
        (b"", "the trace lacks a frame that was sent to mark its end"),
        (None, "there is no trace.pcap"),
    ],
)
def test_a_trace_reaches_as_far_as_the_marks_of_both_ends(
    data: bytes | None, note: str, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / "trace.pcap").write_bytes(data)
    reading = traces.read({POINT: Traced("trace", HERE, THERE)}, tmp_path, TOKEN, {}, 0.0)[POINT]
    assert reading.note == note
    if data and not note:
        assert reading.size == len(data) - (0 if data.endswith(mark(THERE)) else 56)


def test_a_mark_that_could_not_be_sent_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "trace.pcap").write_bytes(pcap(mark(HERE)))
    one = {POINT: Traced("trace", HERE, THERE)}
    assert (
        traces.read(one, tmp_path, TOKEN, {THERE: "exit can't be reached"})[POINT].note
        == "exit can't be reached"
    )


def in_guest(verb: str, **values: object) -> object:
    """Run the program as a machine does: handed to Python's standard input."""
    done = subprocess.run(
        [sys.executable, "-", verb, json.dumps(values)],
        input=GUEST.read_bytes(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_mac_that_no_nic_has_is_told() -> None:
    assert in_guest("mark", token=TOKEN.hex(), macs=[HERE]) == [HERE]


def test_a_tracer_that_is_not_there_is_dead() -> None:
    assert in_guest("drain", names=["no-such-trace"]) == {"no-such-trace": [0, 0, "tracer is dead"]}


def test_a_reused_pid_is_not_the_tracer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "FOLDER", tmp_path)
    (tmp_path / "trace.pid").write_text(f"{os.getpid()} {guest.started(os.getpid())}")
    assert guest.alive("trace")
    (tmp_path / "trace.pid").write_text(f"{os.getpid()} 1")
    assert not guest.alive("trace")
