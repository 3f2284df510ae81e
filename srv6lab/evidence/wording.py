"""The words in which every witness describes a packet.

An expectation and a captured packet are both turned into the same fields of text; nothing is
filled in, rounded or forgiven on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from srv6lab.evidence.fields import NONE, described
from srv6lab.evidence.packets import PacketView
from srv6lab.topology.notation import ETHERNET, FRAME


@dataclass(frozen=True, slots=True)
class Described:
    """A packet with its fields in words, so that it is described once."""

    packet: PacketView
    fields: Mapping[str, str]

    @classmethod
    def of(cls, packet: PacketView) -> Described:
        return cls(packet, describe(packet))


def describe(packet: PacketView) -> dict[str, str]:
    """A captured packet in the expectation's words; `none` for a header that isn't there."""
    return dict(described(packet))


@lru_cache(maxsize=4096)
def foretell(packet: PacketView) -> Mapping[str, str]:
    """A packet of the model in the same words: only the fields of which the model speaks. The same packet is at many NICs,
    by the RFCs and by Linux, and its words are asked for by many."""
    return dict(described(packet, modeled=True))


def sentence(fields: Mapping[str, str]) -> str:
    """A packet in one line: `2001:db8::1 → fc00:2::a hl 63 [fc00:3::a, *fc00:2::a] SL 1 | …`, the
    active segment starred."""
    text = _tunnel(fields) + _frame(fields)
    if (middle := _below(fields, "middle.")) and {*middle.values()} != {NONE}:
        text += f" | {_tunnel(middle)}{_frame(middle)}"
    inner = _below(fields, "inner.")
    if inner.get("source", NONE) != NONE or inner.get("destination", NONE) != NONE:
        text += f" | {inner.get('source', '*')} → {inner.get('destination', '*')}"
        if inner.get("hop_limit", NONE) != NONE:
            text += f" hl {inner['hop_limit']}"
        protocol = inner.get("protocol")
    else:
        protocol = fields.get("protocol")
    return f"{text} {protocol}" if protocol and protocol != ETHERNET else text


def _frame(fields: Mapping[str, str]) -> str:
    """The word for a frame in a packet."""
    return f" | {FRAME}" if fields.get("protocol") == ETHERNET else ""


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
    if fields.get("hmac", NONE) != NONE:
        text += f" hmac {fields['hmac']}"
    return text


def _starred(fields: Mapping[str, str]) -> str:
    segments = fields["segment_list"].split(", ")
    left = fields.get("segments_left", "")
    if left.isdigit() and int(left) < len(segments):
        segments[int(left)] = f"*{segments[int(left)]}"
    return ", ".join(segments)
