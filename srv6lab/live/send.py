"""Probes as command lines for nodes, and what came of sending them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from srv6lab.evidence.packets import Address
from srv6lab.evidence.probes import Sent, port_of
from srv6lab.host.files import PACKAGE
from srv6lab.topology.exercises import Probe

_NOTE = re.compile(r"^note: (.*)$", re.MULTILINE)
_SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received")


def command(address: Address, probe: Probe, token: str, patience: int = 1) -> list[str]:
    """The command line of a probe; its payload repeats the token, and it ends with a summary such as ping's. After the
    last packet ping waits `patience` seconds for answers that lack."""
    return COMMANDS[probe.kind.key](str(address), probe, token, patience)


def interval(probe: Probe) -> float:
    """Seconds from a packet of a probe to its next."""
    return 1 / probe.rate if probe.rate else (probe.interval or probe.kind.interval) / 1000


def _echo(destination: str, probe: Probe, token: str, patience: int) -> list[str]:
    """By iputils' ping, or by a program of our own, which writes an SRH."""
    if probe.segments:
        more = [*_header(probe), *(["--oam"] if probe.oam else [])]
        return srhping(destination, [*map(str, probe.segments)], probe.count, token, more)
    count, size = ("-c", str(probe.count)), ("-s", str(probe.size))
    pace = ("-i", str(interval(probe)), "-W", str(patience))
    header = _header(probe, "-t", "-Q", "-I")
    return ["ping", "-n", *count, *pace, *size, *header, "-p", token, destination]


def _header(
    probe: Probe, hop_limit: str = "--hop-limit", tos: str = "--tos", source: str = "--source"
) -> list[str]:
    """What a program is told of the IP header, by the names of its options: the rest is its node's own affair."""
    said = {hop_limit: probe.hop_limit, tos: probe.dscp << 2, source: probe.source_address}
    return [word for option, value in said.items() if value for word in (option, str(value))]


def _flows(destination: str, probe: Probe, token: str, patience: int) -> list[str]:
    """A datagram of each of many flows."""
    options = ["--interval", str(interval(probe)), "--size", str(probe.size), "--token", token]
    return program("udpflows", *options, *_header(probe), str(probe.udp), destination, str(probe.port))


def _transfer(destination: str, probe: Probe, token: str, patience: int) -> list[str]:
    options = ["--from-port", str(port_of(token)), "--token", token, *_header(probe)]
    return program("transfer", "send", *options, str(probe.tcp), destination, str(probe.port))


def _trace(destination: str, probe: Probe, token: str, patience: int) -> list[str]:
    options = ["--interval", str(interval(probe)), "--size", str(probe.size), "--patience", str(patience + 1)]
    words = [*options, "--token", token, *_header(probe), str(probe.traceroute)]
    return program("traceroute", *words, destination)


def listener(address: Address, probe: Probe) -> list[str] | None:
    """The command line of what has to listen at a probe's other end, which goes on in the background; None if nothing
    has to."""
    if probe.kind.counted:
        return None
    return program("transfer", "listen", str(address.version), str(probe.port))


COMMANDS: Mapping[str, Callable[[str, Probe, str, int], list[str]]] = {
    "icmp": _echo,
    "udp": _flows,
    "tcp": _transfer,
    "traceroute": _trace,
}


def program(name: str, *words: str) -> list[str]:
    """A program of our own, for any node with Python."""
    return ["python3", "-I", "-c", (PACKAGE / "inside" / f"{name}.py").read_text(encoding="utf-8"), *words]


def srhping(
    destination: str, segments: Sequence[str], count: int, token: str, more: Sequence[str] = ()
) -> list[str]:
    """The command line of echo requests with an SRH."""
    options = ["--count", str(count), "--token", token, *more]
    return program("srhping", *options, destination, *segments)


def read_ping(probe: str, token: str, stdout: str, stderr: str) -> Sent:
    """What ping said; no summary means that nothing was sent."""
    match = _SUMMARY.search(stdout)
    sent, received = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    note = _NOTE.search(stdout)
    said = note.group(1) if note else ""
    return Sent(probe, sent, received, token, said if sent else stderr.strip() or "ping said nothing")
