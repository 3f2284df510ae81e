"""tshark's fields → a PacketView, and who announces which MAC.

It starts nothing and looks at no byte of a frame: what tshark doesn't say isn't known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from srv6lab.evidence.packets import (
    Address,
    Icmp,
    IpHeader,
    Message,
    PacketView,
    Srh,
    Tcp,
    Udp,
    is_error,
    plain,
)

Layer = Mapping[str, Any]

_PROTOCOLS = {1: "icmp", 4: "ipv4", 6: "tcp", 17: "udp", 41: "ipv6", 58: "icmpv6", 143: "ethernet"}
_EXTENSIONS = {0: "ipv6.hopopts", 43: "ipv6.routing", 44: "ipv6.fraghdr", 60: "ipv6.dstopts"}
_NEXT_HEADERS = _PROTOCOLS | {0: "hopopts", 43: "routing", 44: "fragment", 60: "dstopts"}
_TRANSPORTS = frozenset({"icmp", "icmpv6", "tcp", "udp", "data"})  # data: tshark knows no better
_BETWEEN_HEADERS = frozenset({"eth", "ethertype", "vlan", *_EXTENSIONS.values()})
_ECHOES = frozenset({("icmp", 8), ("icmp", 0), ("icmpv6", 128), ("icmpv6", 129)})
_OF_NEIGHBORS = frozenset({*range(130, 138), 143})  # MLD (RFC 2710, 3810) and neighbor discovery (RFC 4861)
_SENT_BY_US = 4  # LINUX_SLL_OUTGOING
_IPV6_HEADER = 40
LINKS = {
    0: "NULL", 1: "Ethernet", 12: "RAW", 14: "RAW", 101: "RAW", 108: "LOOP", 113: "SLL", 228: "RAW", 229: "RAW",
    276: "SLL2",
}  # fmt: skip
_SEGMENT_ROUTING = 4  # RFC 8754 section 2: the routing type of an SRH


@dataclass(slots=True)
class Walk:
    """A frame from the outside in: its IP headers, and what the innermost of them carries.

    `malformed` is one with an IP header that can't be read, or with nothing in it that can: only that is of interest;
    `clipped` is the number of bytes that the tracer kept of a frame that was longer, and may be somebody's probe.
    """

    headers: list[IpHeader] = field(default_factory=list)
    transport: str = ""
    malformed: bool = False
    clipped: int = 0


def walk(layers: Layer) -> Walk:
    """Follow the order in which tshark met the protocols, up to the first transport.

    What comes behind an ICMP header is the packet that an error speaks of, and what comes behind
    UDP or TCP is somebody's payload: neither is part of how this packet is forwarded.
    """
    found = Walk(malformed="_ws_malformed" in layers)
    following = {name: iter(_layers(layers, name)) for name in ("ip", "ipv6")}
    frames = iter(_layers(layers, "eth"))
    names = layers["frame"]["frame_frame_protocols"].split(":")
    for position, name in enumerate(names, start=1):
        if name in following:
            header = _header(name, next(following[name], {}))
            if header is None:
                found.malformed = True
                break
            found.headers.append(header)
        elif name == "eth":
            _hold(found.headers, next(frames, {}))
        elif found.headers and name not in _BETWEEN_HEADERS:
            found.transport = name if name in _TRANSPORTS else ""
            found.malformed &= bool(found.transport) and position == len(names)
            break
    found.malformed |= not found.headers and not following.keys().isdisjoint(
        layers
    )  # of no version that is known
    found.clipped = _clipped(layers, found)
    return found


def _hold(headers: list[IpHeader], frame: Layer) -> None:
    """The innermost header so far holds the frame; the one around all of them is the packet's own."""
    if headers:
        macs = {"frame_source": _first(frame, "eth.src"), "frame_destination": _first(frame, "eth.dst")}
        headers[-1] = replace(headers[-1], **macs)


def _clipped(layers: Layer, walk: Walk) -> int:
    """The bytes that the tracer kept, 0 for a whole frame, and for one that only neighbors speak with."""
    frame = layers["frame"]
    kept, whole = _number(_first(frame, "frame.cap_len", 0)), _number(_first(frame, "frame.len", 0))
    kind = _first(_outermost(layers, "icmpv6"), "icmpv6.type")
    if kept >= whole or (walk.transport == "icmpv6" and kind is not None and _number(kind) in _OF_NEIGHBORS):
        return 0
    return kept


