"""Local SIDs as text in SREXT's layout, and as JSON."""

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
        _line("Next hop", next_hop(local_sid)),
        _line("OIF", _interface(local_sid.oif)),
        _line("IIF", _interface(local_sid.iif)),
        _line("Good traffic", _traffic(counters.good)),
        _line("Bad traffic", _traffic(counters.bad)),
        _line("Returned", _traffic(counters.of["returned"])),
    ]
    discards = [name for name in DISCARDS if counters.of[name].packets]
    lines += [f"\t   {name + ':':<19}{_traffic(counters.of[name])}" for name in discards]
    return "\n".join([*lines, RULE])


def _line(label: str, value: str) -> str:
    return f"\t {label + ':' if len(label) > 8 else f'{label:<8}:':<17}{value} "


def _interface(interface: Interface) -> str:
    return interface.current_name or f"{interface.name} (gone)"


def _traffic(traffic: Traffic) -> str:
    return f"[{traffic.packets} packets : {traffic.bytes}  bytes]"


def next_hop(local_sid: LocalSid) -> str:
    """The next hop as it was given."""
    return str(local_sid.next_hop) if local_sid.mac is None else local_sid.mac.hex(":")


def as_json(entries: Sequence[Entry]) -> str:
    """A list with one object for each SID."""
    return json.dumps([_object(*entry) for entry in entries], indent=2)


def _object(local_sid: LocalSid, counters: Counters) -> dict[str, Any]:
    return {
        "sid": str(local_sid.sid),
        "behavior": local_sid.behavior.name,
        "next_hop": next_hop(local_sid),
        "oif": local_sid.oif.current_name or local_sid.oif.name,
        "iif": local_sid.iif.current_name or local_sid.iif.name,
        "good": asdict(counters.good),
        "bad": asdict(counters.bad),
        "counters": {name: asdict(counters.of[name]) for name in COUNTER_NAMES},
    }
