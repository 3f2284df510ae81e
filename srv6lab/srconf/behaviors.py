"""The behaviors that `srconf localsid add` knows, one entry each.

From RFC 8986 and draft-ietf-spring-sr-service-programming; End.EAD4 and End.EAD6 are SREXT's own: End.AD that
may also be the last segment.  This file says what a behavior is, not what the command line looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from socket import AF_INET, AF_INET6

from .errors import UsageError

ANY, IPV4, IPV6, ETHERNET = 0, 4, 41, 143  # Next Header of what is inside


class Kind(IntEnum):
    """What the eBPF program does for a SID; `enum kind` there."""

    KERNEL = 0
    DYNAMIC = 1
    STATIC = 2
    MASQUERADE = 3


class Position(IntFlag):
    """Where in a policy a SID may stand; `enum position` there."""

    HAS_NEXT = 1
    IS_LAST = 2


@dataclass(frozen=True)
class Behavior:
    """One behavior; `action` is the kernel's seg6local behind it, `next_hop` the IP version of its next hop.

    `interfaces` is how many it takes: none, the one to the next hop, or also the one on which packets return.
    """

    code: int
    name: str
    kind: Kind
    action: str
    inner: int
    position: Position
    next_hop: int | None = None
    interfaces: int = 2

    @property
    def word(self) -> str:
        """The behavior as SREXT spells it."""
        return self.name.lower()

    @property
    def family(self) -> int:
        """The address family of what the service returns; 0 if there is no service."""
        if self.kind is Kind.KERNEL:
            return 0
        return AF_INET if self.inner == IPV4 else AF_INET6


_MIDDLE, _END = Position.HAS_NEXT, Position.IS_LAST
_ANYWHERE = _MIDDLE | _END

BEHAVIORS = (
    Behavior(1, "End", Kind.KERNEL, "End", ANY, _MIDDLE, interfaces=0),
    Behavior(2, "End.X", Kind.KERNEL, "End.X", ANY, _MIDDLE, 6, interfaces=1),
    Behavior(3, "End.DX2", Kind.KERNEL, "End.DX2", ETHERNET, _END, interfaces=1),
    Behavior(4, "End.DX4", Kind.KERNEL, "End.DX4", IPV4, _END, 4, interfaces=1),
    Behavior(5, "End.DX6", Kind.KERNEL, "End.DX6", IPV6, _END, 6, interfaces=1),
    Behavior(6, "End.AD4", Kind.DYNAMIC, "End.DX4", IPV4, _MIDDLE, 4),
    Behavior(7, "End.AD6", Kind.DYNAMIC, "End.DX6", IPV6, _MIDDLE, 6),
    Behavior(8, "End.EAD4", Kind.DYNAMIC, "End.DX4", IPV4, _ANYWHERE, 4),
    Behavior(9, "End.EAD6", Kind.DYNAMIC, "End.DX6", IPV6, _ANYWHERE, 6),
    Behavior(10, "End.AM", Kind.MASQUERADE, "End.X", ANY, _MIDDLE, 6),
    Behavior(11, "End.AS4", Kind.STATIC, "End.DX4", IPV4, _ANYWHERE, 4),
    Behavior(12, "End.AS6", Kind.STATIC, "End.DX6", IPV6, _ANYWHERE, 6),
)


def by_word(word: str) -> Behavior:
    """The behavior that the command line names."""
    for behavior in BEHAVIORS:
        if behavior.word == word.lower():
            return behavior
    known = ", ".join(behavior.word for behavior in BEHAVIORS)
    raise UsageError(f'SRv6 behavior "{word}" is not supported; supported: {known}')


def by_code(code: int) -> Behavior | None:
    """The behavior that a map entry names."""
    return next((behavior for behavior in BEHAVIORS if behavior.code == code), None)
