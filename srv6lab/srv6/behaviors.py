"""The behaviors that a local SID can have: one record each, in the order of RFC 8986 section 4.

The record feeds the loader (which parameters it takes), the templates (how Linux spells it)
and the docs. Parameters keep the kernel's names, because they end up in its command.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behavior:
    """One endpoint behavior.

    `code_point` is IANA's number in "SRv6 Endpoint Behaviors", `section` its text in RFC 8986,
    `kernel_since` the first Linux that has it as a seg6local action.
    """

    name: str
    code_point: int
    section: str
    summary: str
    parameters: tuple[str, ...] = ()
    kernel_since: tuple[int, int] = (4, 14)


_ALL = (
    Behavior("End", 1, "4.1", "go on to the next segment"),
    Behavior("End.X", 5, "4.2", "go on to the next segment over one adjacency", ("nh6",)),
    Behavior("End.T", 9, "4.3", "go on to the next segment by one IPv6 table", ("table",)),
    Behavior("End.DX6", 16, "4.4", "decapsulate, hand IPv6 to one adjacency", ("nh6",)),
    Behavior("End.DX4", 17, "4.5", "decapsulate, hand IPv4 to one adjacency", ("nh4",)),
    Behavior("End.DT6", 18, "4.6", "decapsulate, look IPv6 up in one table", ("table",)),
)

BEHAVIORS: dict[str, Behavior] = {behavior.name: behavior for behavior in _ALL}
PARAMETERS: tuple[str, ...] = tuple(sorted({name for one in _ALL for name in one.parameters}))
