"""The behaviors that a local SID can have: one record each, in the order of RFC 8986 section 4.

The record feeds the loader (which parameters it takes), the templates (how Linux spells it), the model (what
it does to a packet) and the docs. Parameters keep the kernel's names, because they end up in its command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .packet import Packet
    from .results import LocalSid, Result

PSP, NEXT_CSID = "PSP", "NEXT-CSID"  # RFC 8986 section 4.16.1, RFC 9800 section 4.1


@dataclass(frozen=True, slots=True)
class Behavior:
    """One endpoint behavior.

    `code_point` is IANA's number in "SRv6 Endpoint Behaviors" (None for one that has none),
    `section` where its text stands, `kernel_since` the first Linux that has it as a seg6local action,
    None for one that it hasn't (in a lab, an SR proxy does that one). `model` is where the behavior itself stands
    in this room, `module:function`: what only reads records doesn't wait for it. `in_labs` is whether a lab can have it: whether Day0 can install it.
    `flavors` are those that Linux has for it, with the first Linux that does.
    """

    name: str
    code_point: int | None
    section: str
    summary: str
    parameters: tuple[str, ...] = ()
    kernel_since: tuple[int, int] | None = (4, 14)
    model: str = field(default="", repr=False)
    in_labs: bool = True
    flavors: tuple[tuple[str, tuple[int, int]], ...] = ()

    @property
    def act(self) -> Callable[[Packet, LocalSid], Result] | None:
        """The behavior itself, None for one that isn't modeled."""
        if not self.model:
            return None
        module, _, function = self.model.partition(":")
        found: Any = getattr(import_module(f".{module}", __package__), function)
        act: Callable[[Packet, LocalSid], Result] = found
        return act


_ALL = (
    Behavior(
        "End",
        1,
        "RFC 8986 4.1",
        "go on to the next segment",
        model="endpoint:end",
        flavors=((PSP, (6, 3)), (NEXT_CSID, (6, 1))),
    ),
    Behavior(
        "End.X",
        5,
        "RFC 8986 4.2",
        "go on to the next segment over one adjacency",
        ("nh6",),
        model="endpoint:end_x",
        flavors=((NEXT_CSID, (6, 6)),),
    ),
    Behavior(
        "End.T",
        9,
        "RFC 8986 4.3",
        "go on to the next segment by one IPv6 table",
        ("table",),
        model="endpoint:end_t",
    ),
    Behavior(
        "End.DX6",
        16,
        "RFC 8986 4.4",
        "decapsulate, hand IPv6 to one adjacency",
        ("nh6",),
        model="decapsulation:end_dx6",
    ),
    Behavior(
        "End.DX4",
        17,
        "RFC 8986 4.5",
        "decapsulate, hand IPv4 to one adjacency",
        ("nh4",),
        model="decapsulation:end_dx4",
    ),
    Behavior(
        "End.DT6",
        18,
        "RFC 8986 4.6",
        "decapsulate, look IPv6 up in one table",
        ("table",),
        model="decapsulation:end_dt6",
    ),
    Behavior(
        "End.DT4",
        19,
        "RFC 8986 4.7",
        "decapsulate, look IPv4 up in one table",
        ("table",),
        (5, 11),
        model="decapsulation:end_dt4",
        in_labs=False,
    ),
    Behavior(
        "End.DT46",
        20,
        "RFC 8986 4.8",
        "decapsulate, look IP up in one table",
        ("table",),
        (5, 14),
        model="decapsulation:end_dt46",
        in_labs=False,
    ),
    Behavior(
        "End.DX2",
        21,
        "RFC 8986 4.9",
        "decapsulate, hand the frame to one interface",
        ("oif",),
        model="decapsulation:end_dx2",
        in_labs=False,
    ),
    Behavior(
        "End.B6.Encaps",
        14,
        "RFC 8986 4.13",
        "go on inside a policy",
        ("policy",),
        model="binding:end_b6_encaps",
    ),
    Behavior(
        "End.B6.Encaps.Red",
        27,
        "RFC 8986 4.14",
        "go on inside a policy, with a reduced SRH",
        ("policy",),
        None,
        model="binding:end_b6_encaps_red",
        in_labs=False,
    ),
    Behavior(
        "End.AD4",
        None,
        "draft-ietf-spring-sr-service-programming 6.2",
        "hand inner IPv4 to an SR-unaware service and give it its headers back",
        ("service",),
        kernel_since=None,
    ),
)

REGISTRY: dict[str, Behavior] = {behavior.name: behavior for behavior in _ALL}
BEHAVIORS: dict[str, Behavior] = {name: behavior for name, behavior in REGISTRY.items() if behavior.in_labs}
PARAMETERS: tuple[str, ...] = tuple(sorted({name for one in BEHAVIORS.values() for name in one.parameters}))
