"""What the tracers write while they write it: how many packets came for each SID, and where a probe's packets were seen.

No packet is decoded here. A frame's MACs and type and the destination of its IPv6 header stand at fixed places, and a
probe's packet is one that holds its token; what else a packet says is for tshark, when `check` judges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Network, ip_network
from pathlib import Path

from srv6lab.capture.pcap import packets_from, whole_file
from srv6lab.live.watch_files import Stamp, stamp
from srv6lab.live.watch_state import Event
from srv6lab.topology.places import Point

MOST = 100  # packets of a probe told at a NIC one by one; more are only counted
_TYPE, _IPV6 = slice(12, 14), b"\x86\xdd"
_DESTINATION = slice(38, 54)
_VLAN = b"\x81\x00"
_TAG = 4
_FIRST = 24 + 16  # bytes of the two headers


@dataclass(slots=True)
class Trace:
    """A tracer's file, and how far it was read; it is known by its number and by how it `begins`."""

    point: Point
    path: Path
    offset: int = 0
    number: int = 0
    begins: bytes = b""
    trouble: str = ""

    @classmethod
    def from_now(cls, point: Point, path: Path) -> Trace:
        """What was traced so far is left out."""
        one = cls(point, path)
        try:
            found = stamp(path)
            one.begins, one.number = _beginning(path), found[0] if found else 0
            one.offset = whole_file(path).end
        except (OSError, ValueError) as error:
            one.trouble = str(error)
        return one

    def read(self) -> Iterator[tuple[int, bytes]]:
        """The packets that are new, with their times; a file that was begun anew is read from its beginning."""
        found: Stamp | None = stamp(self.path)
        if found is None or (found[2] == self.offset and found[0] == self.number):
            return
        try:
            begins = _beginning(self.path)
            if found[0] != self.number or found[2] < self.offset or not begins.startswith(self.begins):
                self.offset = 0
            self.number, self.begins = found[0], begins
            while self.offset < found[2]:
                packets, self.offset = packets_from(self.path, self.offset)
                yield from packets
                if not packets:
                    break
            self.trouble = ""
        except (OSError, ValueError) as error:
            self.offset, self.trouble = found[2], str(error)


def _beginning(path: Path) -> bytes:
    """The header of a capture, and that of its first record with its time."""
    with path.open("rb") as file:
        return file.read(_FIRST)


@dataclass(slots=True)
class Traces:
    """All tracers' files. `served` are the packets that came to a node for each of its SIDs since the watching began;
    `told` how many of a probe's packets were told at a point."""

    files: list[Trace]
    served: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def look(
        self, macs: Mapping[str, str], sids: Iterable[tuple[str, str]], tokens: Mapping[str, str]
    ) -> list[Event]:
        """Read what is new: count it, and tell of the packets of probes. `sids` are by namespace and prefix, `tokens` hex
        with the name of the probe."""
        tables = _tables(sids)
        wanted = {bytes.fromhex(token): (token, probe) for token, probe in tokens.items() if _is_hex(token)}
        events: list[Event] = []
        for one in self.files:
            place, mac = str(one.point.place), _mac(macs.get(str(one.point), ""))
            came: Counter[bytes] = Counter()
            for time, frame in one.read():
                if mac and frame[:6] == mac and (address := destination(frame)):
                    came[address] += 1
                for secret, (token, probe) in wanted.items():
                    if secret in frame:
                        events += self._seen(one.point, time, frame, mac, token, probe)
            for address, count in came.items():
                if prefix := _matching(tables.get(place, {}), address):
                    self.served[place, prefix] += count
        return sorted(events, key=lambda event: str(event.fields["at"]))

    def _seen(
        self, point: Point, time: int, frame: bytes, mac: bytes, token: str, probe: str
    ) -> Iterator[Event]:
        self.told[token, str(point)] += 1
        number = self.told[token, str(point)]
        if number <= MOST:
            yield packet_at(point, time, frame, mac, token, probe, number)


def packet_at(
    point: Point,
    time: int,
    frame: bytes,
    mac: bytes,
    token: str,
    probe: str,
    number: int,
    *,
    late: bool = False,
) -> Event:
    """A packet with a probe's token, as a NIC's tracer saw it; `late` if that is told after the run."""
    at = datetime.fromtimestamp(time // 10**9).astimezone().replace(microsecond=time // 1000 % 10**6)
    return Event(
        "packet-at",
        {
            "node": point.node,
            **({"netns": point.netns} if point.netns else {}),
            "nic": point.nic,
            "direction": direction(frame, mac),
            "at": at.isoformat(timespec="microseconds"),
            "length": len(frame),
            "probe": probe or None,
            "token": token,
            "number": number,
            "late": late,
        },
    )


def direction(frame: bytes, mac: bytes) -> str | None:
    """Seen from the NIC with that MAC; None where the MACs don't tell, as of frames that a circuit carries."""
    if mac and frame[6:12] == mac:
        return "out"
    return "in" if mac and (frame[:6] == mac or frame[0] & 1) else None


def destination(frame: bytes) -> bytes:
    """That of the first IPv6 header, empty where there is none."""
    if frame[_TYPE] == _VLAN:
        frame = frame[_TAG:]
    return frame[_DESTINATION] if frame[_TYPE] == _IPV6 and len(frame) >= _DESTINATION.stop else b""


def _tables(sids: Iterable[tuple[str, str]]) -> dict[str, dict[IPv6Network, str]]:
    """By namespace the SIDs' networks, the longest first."""
    found: dict[str, dict[IPv6Network, str]] = {}
    networks = [(place, ip_network(prefix), prefix) for place, prefix in sids if ":" in prefix]
    for place, network, prefix in sorted(networks, key=lambda one: -one[1].prefixlen):
        if isinstance(network, IPv6Network):
            found.setdefault(place, {})[network] = prefix
    return found


def _matching(table: Mapping[IPv6Network, str], address: bytes) -> str:
    number = int.from_bytes(address)
    for network, prefix in table.items():
        shift = 128 - network.prefixlen
        if number >> shift == int(network.network_address) >> shift:
            return prefix
    return ""


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", "")) if text else b""


def _is_hex(token: str) -> bool:
    try:
        return len(bytes.fromhex(token)) >= 8  # a shorter one would be found anywhere
    except ValueError:
        return False