def _header(name: str, layer: Layer) -> IpHeader | None:
    """One IP header, or None where the frame ends within it, or it is of no version that is known."""
    source, destination = _first(layer, f"{name}.src"), _first(layer, f"{name}.dst")
    if source is None or destination is None:
        return None
    if name == "ip":
        protocol = _number(_first(layer, "ip.proto"))
        ttl = _number(_first(layer, "ip.ttl"))
        name = _protocol(protocol)
        numbers = _numbers(IpHeader, "ip", layer) | {"flags": _ip_flags(layer)}
        return IpHeader(_ipv4(source), _ipv4(destination), ttl, name, next_header=name, **numbers)
    following = _number(_first(layer, "ipv6.nxt"))
    return IpHeader(
        source=_ipv6(source),
        destination=_ipv6(destination),
        hop_limit=_number(_first(layer, "ipv6.hlim")),
        protocol=_protocol(_behind_extensions(layer)),
        srh=_srh(layer),
        next_header=_NEXT_HEADERS.get(following, str(following)),
        **_numbers(IpHeader, name, layer),
    )


def _numbers(record: type, protocol: str, layer: Layer) -> dict[str, Any]:
    """The attributes of a header that say themselves what tshark calls them."""
    return {name: _optional_number(_first(layer, key)) for name, key in _named(record, protocol)}


@cache
def _named(record: type, protocol: str) -> tuple[tuple[str, str], ...]:
    names = ((one.name, one.metadata.get("tshark", {}).get(protocol)) for one in fields(record))
    return tuple((name, key) for name, key in names if key)


def _protocol(number: int) -> str:
    return _PROTOCOLS.get(number, str(number))


def _behind_extensions(layer: Layer) -> int:
    """The next header behind the last extension header that tshark could read."""
    following = _number(_first(layer, "ipv6.nxt"))
    unread: dict[str, Iterator[Layer]] = {}
    while name := _EXTENSIONS.get(following):
        extension = next(unread.setdefault(name, iter(_layers(layer, name))), {})
        value = _first(extension, f"{name}.nxt")
        if value is None:
            break
        following = _number(value)
    return following


def _srh(layer: Layer) -> Srh | None:
    """The first SRH behind an IPv6 header: the one that routers act on."""
    headers = _layers(layer, "ipv6.routing")
    types = [_number(_first(one, "ipv6.routing.type", -1)) for one in headers]
    if _SEGMENT_ROUTING not in types:
        return None
    at = types.index(_SEGMENT_ROUTING)
    routing, whole = headers[at], _listed(layer.get("ipv6_routing_raw"))[at : at + 1]
    last_entry = _first(routing, "ipv6.routing.srh.last_entry")
    if last_entry is None:  # the frame ends within the SRH
        return None
    segment_list = tuple(map(_ipv6, _every(routing, "ipv6.routing.srh.addr")))
    return Srh(
        segment_list=segment_list,
        segments_left=_number(_first(routing, "ipv6.routing.segleft")),
        last_entry=_number(last_entry),
        flags=_number(_first(routing, "ipv6.routing.srh.flags", 0)),
        tag=_number(_first(routing, "ipv6.routing.srh.tag", 0)),
        hdr_ext_len=_optional_number(_first(routing, "ipv6.routing.len")),
        tlvs=_bytes(whole[0])[8 + 16 * len(segment_list) :] if whole else None,
    )


def sender(layers: Layer) -> str:
    """The MAC that a frame comes from, "" where it says none."""
    mac: str = _first(_link(layers), "eth.src", "")
    return mac


def packet(number: int, layers: Layer, walk: Walk) -> PacketView:
    frame = layers["frame"]
    ethernet = _link(layers)
    transport = _outermost(layers, walk.transport)
    icmp = _icmp(walk.transport, transport) if walk.transport in ("icmp", "icmpv6") else None
    return PacketView(
        number=number,
        time=_seconds(_first(frame, "frame.time_epoch", "0")),
        length=_number(_first(frame, "frame.len", 0)),
        source_mac=_first(ethernet, "eth.src", ""),
        destination_mac=_first(ethernet, "eth.dst", ""),
        outgoing=_outgoing(layers),
        ip_bytes=_ip_bytes(layers),
        headers=tuple(walk.headers),
        icmp=icmp,
        payload=_payload(walk.transport, transport, icmp),
        udp=Udp(**_numbers(Udp, "udp", transport)) if walk.transport == "udp" else None,
        tcp=Tcp(**_numbers(Tcp, "tcp", transport)) if walk.transport == "tcp" else None,
        echo_time=str(_first(transport, "icmp.data_time", "")) if icmp else "",
        quoted=_quoted(walk.transport, transport, icmp),
    )


