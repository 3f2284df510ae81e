"""What tshark saw in a pcap, as PacketViews.

This module asks tshark and never looks into a packet itself: a decoder of our own would agree
with a model of our own. It is the only importer of pyshark, whose traps it keeps to itself.

Several captures are joined into one file before tshark reads them, because starting tshark costs
0.15 s and a lab has some seventeen small pcaps; frame numbers tell whose a packet is.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from srv6lab import pcapfile
from srv6lab.errors import LabError, MachineError, UsageError
from srv6lab.trace import Address, Icmp, IpHeader, PacketView, Srh

K = TypeVar("K", bound=Hashable)
_Layer = Mapping[str, Any]

_PROTOCOLS = {1: "icmp", 4: "ipv4", 6: "tcp", 17: "udp", 41: "ipv6", 58: "icmpv6", 143: "ethernet"}
_EXTENSIONS = {0: "ipv6.hopopts", 43: "ipv6.routing", 44: "ipv6.fraghdr", 60: "ipv6.dstopts"}
_TRANSPORTS = frozenset({"icmp", "icmpv6", "tcp", "udp", "data"})  # data: tshark knows no better
_BETWEEN_HEADERS = frozenset({"eth", "ethertype", "vlan", *_EXTENSIONS.values()})
_ECHOES = frozenset({("icmp", 8), ("icmp", 0), ("icmpv6", 128), ("icmpv6", 129)})
_SEGMENT_ROUTING = 4  # RFC 8754 section 2: the routing type of an SRH

# What one frame says has to depend on that frame alone, so nothing is put together across frames;
# the rest is set because a person's own preferences could change how the fields are laid out.
_PREFERENCES = {
    "ip.defragment": "FALSE",
    "ipv6.defragment": "FALSE",
    "ipv6.exthdr_under_root_protocol_tree": "FALSE",
    "tcp.desegment_tcp_streams": "FALSE",
    "tcp.analyze_sequence_numbers": "FALSE",
}
_SHOWN = "frame eth vlan arp ip ipv6 icmp icmpv6 tcp udp data _ws.malformed _ws.short"
_EVERYTHING_OF_USE = "ip or ipv6 or arp"
_PATIENCE = 10.0  # seconds that tshark gets to end by itself after its output has ended


@dataclass(frozen=True, slots=True)
class Capture:
    """What tshark saw in one pcap.

    `packets` are the frames with an IP header; `bindings` are the (MAC, address) pairs that ARP
    senders and neighbor discovery announce; `records` counts every whole record of the file.
    `note` says, for people, what could not be read.
    """

    packets: tuple[PacketView, ...] = ()
    bindings: tuple[tuple[str, Address], ...] = ()
    cut_short: bool = False
    records: int = 0
    note: str = ""


def read(path: Path, *, display_filter: str = "") -> Capture:
    """Read one pcap. A display filter holds for the bindings too."""
    return read_all({path: path}, display_filter=display_filter)[path]


def read_all(paths: Mapping[K, Path], *, display_filter: str = "") -> dict[K, Capture]:
    """Read several pcaps at once, with as few tsharks as can be."""
    parts = [_Part(path, _framing(path)) for path in paths.values()]
    batches = _batches([part for part in parts if part.framing.records])
    if batches:
        tshark = _find_tshark()
        # Threads, also for a single batch: the caller may be inside an event loop of its own.
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            jobs = [pool.submit(_read_batch, tshark, batch, display_filter) for batch in batches]
            for job in jobs:
                job.result()
    return {key: part.capture() for key, part in zip(paths, parts, strict=True)}


@dataclass(slots=True)
class _Part:
    """One pcap while it is read: what its frames said so far."""

    path: Path
    framing: pcapfile.Framing
    packets: list[PacketView] = field(default_factory=list)
    bindings: dict[tuple[str, Address], None] = field(default_factory=dict)
    malformed: list[int] = field(default_factory=list)
    clipped: list[int] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)

    def take(self, number: int, layers: _Layer) -> None:
        """Add a frame. Whatever a frame holds, it never ends the reading of the others."""
        try:
            self._take(number, layers)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            self.unread.append(number)

    def _take(self, number: int, layers: _Layer) -> None:
        walk = _walk(layers)
        if walk.all_seen and "_ws_malformed" in layers:
            self.malformed.append(number)
        if "_ws_short" in layers:
            self.clipped.append(number)
        for binding in (*_arp_bindings(layers), *_neighbor_bindings(layers, walk)):
            self.bindings.setdefault(binding)
        if walk.headers:
            self.packets.append(_packet(number, layers, walk))

    def forget(self) -> None:
        """Start again, after a tshark that failed on the way."""
        for seen in (self.packets, self.bindings, self.malformed, self.clipped, self.unread):
            seen.clear()

    def capture(self) -> Capture:
        framing = self.framing
        notes = (
            framing.fault,
            _numbered("malformed", self.malformed),
            _numbered("clipped by the tracer's snapshot length", self.clipped),
            _numbered("not understood", self.unread),
        )
        return Capture(
            packets=tuple(self.packets),
            bindings=tuple(self.bindings),
            cut_short=framing.cut_short,
            records=framing.records,
            note="; ".join(note for note in notes if note),
        )


def _numbered(what: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")
    return f"{len(numbers)} frame{'s' * (len(numbers) > 1)} {what} ({shown})"


# --- from tshark's fields to a packet


@dataclass(slots=True)
class _Walk:
    """A frame from the outside in: its IP headers, and what the innermost of them carries.

    `all_seen` says that tshark met nothing else: what is malformed is then of interest here.
    """

    headers: list[IpHeader] = field(default_factory=list)
    transport: str = ""
    all_seen: bool = True


def _walk(layers: _Layer) -> _Walk:
    """Follow the order in which tshark met the protocols, up to the first transport.

    What comes behind an ICMP header is the packet that an error speaks of, and what comes behind
    UDP or TCP is somebody's payload: neither is part of how this packet is forwarded.
    """
    walk = _Walk()
    following = {name: iter(_listed(layers.get(name))) for name in ("ip", "ipv6")}
    names = layers["frame"]["frame_frame_protocols"].split(":")
    for position, name in enumerate(names, start=1):
        if name in following:
            header = _header(name, next(following[name], {}))
            if header is None:
                break
            walk.headers.append(header)
        elif walk.headers and name not in _BETWEEN_HEADERS:
            walk.transport = name if name in _TRANSPORTS else ""
            walk.all_seen = bool(walk.transport) and position == len(names)
            break
    return walk


def _header(name: str, layer: _Layer) -> IpHeader | None:
    """One IP header, or None where the frame ends within it."""
    source, destination = _first(layer, f"{name}.src"), _first(layer, f"{name}.dst")
    if source is None or destination is None:
        return None
    if name == "ip":
        protocol = _number(_first(layer, "ip.proto"))
        ttl = _number(_first(layer, "ip.ttl"))
        return IpHeader(_ipv4(source), _ipv4(destination), ttl, _protocol(protocol))
    return IpHeader(
        source=_ipv6(source),
        destination=_ipv6(destination),
        hop_limit=_number(_first(layer, "ipv6.hlim")),
        protocol=_protocol(_behind_extensions(layer)),
        srh=_srh(layer),
    )


def _protocol(number: int) -> str:
    return _PROTOCOLS.get(number, str(number))


def _behind_extensions(layer: _Layer) -> int:
    """The next header behind the last extension header that tshark could read."""
    following = _number(_first(layer, "ipv6.nxt"))
    if following not in _EXTENSIONS:
        return following
    unread = {number: iter(_listed(layer.get(_key(name)))) for number, name in _EXTENSIONS.items()}
    while following in unread:
        extension: _Layer = next(unread[following], {})
        value = _first(extension, f"{_EXTENSIONS[following]}.nxt", within=_EXTENSIONS[following])
        if value is None:
            break
        following = _number(value)
    return following


def _srh(layer: _Layer) -> Srh | None:
    """The first SRH behind an IPv6 header: the one that routers act on."""
    for routing in _listed(layer.get("ipv6_routing")):
        if _number(_routing(routing, "type", -1)) == _SEGMENT_ROUTING:
            break
    else:
        return None
    listed = _listed(routing.get("ipv6_routing_ipv6_routing_srh_addr"))
    last_entry = _routing(routing, "srh.last_entry")
    if last_entry is None:  # the frame ends within the SRH
        return None
    return Srh(
        segment_list=tuple(map(_ipv6, listed)),
        segments_left=_number(_routing(routing, "segleft")),
        last_entry=_number(last_entry),
        flags=_number(_routing(routing, "srh.flags", 0)),
        tag=_number(_routing(routing, "srh.tag", 0)),
    )


def _routing(layer: _Layer, name: str, default: Any = None) -> Any:
    return _first(layer, f"ipv6.routing.{name}", default, within="ipv6.routing")


def _packet(number: int, layers: _Layer, walk: _Walk) -> PacketView:
    frame = layers["frame"]
    ethernet: _Layer = next(iter(_listed(layers.get("eth"))), {})
    transport: _Layer = next(iter(_listed(layers.get(walk.transport))), {})
    icmp = _icmp(walk.transport, transport) if walk.transport in ("icmp", "icmpv6") else None
    return PacketView(
        number=number,
        time=_seconds(_first(frame, "frame.time_epoch", "0")),
        length=_number(_first(frame, "frame.len", 0)),
        source_mac=_first(ethernet, "eth.src", ""),
        destination_mac=_first(ethernet, "eth.dst", ""),
        headers=tuple(walk.headers),
        icmp=icmp,
        payload=_payload(walk.transport, transport, icmp),
    )


def _icmp(name: str, layer: _Layer) -> Icmp | None:
    kind = _first(layer, f"{name}.type")
    if kind is None:
        return None
    identifier, sequence = ("ident", "seq") if name == "icmp" else ("echo.identifier", "echo.sequence_number")
    return Icmp(
        type=_number(kind),
        code=_number(_first(layer, f"{name}.code", 0)),
        identifier=_optional_number(_first(layer, f"{name}.{identifier}")),
        sequence=_optional_number(_first(layer, f"{name}.{sequence}")),
    )


def _payload(name: str, layer: _Layer, icmp: Icmp | None) -> bytes:
    """What tshark gives of the bytes behind the transport header.

    Of an echo it keeps the first 8 or 16 bytes for itself where they look like a timestamp. The
    packet within an ICMP error is no payload: a probe must not be recognized by it.
    """
    if name in ("tcp", "udp"):
        return _bytes(_first(layer, f"{name}.payload"))
    if name == "data":
        return _bytes(_first(layer, "data.data"))
    if icmp is not None and (name, icmp.type) in _ECHOES:
        return b"".join(_bytes(_first(data, "data.data")) for data in _listed(layer.get("data")))
    return b""


# --- who announces which MAC


def _arp_bindings(layers: _Layer) -> Iterator[tuple[str, Address]]:
    for arp in _listed(layers.get("arp")):
        mac, sender = _first(arp, "arp.src.hw_mac"), _first(arp, "arp.src.proto_ipv4")
        if mac and sender and sender != "0.0.0.0":  # a probe for duplicates announces nothing
            yield mac, _ipv4(sender)


def _neighbor_bindings(layers: _Layer, walk: _Walk) -> Iterator[tuple[str, Address]]:
    """Link-layer address options: the source's in a solicitation, the target's in an advertisement.

    With any other hop limit than 255 the message came from elsewhere (RFC 4861 section 7.1).
    """
    if walk.transport != "icmpv6" or len(walk.headers) != 1 or walk.headers[0].hop_limit != 255:
        return
    for message in _listed(layers.get("icmpv6")):
        kind = _optional_number(_first(message, "icmpv6.type"))
        if kind == 135:
            mac, about = _first(message, "icmpv6.opt.src_linkaddr"), walk.headers[0].source
        elif kind == 136:
            mac = _first(message, "icmpv6.opt.target_linkaddr")
            about = _ipv6(_first(message, "icmpv6.nd.na.target_address"))
        else:
            continue
        if mac and not about.is_unspecified:
            yield mac, about


# --- tshark's spellings, which differ between its versions


def _key(name: str) -> str:
    return name.replace(".", "_")


@cache
def _full_key(name: str, within: str) -> str:
    return _key(f"{within or name.partition('.')[0]}.{name}")


def _listed(value: Any) -> list[Any]:
    """What tshark writes as one value or, where a name repeats, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(layer: _Layer, name: str, default: Any = None, *, within: str = "") -> Any:
    """The first value of a field; `within` names its layer where that isn't the first word."""
    found = layer.get(_full_key(name, within))
    if isinstance(found, list):
        found = found[0] if found else None
    return default if found is None else found


