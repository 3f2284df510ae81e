"""Links of more than two ends: each is a Linux bridge in a network namespace of the lab's own, which no node is in.

A NIC's other end is a port of the bridge, with the NIC's MTU: so the kernel drops what is too large for the NIC, as it does
between the two ends of a veth pair. The bridge learns where a MAC is from the first frame, and keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from srv6lab.errors import MachineError
from srv6lab.providers.keeping import run_in
from srv6lab.providers.process import Process

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Nic

PLACE = ".bridges"  # no node's name begins with a dot
_PATIENCE = 30.0
# Ports forward at once; what is for a group goes to all; a MAC is known for a day (in hundredths of a second).
_BRIDGE = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0 ageing_time 8640000"


def port(nic: Nic, place: Process) -> str:
    """The other end of a NIC, as `ip link add … peer` is told it."""
    return f"name {_port(nic)} mtu {nic.mtu} netns {place.pid}"


def _port(nic: Nic) -> str:
    """A name that fits an interface: no two NICs of a lab have one MAC."""
    return f"to{nic.mac.replace(':', '')}"


def make(nics: Iterable[Nic], place: Process) -> None:
    """The bridges that aren't there yet, with ports for these NICs. MachineError if the kernel refuses one."""
    links: dict[str, list[Nic]] = {}
    for nic in nics:
        if nic.bridged:
            links.setdefault(nic.link, []).append(nic)
    lines = []
    for link, ends in links.items():
        bridge = f"bridge{crc32(link.encode()):08x}"
        if not Path(f"/proc/{place.pid}/root/sys/class/net/{bridge}").exists():
            lines.append(f"link add name {bridge} {_BRIDGE}")
        lines += [f"link set dev {_port(nic)} master {bridge} up" for nic in ends]
        lines.append(f"link set dev {bridge} up")
    _in_place(lines, f"the bridge of link {next(iter(links), '')} can't be made", place)


def resize(nics: Iterable[Nic], place: Process) -> None:
    """Give ports the MTUs of their NICs."""
    lines = [f"link set dev {_port(nic)} mtu {nic.mtu}" for nic in nics if nic.bridged]
    _in_place(lines, "the ports of bridges can't have other MTUs", place)


def _in_place(lines: Sequence[str], failure: str, place: Process) -> None:
    result = run_in(place, ["ip", "-batch", "-"], _PATIENCE, "\n".join(lines) + "\n") if lines else None
    if result and result.exit_code:
        raise MachineError(f"{failure}: {result.stderr.strip()}", "the kernel needs CONFIG_BRIDGE")
