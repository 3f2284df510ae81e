"""SR policies with their candidate paths (RFC 9256 sections 2.1 to 2.8 and 2.12), as they were configured or signaled.

What can't be at all is refused when it is made; what may be invalid at a headend is a value like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Address
from typing import Union

from .identity import DEFAULT_ID, MOST_8, MOST_32, CandidateId, PolicyId, printable, within
from .segments import Segment

DEFAULT_PREFERENCE, DEFAULT_PRIORITY, DEFAULT_WEIGHT = 100, 128, 1


@dataclass(frozen=True)
class SegmentList:
    """Segments, the first visited first, and a weight of 32 bits; 0 makes the list invalid (section 5.1)."""

    segments: tuple[Segment, ...]
    weight: int = DEFAULT_WEIGHT

    def __post_init__(self) -> None:
        within("a weight", self.weight, 0, MOST_32)


@dataclass(frozen=True)
class Explicit:
    """Segment lists that were chosen elsewhere."""

    lists: tuple[SegmentList, ...]


class Metric(Enum):
    """What a dynamic path has the least of: an attribute of its links."""

    IGP = "igp_metric"
    TE = "te_metric"
    DELAY = "delay"


@dataclass(frozen=True)
class Dynamic:
    """An objective and constraints (section 5.2): the links of the path have one of the affinities
    `include_any` (if there are any), all of `include_all`, none of `exclude_any`, and no SRLG of `exclude_srlgs`."""

    metric: Metric = Metric.IGP
    include_any: frozenset[str] = frozenset()
    include_all: frozenset[str] = frozenset()
    exclude_any: frozenset[str] = frozenset()
    exclude_srlgs: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Constituent:
    """A policy of the same headend and endpoint, by its color, and its weight."""

    color: int
    weight: int = DEFAULT_WEIGHT

    def __post_init__(self) -> None:
        within("a color", self.color, 1, MOST_32)
        within("a weight", self.weight, 1, MOST_32)


@dataclass(frozen=True)
class Composite:
    """A group of policies (sections 2.2 and 5.3)."""

    constituents: tuple[Constituent, ...]

    def __post_init__(self) -> None:
        _no_two("constituents", "the color", (one.color for one in self.constituents))


Path = Union[Explicit, Dynamic, Composite]


class Check(Enum):
    """What section 5.1 lets a headend check besides what it must: each SID, where a list ends, and that all
    lists of a path are of one data plane."""

    SIDS = "every SID is verified"
    ENDPOINT = "a list ends at the endpoint"
    DATA_PLANES = "the lists are of one data plane"


@dataclass(frozen=True)
class CandidatePath:
    """One way to do what the policy is for. `name` is for people. `priority` is what was signaled with it."""

    path: Path
    id: CandidateId = DEFAULT_ID
    preference: int = DEFAULT_PREFERENCE
    binding_sid: IPv6Address | None = None
    priority: int | None = None
    name: str = ""
    checks: frozenset[Check] = frozenset()

    def __post_init__(self) -> None:
        within("a preference", self.preference, 0, MOST_32)
        within("a priority", DEFAULT_PRIORITY if self.priority is None else self.priority, 0, MOST_8)
        printable("the name of a candidate path", self.name)

    def __str__(self) -> str:
        return f"{self.name} {self.id}" if self.name else str(self.id)


@dataclass(frozen=True)
class Policy:
    """A policy with one candidate path or more, in any order.

    `keep_installed` is the configuration that rule 2 of section 2.9 speaks of, `specified_bsid_only` that of
    section 6.2.3, `drop_upon_invalid` that of section 8.2. `priority` is None where none is configured.
    """

    id: PolicyId
    candidates: tuple[CandidatePath, ...]
    name: str = ""
    priority: int | None = None
    keep_installed: bool = False
    specified_bsid_only: bool = False
    drop_upon_invalid: bool = False

    def __post_init__(self) -> None:
        within("a priority", DEFAULT_PRIORITY if self.priority is None else self.priority, 0, MOST_8)
        printable("the name of a policy", self.name)
        if not self.candidates:
            raise ValueError(f"policy {self.id} has no candidate path")
        _no_two("candidate paths", "the identity", (one.id for one in self.candidates))
        if any(self.id.color == color for color in colors(self)):
            raise ValueError(f"a constituent of policy {self.id} has its color {self.id.color}")

    @property
    def is_composite(self) -> bool:
        return any(isinstance(one.path, Composite) for one in self.candidates)

    @property
    def effective_priority(self) -> int:
        """What is configured; else the lowest value but the default's that a candidate path was signaled with;
        else the default (section 2.12)."""
        if self.priority is not None:
            return self.priority
        signaled = (one.priority for one in self.candidates if one.priority is not None)
        return min((one for one in signaled if one != DEFAULT_PRIORITY), default=DEFAULT_PRIORITY)


def colors(policy: Policy) -> tuple[int, ...]:
    """The colors of a policy's constituents, of all its composite paths."""
    paths = (one.path for one in policy.candidates)
    return tuple(one.color for path in paths if isinstance(path, Composite) for one in path.constituents)


def in_order_of_priority(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """The order in which policies are computed again: the lowest value first (section 2.12)."""
    return tuple(sorted(policies, key=lambda policy: policy.effective_priority))


def _no_two(what: str, share: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"two {what} have {share} {value}")
        seen.add(value)