def _link(layers: Layer) -> Layer:
    """The frame's own Ethernet header: not that of a frame within, where its link has none."""
    first = layers["frame"]["frame_frame_protocols"].partition(":")[0]
    if first == "sll":  # of a Linux cooked header it is the sender's MAC alone
        return {"eth_eth_src": _first(_outermost(layers, "sll"), "sll.src.eth")}
    return _outermost(layers, "eth") if first == "eth" else {}


def _outgoing(layers: Layer) -> bool | None:
    """Whether the tracer's own node sent it, by the tracer's word: None where it says nothing."""
    kind = _first(_outermost(layers, "sll"), "sll.pkttype")
    if kind is not None:
        return _number(kind) == _SENT_BY_US
    flag = _first(layers["frame"], "frame.packet_flags_direction")
    return {1: False, 2: True}.get(_number(flag)) if flag is not None else None


def _ip_bytes(layers: Layer) -> int | None:
    """The length of the IP packet by its own header: behind it may stand a NIC's padding or an FCS."""
    protocols = layers["frame"]["frame_frame_protocols"].split(":")
    name = next(one for one in protocols if one in ("ip", "ipv6"))
    layer = _outermost(layers, name)
    told = _first(layer, "ip.len" if name == "ip" else "ipv6.plen")
    if told is None:
        return None
    return _number(told) + (_IPV6_HEADER if name == "ipv6" else 0)


def _icmp(name: str, layer: Layer) -> Icmp | None:
    kind = _first(layer, f"{name}.type")
    if kind is None:
        return None
    code = _number(_first(layer, f"{name}.code", 0))
    return Icmp(_number(kind), code, **_numbers(Icmp, name, layer))


def _payload(name: str, layer: Layer, icmp: Icmp | None) -> bytes:
    """What tshark gives of the bytes behind the transport header.

    Of an echo it keeps the first 8 or 16 bytes for itself where they look like a timestamp. The
    packet within an ICMP error is no payload: a probe must not be recognized by it.
    """
    if name in ("tcp", "udp"):
        return _bytes(_first(layer, f"{name}.payload"))
    if name == "data":
        return _bytes(_first(layer, "data.data"))
    if icmp is not None and (name, icmp.type) in _ECHOES:
        return b"".join(_bytes(_first(data, "data.data")) for data in _layers(layer, "data"))
    return b""


def _quoted(name: str, layer: Layer, icmp: Icmp | None) -> PacketView | None:
    """The packet within an ICMP error, as far as it is there."""
    if icmp is None or not is_error(name, icmp.type):
        return None
    headers = [_header(one, inner) for one in ("ipv6", "ip") for inner in _layers(layer, one)]
    inner = next((one for one in ("icmp", "icmpv6", "udp", "tcp") if _layers(layer, one)), "")
    transport = _outermost(layer, inner) if inner else {}
    about = _icmp(inner, transport) if inner.startswith("icmp") else None
    return PacketView(
        number=0,
        time=0.0,
        length=0,
        source_mac="",
        destination_mac="",
        headers=tuple(header for header in headers if header)[-1:],
        icmp=about,
        payload=_payload(inner, transport, about),
        udp=Udp(**_numbers(Udp, "udp", transport)) if inner == "udp" else None,
        tcp=Tcp(**_numbers(Tcp, "tcp", transport)) if inner == "tcp" else None,
    )


# --- who announces which MAC


def bindings(layers: Layer, walk: Walk) -> Iterator[tuple[str, Address]]:
    yield from _arp_bindings(layers)
    yield from _neighbor_bindings(layers, walk)


def _arp_bindings(layers: Layer) -> Iterator[tuple[str, Address]]:
    for arp in _layers(layers, "arp"):
        mac, sender = _first(arp, "arp.src.hw_mac"), _first(arp, "arp.src.proto_ipv4")
        if mac and sender and sender != "0.0.0.0":  # a probe for duplicates announces nothing
            yield mac, _ipv4(sender)


