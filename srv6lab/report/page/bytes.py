"""A frame's bytes on the page, and which of a packet's fields each part of them is."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from functools import lru_cache
from typing import Any

from srv6lab.capture.dissect import Frame, Part
from srv6lab.evidence.fields import prefix

MOST = 256  # bytes that are shown of a frame
_IP, _SRH, _OTHERS = ("IPv4", "IPv6"), "SRH", ("ICMP", "ICMPv6", "UDP", "TCP", "Payload")
_OF_HEADERS = {
    "src": "source", "dst": "destination", "hlim": "hop_limit", "ttl": "hop_limit", "nxt": "next_header",
    "proto": "protocol", "plen": "length_field", "len": "length_field", "flow": "flow_label",
    "tclass": "traffic_class", "dsfield": "traffic_class", "version": "version", "hdr_len": "header_length",
    "id": "identification", "flags": "flags", "frag_offset": "fragment_offset", "checksum": "checksum",
    "routing.nxt": "protocol", "routing.segleft": "segments_left", "routing.srh.addr": "segment_list", "routing.srh.tag": "srh.tag",
    "routing.srh.last_entry": "srh.last_entry", "routing.srh.flags": "srh.flags", "routing.len": "srh.hdr_ext_len",
}  # fmt: skip
_OF_FRAMES = {
    "icmp.type": "icmp.type", "icmpv6.type": "icmp.type", "icmp.code": "icmp.code", "icmpv6.code": "icmp.code",
    "icmp.checksum": "icmp.checksum", "icmpv6.checksum": "icmp.checksum", "icmp.ident": "icmp.identifier",
    "icmpv6.echo.identifier": "icmp.identifier", "icmp.seq": "icmp.sequence",
    "icmpv6.echo.sequence_number": "icmp.sequence", "udp.srcport": "udp.source_port",
    "udp.dstport": "udp.destination_port", "udp.length": "udp.length", "udp.checksum": "udp.checksum",
    "tcp.srcport": "tcp.source_port", "tcp.dstport": "tcp.destination_port", "data.data": "payload",
    "udp.payload": "payload", "tcp.payload": "payload", "icmp.data_time": "echo_time",
}  # fmt: skip
_EXTENSIONS = ("(0)", "(43)", "(44)", "(60)")  # headers that may stand before what a header carries
_OTHER_NAMES = {"length_field": "length", "srh.tag": "tag"}  # what the outermost header's are called
_MACS = {"eth.src": "source_mac", "eth.dst": "destination_mac"}


def shown_frame(frame: Frame | None, fields: Mapping[str, str]) -> dict[str, Any]:
    """As many bytes as are shown, in hex, and the parts that begin in them."""
    if frame is None:
        return {"bytes": "", "cut": False, "parts": []}
    return _shown(frame, tuple(fields))


@lru_cache
def _shown(frame: Frame, fields: tuple[str, ...]) -> dict[str, Any]:
    """The same frame is seen where it leaves a node and where it comes to the next."""
    named = zip(frame.parts, _names(frame.parts, fields), strict=True)
    return {
        "bytes": frame.data[:MOST].hex(),
        "cut": len(frame.data) > MOST,
        "parts": [_part(part, name) for part, name in named if part.at < MOST],
    }


def _part(part: Part, name: str | None) -> dict[str, Any]:
    return {
        "field": name,
        "label": part.label,
        "value": f"{part.value} [{part.bits}]" if part.bits else part.value,
        "header": part.header,
        "at": part.at,
        "length": min(part.length, MOST - part.at),
        "level": part.level,
    }


def _names(parts: tuple[Part, ...], fields: Container[str]) -> Iterator[str | None]:
    """Of each part the field that it holds, None for one that no witness speaks of. What stands behind a transport
    header is somebody's payload: of a packet that an error quotes nothing is said here."""
    count = sum(not part.name and part.header in _IP for part in _of_the_packet(parts))
    index, over = -1, False
    for part in parts:
        if not part.name:
            over |= index == count - 1 and part.header in _IP
            index += not over and part.header in _IP
        name = "" if over else _name(part, index, count)
        if name.endswith("next_header") and not part.value.endswith(_EXTENSIONS):
            name = name.replace("next_header", "protocol")  # what authors call it, where the two are one
        yield name if name in fields else None


def _of_the_packet(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        if not part.name and part.header in _OTHERS:
            return
        yield part


def _name(part: Part, index: int, count: int) -> str:
    """In the words of `evidence/fields.py`, "" for none."""
    if part.header == "Ethernet":
        name = _MACS.get(part.name, "")
        return f"{prefix(index, count)}frame.{name}" if name and index >= 0 else name
    if part.header in (*_IP, _SRH):
        name = _OF_HEADERS.get(part.name.partition(".")[2], "")
        if index == 0:
            return _OTHER_NAMES.get(name, name)
        return f"{prefix(index, count)}{name}" if name else ""
    return _OF_FRAMES.get(part.name, "")
