"""The types of segments, A to K (RFC 9256 section 4): what each is, and how it is written.

Here they are only read. What becomes of them at a headend is `resolution`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar, Union

from .identity import MOST_32, Address, within

MOST_LABEL, MOST_ALGORITHM = 2**20 - 1, 2**8 - 1


class DataPlane(Enum):
    MPLS = "SR-MPLS"
    SRV6 = "SRv6"


class SegmentType(Enum):
    """A letter, what a segment of that type is, its data plane, and the IP version of its addresses."""

    A = "A", "SR-MPLS label", DataPlane.MPLS, 0
    B = "B", "SRv6 SID", DataPlane.SRV6, 6
    C = "C", "IPv4 prefix with optional SR algorithm", DataPlane.MPLS, 4
    D = "D", "IPv6 prefix with optional SR algorithm for SR-MPLS", DataPlane.MPLS, 6
    E = "E", "IPv4 prefix with local interface ID", DataPlane.MPLS, 4
    F = "F", "IPv4 addresses of a link", DataPlane.MPLS, 4
    G = "G", "IPv6 prefixes and interface IDs of a link for SR-MPLS", DataPlane.MPLS, 6
    H = "H", "IPv6 addresses of a link for SR-MPLS", DataPlane.MPLS, 6
    I = "I", "IPv6 prefix with optional SR algorithm for SRv6", DataPlane.SRV6, 6  # noqa: E741
    J = "J", "IPv6 prefixes and interface IDs of a link for SRv6", DataPlane.SRV6, 6
    K = "K", "IPv6 addresses of a link for SRv6", DataPlane.SRV6, 6

    def __init__(self, letter: str, what: str, data_plane: DataPlane, version: int) -> None:
        self.letter, self.what, self.data_plane, self.version = letter, what, data_plane, version

    def __str__(self) -> str:
        return f"type {self.letter} ({self.what})"


@dataclass(frozen=True)
class Label:
    """Type A."""

    type: ClassVar[SegmentType] = SegmentType.A
    label: int

    def __post_init__(self) -> None:
        within("a label", self.label, 0, MOST_LABEL)

    def __str__(self) -> str:
        return f"label {self.label}"


@dataclass(frozen=True)
class SidSegment:
    """Type B. A `behavior` asks the headend to verify that the SID has it."""

    type: ClassVar[SegmentType] = SegmentType.B
    sid: IPv6Address
    behavior: str = ""

    def __str__(self) -> str:
        return str(self.sid)


class _Resolved:
    """What the headend has to resolve. A `sid` (for SR-MPLS, a label) or a `behavior` asks it to verify that this is
    what comes of it."""

    algorithm: int | None
    sid: IPv6Address | int | None
    behavior: str

    def __post_init__(self) -> None:
        if self.algorithm is not None:
            within("an SR algorithm", self.algorithm, 0, MOST_ALGORITHM)

    @property
    def _by(self) -> str:
        return "" if self.algorithm is None else f", algorithm {self.algorithm}"


@dataclass(frozen=True)
class NodeSegment(_Resolved):
    """Types C, D and I: the node that a prefix comes from."""

    type: SegmentType
    prefix: Address
    algorithm: int | None = None
    sid: IPv6Address | int | None = None
    behavior: str = ""

    def __str__(self) -> str:
        return f"the node of {self.prefix}{self._by}"


@dataclass(frozen=True)
class InterfaceSegment(_Resolved):
    """Types E, G and J: the link behind an interface of the node that a prefix comes from. What is remote
    is needed only where the link has several neighbors."""

    type: SegmentType
    prefix: Address
    interface: int
    remote_prefix: Address | None = None
    remote_interface: int | None = None
    algorithm: int | None = None
    sid: IPv6Address | int | None = None
    behavior: str = ""

    def __post_init__(self) -> None:
        for number in (self.interface, self.remote_interface or 0):
            within("an interface ID", number, 0, MOST_32)
        super().__post_init__()

    def __str__(self) -> str:
        return f"interface {self.interface} of the node of {self.prefix}{self._by}"


@dataclass(frozen=True)
class LinkSegment(_Resolved):
    """Types F, H and K: the link between two addresses."""

    type: SegmentType
    local: Address
    remote: Address
    algorithm: int | None = None
    sid: IPv6Address | int | None = None
    behavior: str = ""

    def __str__(self) -> str:
        return f"the link from {self.local} to {self.remote}{self._by}"


Segment = Union[Label, SidSegment, NodeSegment, InterfaceSegment, LinkSegment]


@dataclass(frozen=True)
class _Form:
    """How a type is written: its class, the keys that it needs, and those that it may have."""

    made: Callable[..., Segment]
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


_SRV6 = ("algorithm", "sid", "behavior")
_REMOTE = ("remote_prefix", "remote_interface")
_FORMS = {
    SegmentType.A: _Form(Label, ("label",)),
    SegmentType.B: _Form(SidSegment, ("sid",), ("behavior",)),
    SegmentType.C: _Form(NodeSegment, ("prefix",), ("algorithm", "sid")),
    SegmentType.D: _Form(NodeSegment, ("prefix",), ("algorithm", "sid")),
    SegmentType.E: _Form(InterfaceSegment, ("prefix", "interface"), ("sid",)),
    SegmentType.F: _Form(LinkSegment, ("local", "remote"), ("sid",)),
    SegmentType.G: _Form(InterfaceSegment, ("prefix", "interface"), (*_REMOTE, "sid")),
    SegmentType.H: _Form(LinkSegment, ("local", "remote"), ("sid",)),
    SegmentType.I: _Form(NodeSegment, ("prefix",), _SRV6),
    SegmentType.J: _Form(InterfaceSegment, ("prefix", "interface"), (*_REMOTE, *_SRV6)),
    SegmentType.K: _Form(LinkSegment, ("local", "remote"), _SRV6),
}
_NUMBERS = frozenset({"label", "algorithm", "interface", "remote_interface"})


def parse(written: str | Mapping[str, Any]) -> Segment:
    """A segment as it is written: the text of an SRv6 SID, or a mapping with its `type` and the keys of that
    type. ValueError says all that is wrong."""
    given = {"type": "B", "sid": written} if isinstance(written, str) else dict(written)
    letter = given.pop("type", None)
    if not isinstance(letter, str) or letter not in SegmentType.__members__:
        raise ValueError(f"a segment's `type` is a letter from A to K, and this is {letter!r}")
    kind = SegmentType[letter]
    form = _FORMS[kind]
    problems = [f"{kind} needs `{key}`" for key in form.needs if key not in given]
    problems += [f"{kind} has no `{key}`" for key in given if key not in (*form.needs, *form.may)]
    values = {key: _value(kind, key, one, problems) for key, one in given.items()}
    if problems:
        raise ValueError("; ".join(problems))
    return form.made(**values) if form.made in (Label, SidSegment) else form.made(type=kind, **values)


def _value(kind: SegmentType, key: str, given: Any, problems: list[str]) -> Any:
    read: Callable[[Any], Any] = IPv4Address if kind.version == 4 else IPv6Address
    if key in _NUMBERS or (key == "sid" and kind.data_plane is DataPlane.MPLS):
        read = _number
    elif key == "behavior":
        read = str
    try:
        return read(given)
    except ValueError as error:
        problems.append(f"`{key}` of {kind}: {error}")
        return None


def _number(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError(f"a number is needed, and this is {given!r}")
    return given
