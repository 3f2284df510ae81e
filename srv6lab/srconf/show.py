"""Local SIDs as text in SREXT's layout, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .state import COUNTER_NAMES, DISCARDS, Counters, Interface, LocalSid, Traffic

HEADING = "SRv6 - MY LOCALSID TABLE:\n" + "=" * 50
RULE = "-" * 54

Entry = tuple[LocalSid, Counters]


def as_text(entries: Sequence[Entry]) -> str:
    """SREXT's table, with a line for each kind of discard that happened."""
    return "\n".join([HEADING, *(_block(*entry) for entry in entries)])


def _block(local_sid: LocalSid, counters: Counters) -> str:
    lines = [
        _line("SID", str(local_sid.sid)),
        _line("Behavior", local_sid.behavior.word),
        *_parameters(local_sid),
        _line("Good traffic", _traffic(counters.good)),
        _line("Bad traffic", _traffic(counters.bad)),
    ]
    if local_sid.iif:
        lines.append(_line("Returned", _traffic(counters.of["returned"])))
    happened = [name for name in ("only_chain", *DISCARDS) if counters.of[name].packets]
    lines += [f"\t   {name + ':':<20}{_traffic(counters.of[name])}" for name in happened]
    return "\n".join([*lines, RULE])


def _parameters(local_sid: LocalSid) -> list[str]:
    lines = []
    if shown := next_hop(local_sid):
        lines.append(_line("Next hop", shown))
    if local_sid.behavior.interfaces:
        lines.append(_line("OIF", _interface(local_sid.oif)))
    if local_sid.iif:
        lines.append(_line("IIF", _interface(local_sid.iif)))
    if chain := local_sid.chain:
        lines.append(_line("Source", str(chain.source)))
        lines.append(_line("Segments", ",".join(map(str, chain.segments))))
        lines.append(_line("Left", str(chain.segments_left)))
    return lines


def _line(label: str, value: str) -> str:
    return f"\t {label + ':' if len(label) > 8 else f'{label:<8}:':<17}{value} "


def _interface(interface: Interface) -> str:
    return interface.current_name or f"{interface.name} (gone)"


def _traffic(traffic: Traffic) -> str:
    return f"[{traffic.packets} packets : {traffic.bytes}  bytes]"


def next_hop(local_sid: LocalSid) -> str | None:
    """The next hop as it was given."""
    if local_sid.mac is not None:
        return local_sid.mac.hex(":")
    return str(local_sid.next_hop) if local_sid.next_hop else None


def as_json(entries: Sequence[Entry]) -> str:
    """A list with one object for each SID."""
    return json.dumps([_object(*entry) for entry in entries], indent=2)


def _object(local_sid: LocalSid, counters: Counters) -> dict[str, Any]:
    chain = local_sid.chain
    return {
        "sid": str(local_sid.sid),
        "behavior": local_sid.behavior.name,
        "next_hop": next_hop(local_sid),
        "oif": _name(local_sid.oif) if local_sid.behavior.interfaces else None,
        "iif": _name(local_sid.iif) if local_sid.iif else None,
        "source": str(chain.source) if chain else None,
        "segments": [str(segment) for segment in chain.segments] if chain else None,
        "segments_left": chain.segments_left if chain else None,
        "good": asdict(counters.good),
        "bad": asdict(counters.bad),
        "counters": {name: asdict(counters.of[name]) for name in COUNTER_NAMES},
    }


def _name(interface: Interface) -> str:
    return interface.current_name or interface.name
