"""Machines of VirtualBox's that qemu runs: what one is made of, its monitor, and its first start from a snapshot.

A snapshot is a machine that was booted once (snapshot.py makes it): what was in its memory, and what it had written
onto its disk. A machine that starts from it has the same disk below, and is plugged in its NICs while it runs: those
of the links, whose MACs and number are its own. Only the first NIC, Vagrant's, is the same in all machines.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROGRAM = "qemu-system-x86_64"
# With `max` a guest under emulation faults now and then; Suricata is built for a processor with SSSE3 and more.
CPU = "qemu64,-cx16,+ssse3,+sse4.1,+sse4.2,+popcnt"
_BARE = ("-accel", "tcg,tb-size=128", "-cpu", CPU, "-nodefaults", "-display", "none")
_PATIENCE = 120.0

Words = Sequence[str]


class Failed(Exception):
    """qemu or a snapshot is not as it has to be."""


@dataclass(frozen=True)
class Hardware:
    """What a machine has before a link is plugged in: the part that a snapshot is bound to."""

    memory: str
    cpus: str
    controller: str
    nic: str  # the first NIC's device, on the netdev n1 that the caller adds

    def words(self, disk: Path) -> list[str]:
        """qemu's command line."""
        command = [PROGRAM, *_BARE, "-m", self.memory, "-smp", self.cpus]
        command += ["-drive", f"file={disk},if=none,id=disk,cache=unsafe"]
        devices = (f"{self.controller},id=controller", "ide-hd,drive=disk,bus=controller.0", "virtio-rng-pci")
        return [*command, *(word for device in (*devices, self.nic) for word in ("-device", device))]


@dataclass(frozen=True)
class Snapshot:
    """A folder with a machine that was booted."""

    folder: Path

    @property
    def memory(self) -> Path:
        return self.folder / "memory"

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    def keep(self, hardware: Hardware, **facts: object) -> None:
        """Write down whose it is, which makes it whole."""
        told = {"hardware": asdict(hardware), **facts}
        (self.folder / "snapshot.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")

    def facts(self) -> dict[str, Any]:
        """What is written down of it; nothing, where no whole one is."""
        try:
            return dict(json.loads((self.folder / "snapshot.json").read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def lay(self, disk: Path, below: Path) -> None:
        """Make `disk` of what the booted machine wrote; `below` is what it had been booted from."""
        shutil.copyfile(self.disk, disk)
        put_on(disk, below)

    def require(self, hardware: Hardware) -> None:
        """Failed, unless it is of such a machine: the memory of another would not fit."""
        if (known := self.facts().get("hardware")) != asdict(hardware):
            raise Failed(
                f"the snapshot in {self.folder} is of {known}, and the machine is {asdict(hardware)}"
            )


def put_on(disk: Path, below: Path | None) -> None:
    """Name what an overlay lies on, whose bytes are what they were."""
    words = ["-b", str(below), "-F", below.suffix[1:]] if below else ["-b", ""]
    subprocess.run(["qemu-img", "rebase", "-u", "-f", "qcow2", *words, str(disk)], check=True)


class Monitor:
    """The monitor of one qemu: a call is a command, and returns what came of it."""

    def __init__(self, path: Path, patience: float = _PATIENCE) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(patience)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._lines.readline()  # its greeting
        self("qmp_capabilities")

    def __call__(self, command: str, **arguments: object) -> Any:
        for said in self._answers({"execute": command, "arguments": arguments}):
            if "error" in said:
                raise Failed(f"{command}: {said['error']['desc']}")
            if "return" in said:
                return said["return"]
        raise Failed(f"{command}: qemu ended")

    def _answers(self, told: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        """All that it says from then on; some of it is of events."""
        with suppress(ConnectionError):
            self._socket.sendall(json.dumps(told).encode() + b"\n")
            yield from map(json.loads, self._lines)

    def wait(self, command: str, *wanted: str, patience: float = _PATIENCE) -> None:
        """Ask until the status that it tells is a wanted one."""
        deadline = time.monotonic() + patience
        while (status := self(command).get("status")) not in wanted:
            if status == "failed" or time.monotonic() > deadline:
                raise Failed(f"{command}: {status}, not {' or '.join(wanted)}")
            time.sleep(0.05)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def save(monitor: Monitor, memory: Path) -> None:
    """Stop the machine for good, with its memory in a file. What it wrote is on its disk by then."""
    monitor("stop")
    monitor("migrate-set-parameters", **{"max-bandwidth": 2**32})
    monitor("migrate", uri=f"exec:cat >'{memory}'")
    monitor.wait("query-migrate", "completed")
    with suppress(Failed):  # it ends before it answers
        monitor("quit")


def restoring(memory: Path) -> list[str]:
    """What makes qemu wait with the memory of a snapshot in the machine, instead of booting."""
    return ["-S", "-incoming", f"exec:cat '{memory}'"]


def go_on(monitor: Monitor, nics: Sequence[Mapping[str, str]]) -> None:
    """Plug the NICs into a machine that was restored, and let it run."""
    monitor.wait("query-status", "paused", "prelaunch")
    for nic in nics:
        monitor("device_add", **nic)
    monitor("cont")
