"""The behaviors that a local SID can have: one record each, in the order of RFC 8986 section 4.

The record feeds the loader (which parameters it takes), the templates (how Linux spells it)
and the docs. Parameters keep the kernel's names, because they end up in its command.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behavior:
    """One endpoint behavior.

    `code_point` is IANA's number in "SRv6 Endpoint Behaviors" (None for one that has none),
    `section` where its text stands, `kernel_since` the first Linux that has it as a seg6local action,
    None for what an SR proxy does instead.
    """

    name: str
    code_point: int | None
    section: str
    summary: str
    parameters: tuple[str, ...] = ()
    kernel_since: tuple[int, int] | None = (4, 14)


_ALL = (
    Behavior("End", 1, "RFC 8986 4.1", "go on to the next segment"),
    Behavior("End.X", 5, "RFC 8986 4.2", "go on to the next segment over one adjacency", ("nh6",)),
    Behavior("End.T", 9, "RFC 8986 4.3", "go on to the next segment by one IPv6 table", ("table",)),
    Behavior("End.DX6", 16, "RFC 8986 4.4", "decapsulate, hand IPv6 to one adjacency", ("nh6",)),
    Behavior("End.DX4", 17, "RFC 8986 4.5", "decapsulate, hand IPv4 to one adjacency", ("nh4",)),
    Behavior("End.DT6", 18, "RFC 8986 4.6", "decapsulate, look IPv6 up in one table", ("table",)),
    Behavior(
        "End.AD4",
        None,
        "draft-ietf-spring-sr-service-programming 6.2",
        "hand inner IPv4 to an SR-unaware service and give it its headers back",
        ("service",),
        kernel_since=None,
    ),
)

BEHAVIORS: dict[str, Behavior] = {behavior.name: behavior for behavior in _ALL}
PARAMETERS: tuple[str, ...] = tuple(sorted({name for one in _ALL for name in one.parameters}))