def _neighbor_bindings(layers: Layer, walk: Walk) -> Iterator[tuple[str, Address]]:
    """Link-layer address options: the source's in a solicitation, the target's in an advertisement.

    With any other hop limit than 255 the message came from elsewhere (RFC 4861 section 7.1).
    """
    if walk.transport != "icmpv6" or len(walk.headers) != 1 or walk.headers[0].hop_limit != 255:
        return
    for message in _layers(layers, "icmpv6"):
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


# --- what routing protocols say

PROTOCOLS = ("isis.hello", "isis.lsp", "bgp")


def messages(number: int, layers: Layer) -> Iterator[Message]:
    """A frame's messages: of BGP there may be several, each a layer of its own."""
    for protocol in PROTOCOLS:
        for layer in _layers(layers, protocol):
            if "filtered" not in layer:  # what nobody asked for
                source = _first(_link(layers), "eth.src", "")
                yield Message(number, source, protocol, _Fields(protocol, layer))


class _Fields(Mapping[str, tuple[str, ...]]):
    """A layer by the names that Wireshark gives its fields. tshark says `isis_lsp_isis_lsp_lsp_id` for
    isis.lsp.lsp_id, and what was a dot can't be told from what was none: so it is asked by name."""

    def __init__(self, protocol: str, layer: Layer) -> None:
        self._prefix, self._layer = protocol.replace(".", "_"), layer

    def __getitem__(self, name: str) -> tuple[str, ...]:
        for spelling in (name, *_OLDER.get(name, ())):
            key = f"{self._prefix}_{spelling.replace('.', '_')}"
            if key in self._layer:
                return tuple(plain(value) for value in _listed(self._layer[key]))
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layer)

    def __len__(self) -> int:
        return len(self._layer)


# What tshark 4.0 calls otherwise.
_OLDER = {
    "isis.lsp.srv6_end_sid.endpoint_behavior": ("isis.lsp.srv6_end_sid.endpoint_function",),
    "isis.lsp.srv6_endx_sid.endpoint_behavior": ("isis.lsp.srv6_endx_sid.endpoint_function",),
    "isis.lsp.srv6_lan_endx_sid.endpoint_behavior": ("isis.lsp.srv6_lan_endx_sid.endpoint_function",),
}


# --- tshark's spellings, which differ between its versions


def frame_number(layers: Layer) -> int:
    return int(_first(layers["frame"], "frame.number"))


def _layers(parent: Layer, name: str) -> list[Layer]:
    """Every layer of a name, the outermost first."""
    return _listed(parent.get(name.replace(".", "_")))


def _outermost(layers: Layer, name: str) -> Layer:
    return next(iter(_layers(layers, name)), {})


def _every(layer: Layer, name: str) -> list[Any]:
    """All values of a field."""
    return _listed(layer.get(_key(name)))


def _first(layer: Layer, name: str, default: Any = None) -> Any:
    """The first value of a field."""
    found = layer.get(_key(name))
    if isinstance(found, list):
        found = found[0] if found else None
    return default if found is None else found


@cache
def _key(name: str) -> str:
    """A field stands below its layer's name: ipv6.routing.type is ipv6_routing_ipv6_routing_type."""
    longer = (one for one in _EXTENSIONS.values() if name.startswith(f"{one}."))
    return f"{next(longer, name.partition('.')[0])}.{name}".replace(".", "_")


def _listed(value: Any) -> list[Any]:
    """What tshark writes as one value or, where a name repeats, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> int:
    """A number as tshark writes it: 764, 0x02fc or, where it takes a field for bytes, 02:fc."""
    text = str(value)
    return int(text.replace(":", ""), 16) if ":" in text else int(text, 0)


def _ip_flags(layer: Layer) -> int | None:
    """The three bits of RFC 791; tshark 3.6 gives them as they stand in their byte."""
    flags = _optional_number(_first(layer, "ip.flags"))
    return flags if flags is None or flags < 8 else flags >> 5


def _optional_number(value: Any) -> int | None:
    return None if value is None else _number(value)


# A capture repeats few addresses many times, and to read one costs more than to find it again.
_ipv4 = lru_cache(maxsize=4096)(IPv4Address)
_ipv6 = lru_cache(maxsize=4096)(IPv6Address)


def _bytes(value: Any) -> bytes:
    return b"" if value is None else bytes.fromhex(str(value).replace(":", ""))


def _seconds(text: str) -> float:
    """tshark 4.0 writes seconds since the epoch, 4.4 a date with nanoseconds."""
    with suppress(ValueError):
        return float(text)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
