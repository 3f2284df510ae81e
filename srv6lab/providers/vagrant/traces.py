"""Traces that a hypervisor writes on this machine, one file a NIC: how far each reaches.

A hypervisor says nothing about its traces. So every NIC sends a marked frame: the file that has the frames of
both ends of its link has every packet before them, in each direction. A trace without them is dead, whatever
else is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from srv6lab.capture.pcap import whole_file
from srv6lab.evidence.packets import Point
from srv6lab.host.waiting import wait_until

ETHERTYPE = b"\x88\xb5"  # local experimental, IEEE 802 clause 9
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Traced:
    """A NIC of a machine: its capture file's name, its own MAC and that of the other end."""

    trace: str
    mac: str
    peer: str

    def pcap(self, folder: Path) -> Path:
        return folder / f"{self.trace}.pcap"


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a trace reaches; a note says why it may lack packets."""

    size: int
    dropped: int = 0
    note: str = ""


def marked(mac: str, token: bytes) -> bytes:
    """The beginning of the frame that `guest.py mark` sends."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) + ETHERTYPE + token


def read(
    traces: Mapping[Point, Traced],
    folder: Path,
    token: bytes,
    silent: Mapping[str, str],
    patience: float = _PATIENCE,
) -> dict[Point, Reading]:
    """Wait `patience` seconds for the marks in each trace. `silent` has the MACs that could not send one, with the reason:
    their traces are not waited for."""
    waiting = {point: _Wanted(one, folder, token, silent) for point, one in traces.items()}
    found: dict[Point, Reading] = {}

    def all_read(*, late: bool = False) -> bool:
        for point, one in list(waiting.items()):
            if (reading := one.look(late)) is not None:
                found[point] = reading
                del waiting[point]
        return not waiting

    if not wait_until(all_read, patience, 0.05):
        all_read(late=True)
    return found


class _Wanted:
    """The frames that one trace still lacks."""

    def __init__(self, one: Traced, folder: Path, token: bytes, silent: Mapping[str, str]) -> None:
        self.path = one.pcap(folder)
        self.missing = {mac: marked(mac, token) for mac in (one.mac, one.peer)}
        self.note = "; ".join(silent[mac] for mac in self.missing if mac in silent)

    def look(self, late: bool) -> Reading | None:
        """The reading, once all is there or nothing more is waited for."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return Reading(0, note=f"there is no {self.path.name}") if late or self.note else None
        self.missing = {mac: frame for mac, frame in self.missing.items() if frame not in data}
        if self.missing and not late and not self.note:
            return None
        note = self.note or ("the trace lacks a frame that was sent to mark its end" if self.missing else "")
        try:
            return Reading(whole_file(self.path).end, note=note)
        except (OSError, ValueError) as error:
            return Reading(0, note=str(error))


def macs(traces: Mapping[Point, Traced]) -> dict[str, list[str]]:
    """The MACs of each node's traced NICs."""
    found: dict[str, list[str]] = {}
    for point, one in traces.items():
        found.setdefault(point.node, []).append(one.mac)
    return found
