"""Which policy a packet is steered into (RFC 9256 section 8): by its destination, or by its flow.

By its binding SID, and by a local rule over every route (sections 8.3 and 8.7), there is nothing to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from .identity import Address, PolicyId
from .state import Action, States

FORWARDING_CLASSES = 8
# Of class 0 on Linux: those of the others follow. Tables that a lab writes end at 252, those of its VRFs begin at
# 1001, and the rule that leads to these has the preference 1000.
FIRST_MARK, FIRST_TABLE, FIRST_PREFERENCE = 0x100, 900, 1000


class ColorOnly(Enum):
    """The CO flags of a color (section 8.8.1): how far to look for a policy of it."""

    ENDPOINT = 0
    NULL_ENDPOINT = 1
    ANY_ENDPOINT = 2

    @classmethod
    def of(cls, flags: int) -> ColorOnly:
        """3 is reserved, and is read as 0."""
        return cls.ENDPOINT if flags == 3 else cls(flags)


@dataclass(frozen=True)
class Color:
    """A color of a route, with its CO flags."""

    number: int
    co: ColorOnly = ColorOnly.ENDPOINT


@dataclass(frozen=True)
class Destination:
    """The policy that a route is installed on, None for its next hop by the IGP, and the rule."""

    policy: PolicyId | None
    chosen_by: str


def per_destination(next_hop: Address, colors: Iterable[Color], states: States) -> Destination:
    """Sections 8.4 and 8.8: the highest color first, and of each as far as its CO flags let look. A policy
    that drops what it can't carry is used as one that is valid (section 8.8.3)."""
    usable = [one for one, state in states.items() if state.action is not Action.FORWARD]
    for color in sorted(colors, key=lambda one: -one.number):
        for step in _STEPS[: _FAR[color.co]]:
            for policy in usable:
                if policy.color == color.number and step.fits(policy.endpoint, next_hop):
                    return Destination(policy, f"color {color.number}, {step.what}")
    return Destination(None, "no color has a policy that is valid")


@dataclass(frozen=True)
class _Step:
    what: str
    fits: Callable[[Address, Address], bool]


def _null(endpoint: Address) -> bool:
    return endpoint.is_unspecified


_STEPS = (
    _Step("its endpoint", lambda endpoint, hop: endpoint == hop),
    _Step(
        "the null endpoint of its family",
        lambda endpoint, hop: _null(endpoint) and endpoint.version == hop.version,
    ),
    _Step("a null endpoint", lambda endpoint, hop: _null(endpoint)),
    _Step("an endpoint of its family", lambda endpoint, hop: endpoint.version == hop.version),
    _Step("any endpoint", lambda endpoint, hop: True),
)
_FAR = {ColorOnly.ENDPOINT: 1, ColorOnly.NULL_ENDPOINT: 3, ColorOnly.ANY_ENDPOINT: 5}


@dataclass(frozen=True)
class PerFlow:
    """The policy of every forwarding class, None for the path that the IGP has; `bypassed` where all are the
    first's, so that no array is needed."""

    entries: tuple[PolicyId | None, ...]
    bypassed: bool


def per_flow(array: Mapping[int, PolicyId], states: States) -> PerFlow:
    """Section 8.6: a class without a policy, or with one that isn't valid, is as class 0. That one has the
    path of the IGP, unless it is given a policy too."""
    if not set(array) <= set(range(FORWARDING_CLASSES)):
        raise ValueError(f"a forwarding class is from 0 to {FORWARDING_CLASSES - 1}")
    usable = {
        number: policy
        for number, policy in array.items()
        if policy in states and states[policy].action is not Action.FORWARD
    }
    first = usable.get(0)
    entries = tuple(usable.get(number, first) for number in range(FORWARDING_CLASSES))
    return PerFlow(entries, all(one == first for one in entries))