def _number(value: Any) -> int:
    """A number as tshark writes it: 764, 0x02fc or, where it takes a field for bytes, 02:fc."""
    text = str(value)
    return int(text.replace(":", ""), 16) if ":" in text else int(text, 0)


# A capture repeats few addresses many times, and to read one costs more than to find it again.
_ipv4 = lru_cache(maxsize=4096)(IPv4Address)
_ipv6 = lru_cache(maxsize=4096)(IPv6Address)


def _optional_number(value: Any) -> int | None:
    return None if value is None else _number(value)


def _bytes(value: Any) -> bytes:
    return b"" if value is None else bytes.fromhex(str(value).replace(":", ""))


def _seconds(text: str) -> float:
    """tshark 4.0 writes seconds since the epoch, 4.4 a date with nanoseconds."""
    with suppress(ValueError):
        return float(text)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


# --- files, batches and the tshark that reads them


class _TsharkFailed(Exception):
    """tshark ended with an error; its status and what it said."""

    def __init__(self, status: int | None, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


def _framing(path: Path) -> pcapfile.Framing:
    try:
        return pcapfile.whole_file(path)
    except ValueError as error:
        raise UsageError(f"{path} is no capture: {error}", "hand in a pcap or pcapng file") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None


def _find_tshark() -> Path:
    found = shutil.which("tshark")
    if found is None:
        raise MachineError("tshark isn't installed, and captures are read with it", "apt-get install tshark")
    return Path(found)


def _batches(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Which captures one tshark reads: all that can be joined.

    A large batch isn't split: while tshark describes packets, this process reads what it said, and
    that keeps two cores at work already (measured: two tsharks are no faster than one).
    """
    alike: dict[Hashable, list[_Part]] = {}
    for part in parts:
        alike.setdefault(pcapfile.joinable_file(part.path) or id(part), []).append(part)
    return list(alike.values())


def _read_batch(tshark: Path, batch: Sequence[_Part], display_filter: str) -> None:
    """Fill the parts. Where tshark fails on several, it reads each alone, to name the one."""
    try:
        _read_joined(tshark, batch, display_filter)
    except _TsharkFailed as failure:
        for part in batch:
            part.forget()
        if len(batch) == 1:
            raise _explained(failure, batch[0].path, display_filter) from None
        for part in batch:
            _read_batch(tshark, [part], display_filter)
    except OSError as error:
        raise MachineError(
            f"captures can't be handed to tshark: {error}",
            f"tshark reads a copy in {tempfile.gettempdir()}: it needs room there",
        ) from error


def _explained(failure: _TsharkFailed, path: Path, display_filter: str) -> LabError:
    if display_filter and display_filter in failure.said:
        return UsageError(f"tshark can't use the display filter {display_filter!r}: {failure.said}")
    how = f"status {failure.status}" + (f": {failure.said}" if failure.said else "")
    return MachineError(f"tshark failed on {path} with {how}", f"see what it says: tshark -n -r {path}")


def _read_joined(tshark: Path, batch: Sequence[_Part], display_filter: str) -> None:
    """Let one tshark read a copy: it holds whole records only, and doesn't grow while it is read."""
    ends = list(accumulate(part.framing.records for part in batch))

    def take(frame: dict[str, Any]) -> None:
        layers = frame["layers"]
        number = int(_first(layers["frame"], "frame.number"))
        index = bisect_left(ends, number)
        batch[index].take(number - (ends[index - 1] if index else 0), layers)

    with tempfile.TemporaryDirectory(prefix="srv6lab-") as folder:
        copy = Path(folder, "capture")
        with copy.open("wb") as target:
            if pcapfile.joinable_file(batch[0].path) is None:
                pcapfile.trim(batch[0].path, batch[0].framing.end, target)
            else:
                pcapfile.join([(part.path, part.framing.end) for part in batch], target)
        _run_tshark(tshark, copy, f"({display_filter})" if display_filter else _EVERYTHING_OF_USE, take)


def _run_tshark(tshark: Path, path: Path, wanted: str, take: Callable[[dict[str, Any]], None]) -> None:
    """Hand each frame of a file to `take`, as tshark describes it."""
    with closing(_Loop(path.parent)) as loop:
        reader = _reader_class()(tshark, path, loop, ["-Y", wanted, "-J", _SHOWN])
        reader.apply_on_packets(take)
        if reader.status:
            raise _TsharkFailed(reader.status, reader.said)


def _described(line: bytes) -> dict[str, Any]:
    """A frame as tshark describes it; of a line that is no JSON only the frame's number."""
    try:
        frame: dict[str, Any] = json.loads(line.decode(errors="replace"))
    except ValueError:
        found = re.search(rb'"frame_frame_number":"(\d+)"', line)
        return {"layers": {"frame": {"frame_frame_number": found[1].decode() if found else "0"}}}
    return frame


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose child processes get an environment of their own.

    Given a loop, pyshark leaves asyncio's child watchers alone, which Python 3.14 no longer has.
    The environment keeps a person's profile (preferences, disabled protocols) out of the verdict.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(folder / "profile")}

    async def subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        return await super().subprocess_exec(*arguments, **{"env": self._environment, **options})


@cache
def _reader_class() -> Any:
    """pyshark's FileCapture without its traps; made late, for importing pyshark costs 0.1 s."""
    from packaging.version import Version
    from pyshark.capture.file_capture import FileCapture
    from pyshark.tshark.output_parser.tshark_ek import TsharkEkJsonParser

    class Frames(TsharkEkJsonParser):  # type: ignore[misc]
        """pyshark's own Packet loses the second IPv6 header: it keeps one layer a name."""

        def _parse_single_packet(self, packet: bytes) -> Any:
            return _described(packet)

    class Reader(FileCapture):  # type: ignore[misc]
        def __init__(self, tshark: Path, path: Path, loop: _Loop, parameters: list[str]) -> None:
            self.tshark, self.status, self.said = tshark, None, ""
            super().__init__(
                str(path),
                keep_packets=False,
                use_ek=True,
                eventloop=loop,
                override_prefs=_PREFERENCES,
                custom_parameters=parameters,
            )

        def _get_tshark_path(self) -> str:
            # pyshark would trust a file named config.ini in the working directory.
            return str(self.tshark)

        def _get_tshark_version(self) -> Any:
            # Asking costs a second start of tshark, and only decides what every tshark can by now.
            return Version("4.0")

        def _setup_tshark_output_parser(self) -> Any:
            return Frames()

        async def _handle_process_stderr_forever(self, stderr: Any) -> None:
            said = (await stderr.read()).decode(errors="replace").splitlines()
            self.said = "\n".join(line for line in said if not line.startswith("Running as user"))

        async def _cleanup_subprocess(self, process: Any) -> None:
            # pyshark kills a tshark that is about to end, and so never learns its status.
            if self._eof_reached:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(process.wait(), _PATIENCE)
            self.status = process.returncode
            if process.returncode is None:
                await super()._cleanup_subprocess(process)

    return Reader
