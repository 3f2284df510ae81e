"""The words in which every witness describes a packet.

An expectation and a captured packet are both turned into the same fields of text; nothing is
filled in, rounded or forgiven on the way.
"""

from __future__ import annotations

from collections.abc import Mapping

from srv6lab.evidence.packets import IpHeader, PacketView
from srv6lab.topology.expectations import Inner, Middle

NONE = "none"
O_FLAG = 0x20  # of an SRH (RFC 9259 section 2.1)


def describe(packet: PacketView) -> dict[str, str]:
    """A captured packet in the expectation's words; `none` for a header that isn't there."""
    outer, count = packet.outer, len(packet.headers)
    middle = _header(packet.headers[1] if count > 2 else None)
    inner = _header(packet.innermost if count > 1 else None)
    return {
        **_header(outer),
        "next_header": outer.next_header,
        "length": str(packet.ip_length),
        "oam": flag_word(outer.srh.flags & O_FLAG) if outer.srh else NONE,
        **{f"middle.{name}": value for name, value in middle.items()},
        **{f"inner.{name}": inner[name] for name in Inner.model_fields},
    }


def flag_word(value: int) -> str:
    return "set" if value else "not set"


def _header(header: IpHeader | None) -> dict[str, str]:
    """One IP header with its SRH, `none` all over for one that isn't there."""
    if header is None:
        return dict.fromkeys(Middle.model_fields, NONE)
    srh = header.srh
    return {
        "source": str(header.source),
        "destination": str(header.destination),
        "hop_limit": str(header.hop_limit),
        "protocol": header.protocol,
        "segment_list": listed_segments(srh.segment_list) if srh else NONE,
        "segments_left": str(srh.segments_left) if srh else NONE,
    }


def sentence(fields: Mapping[str, str]) -> str:
    """A packet in one line: `2001:db8::1 → fc00:2::a hl 63 [fc00:3::a, *fc00:2::a] SL 1 | …`, the
    active segment starred."""
    text = _tunnel(fields)
    if (middle := _below(fields, "middle.")) and {*middle.values()} != {NONE}:
        text += f" | {_tunnel(middle)}"
    inner = _below(fields, "inner.")
    if inner.get("source", NONE) != NONE or inner.get("destination", NONE) != NONE:
        text += f" | {inner.get('source', '*')} → {inner.get('destination', '*')}"
        if inner.get("hop_limit", NONE) != NONE:
            text += f" hl {inner['hop_limit']}"
        protocol = inner.get("protocol")
    else:
        protocol = fields.get("protocol")
    return f"{text} {protocol}" if protocol else text


def _below(fields: Mapping[str, str], name: str) -> dict[str, str]:
    return {key.removeprefix(name): value for key, value in fields.items() if key.startswith(name)}


def _tunnel(fields: Mapping[str, str]) -> str:
    """An IP header with its SRH."""
    text = f"{fields.get('source', '*')} → {fields.get('destination', '*')}"
    if "hop_limit" in fields:
        text += f" hl {fields['hop_limit']}"
    if fields.get("segment_list", NONE) != NONE:
        text += f" [{_starred(fields)}]"
    if fields.get("segments_left", NONE) != NONE:
        text += f" SL {fields['segments_left']}"
    return text


def listed_segments(segments: tuple[object, ...]) -> str:
    return ", ".join(str(segment) for segment in segments)


def _starred(fields: Mapping[str, str]) -> str:
    segments = fields["segment_list"].split(", ")
    left = fields.get("segments_left", "")
    if left.isdigit() and int(left) < len(segments):
        segments[int(left)] = f"*{segments[int(left)]}"
    return ", ".join(segments)
