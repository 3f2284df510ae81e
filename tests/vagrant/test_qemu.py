"""Machines that start from a snapshot, by a real qemu with nothing on its disk."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.vagrant.qemu import Failed, Hardware, Monitor, Snapshot, go_on, restoring, save
from tests.vagrant.snapshot import DISK, HARDWARE, name

SMALL = Hardware("32", "1", "ahci", "e1000,mac=02:00:00:00:00:01,netdev=n1")
PLUGGED = {"driver": "e1000", "mac": "02:00:00:00:00:02", "netdev": "n2"}
Start = Callable[..., Monitor]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a small machine on a disk, with further words for qemu; its monitor."""
    begun: list[tuple[Monitor, subprocess.Popen[bytes]]] = []

    def started(disk: Path, *words: str) -> Monitor:
        path = tmp_path / f"monitor{len(begun)}"
        command = [*SMALL.words(disk), "-netdev", "user,id=n1", "-netdev", "user,id=n2"]
        command += ["-qmp", f"unix:{path},server=on,wait=on", *words]
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert qemu.stderr is not None and b"waiting for connection" in qemu.stderr.readline()
        begun.append((Monitor(path), qemu))
        return begun[-1][0]

    yield started
    for monitor, qemu in begun:
        with suppress(Failed, OSError):
            monitor("quit")
        qemu.communicate(timeout=60)


def made(disk: Path) -> Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", disk.suffix[1:], disk, "1M"], check=True)
    return disk


def macs(monitor: Monitor) -> list[str]:
    place = "/machine/peripheral-anon"
    found = [one["name"] for one in monitor("qom-list", path=place) if one["type"] == "child<e1000>"]
    return [monitor("qom-get", path=f"{place}/{device}", property="mac") for device in found]


def test_a_machine_goes_on_with_a_nic_more(start: Start, tmp_path: Path) -> None:
    """VirtualBox has the disk that is below as a vmdk, which a machine can't be saved with."""
    booted, below, disk = Snapshot(tmp_path), made(tmp_path / "below.vmdk"), tmp_path / "laid.qcow2"
    save(start(made(booted.disk)), booted.memory)
    booted.lay(disk, below)
    restored = start(disk, *restoring(booted.memory))
    go_on(restored, [PLUGGED])
    assert restored("query-status")["status"] == "running"
    assert macs(restored) == ["02:00:00:00:00:01", "02:00:00:00:00:02"]


def test_what_qemu_refuses_is_told(start: Start, tmp_path: Path) -> None:
    memory, disk, vmdk = tmp_path / "memory", made(tmp_path / "disk.qcow2"), made(tmp_path / "disk.vmdk")
    with pytest.raises(Failed, match="device_add: 'nope' is not a valid device model name"):
        go_on(start(disk, "-S"), [{"driver": "nope"}])
    with pytest.raises(
        Failed, match=r"migrate: The vmdk format used by node '#block[0-9]+' does not support live migration"
    ):
        save(start(vmdk), memory)
    memory.write_bytes(b"no memory of a machine")
    with pytest.raises(Failed, match="qemu ended"):
        go_on(start(disk, *restoring(memory)), [])


def test_a_snapshot_is_of_one_kind_of_machine(tmp_path: Path) -> None:
    kept = Snapshot(tmp_path)
    assert kept.facts() == {}
    kept.keep(SMALL, seconds=1)
    assert kept.facts() == {"hardware": asdict(SMALL), "seconds": 1}
    kept.require(SMALL)
    for field, value in (("memory", "64"), ("nic", SMALL.nic.replace("e1000", "virtio-net-pci"))):
        with pytest.raises(Failed, match=value):
            kept.require(replace(SMALL, **{field: value}))


def boxed(folder: Path, disk: bytes) -> Path:
    folder.mkdir()
    (folder / DISK).write_bytes(disk)
    with tarfile.open(folder / "a.box", "w") as archive:
        archive.add(folder / DISK, DISK)
    return folder / "a.box"


def test_another_box_qemu_or_machine_is_another_snapshot(tmp_path: Path) -> None:
    one, other = boxed(tmp_path / "one", b"a disk"), boxed(tmp_path / "other", b"another")
    of_one = name(one, HARDWARE, "7.2")
    assert name(one, HARDWARE, "7.2") == of_one
    others = {name(other, HARDWARE, "7.2"), name(one, HARDWARE, "10.0"), name(one, SMALL, "7.2")}
    others.add(name(one, HARDWARE, "7.2", prepare="date"))
    assert len(others) == 4 and of_one not in others


def test_a_disk_lies_on_what_it_is_told(tmp_path: Path) -> None:
    """What the booted machine wrote, over an image that has the same bytes in another place."""
    below, booted = made(tmp_path / "below.vmdk"), Snapshot(tmp_path)
    made(booted.disk)
    subprocess.run(["qemu-io", "-f", "vmdk", "-c", "write -q -P 1 0 64k", below], check=True)
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 2 64k 64k", booted.disk], check=True)
    booted.lay(tmp_path / "laid.qcow2", below)
    reads = ["-c", "read -P 1 0 64k", "-c", "read -P 2 64k 64k"]
    done = subprocess.run(
        ["qemu-io", "-f", "qcow2", *reads, tmp_path / "laid.qcow2"], capture_output=True, text=True
    )
    assert done.returncode == 0 and "failed" not in done.stdout, done.stdout
