"""Probes as command lines for nodes, and what came of sending them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from srv6lab.evidence.packets import Address
from srv6lab.host.files import PACKAGE
from srv6lab.topology.exercises import Probe

if TYPE_CHECKING:
    pass  # and with it pyshark, which is slow to import
from srv6lab.evidence.probes import Sent

_INTERVAL, _UDP_INTERVAL = 0.02, 0.001
_SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received")


def command(address: Address, probe: Probe, token: str) -> list[str]:
    """The command line of a probe. iputils' ping repeats the pattern over the payload, and so do our own programs,
    one of which writes an SRH."""
    if probe.udp:
        return udpflows(str(address), probe, token)
    if probe.segments:
        segments = [str(segment) for segment in probe.segments]
        return srhping(str(address), segments, probe.count, token, oam=probe.oam)
    count, size = ("-c", str(probe.count)), ("-s", str(probe.size))
    return ["ping", "-n", *count, "-i", str(interval(probe)), "-W", "1", *size, "-p", token, str(address)]


def interval(probe: Probe) -> float:
    """Seconds from a packet of a probe to its next."""
    if probe.interval is not None:
        return probe.interval / 1000
    return _UDP_INTERVAL if probe.udp else _INTERVAL


def udpflows(destination: str, probe: Probe, token: str) -> list[str]:
    """The command line of a datagram of each of many flows, for any node with Python."""
    script = (PACKAGE / "inside" / "udpflows.py").read_text(encoding="utf-8")
    options = ["--interval", str(interval(probe)), "--size", str(probe.size), "--token", token]
    return ["python3", "-I", "-c", script, *options, str(probe.udp), destination, str(probe.port)]


def srhping(destination: str, segments: Sequence[str], count: int, token: str, *, oam: bool) -> list[str]:
    """The command line of echo requests with an SRH, for any node with Python."""
    script = (PACKAGE / "inside" / "srhping.py").read_text(encoding="utf-8")
    options = ["--count", str(count), "--token", token, *(["--oam"] if oam else [])]
    return ["python3", "-I", "-c", script, *options, destination, *segments]


def read_ping(probe: str, token: str, stdout: str, stderr: str) -> Sent:
    """What ping said; no summary means that nothing was sent."""
    match = _SUMMARY.search(stdout)
    sent, received = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    return Sent(probe, sent, received, token, "" if sent else stderr.strip() or "ping said nothing")
