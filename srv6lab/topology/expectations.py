"""What an author expects of routing protocols' messages: fields by the names that Wireshark gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from srv6lab.topology.hmac import KeyNumber
from srv6lab.topology.notation import ETHERNET, PROTOCOLS
from srv6lab.topology.places import LINK, Point
from srv6lab.topology.scalars import (
    Address,
    Flag,
    Model,
    Name,
    PointText,
    Share,
    V6Address,
)

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=120)]
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
FieldText = Annotated[str, StringConstraints(pattern=_ONE_LINE, max_length=200)]


def _texts(value: Any) -> Any:
    """`5` is short for `["5"]`: a field has as many values as the message holds of it."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(one).lower() if isinstance(one, (bool, int)) else one for one in values)


# An editor takes 1.5 for a number; here it is text.
_VALUE = {"type": ["string", "number", "boolean"], "pattern": _ONE_LINE, "maxLength": 200}
_VALUES = WithJsonSchema({"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]})
Values = Annotated[tuple[FieldText, ...], BeforeValidator(_texts), _VALUES]

if TYPE_CHECKING:
    ProtocolName = str
    NextHeader = str
else:
    ProtocolName = Literal[(*PROTOCOLS, ETHERNET)]
    NextHeader = Literal[(*PROTOCOLS, ETHERNET, "routing", "fragment", "hopopts", "dstopts")]


class BoundSids(Model):
    """The SIDs in a field are those that a node's kernel has bound to a behavior for this protocol: which ones
    a router hands out is its own affair. They are in its locator, and none is there twice."""

    field: FieldName
    node: Name
    behavior: Literal["End", "End.X"]


class ControlExpectation(Model):
    """The last message of a protocol at one point in one direction for which `where` holds has these `fields`.

    `protocol` and the fields' names are Wireshark's. A field's values are all that the message has, in the
    order of the wire; an empty list says that it has none.
    """

    at: PointText
    direction: Literal["in", "out"]
    protocol: Literal["isis.hello", "isis.lsp", "bgp"]
    where: dict[FieldName, Values] = Field(default_factory=dict)
    fields: Annotated[dict[FieldName, Values], Field(min_length=1)]
    sids: tuple[BoundSids, ...] = ()

    @property
    def point(self) -> Point:
        return Point.parse(self.at)


class Inner(Model):
    """The innermost IP header of an encapsulated packet."""

    source: Address | None = None
    destination: Address | None = None
    hop_limit: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    protocol: ProtocolName | None = None


SegmentList = Annotated[tuple[V6Address, ...], Field(max_length=64)]
SegmentsLeft = Annotated[int, Field(strict=True, ge=0, le=127)]


class Middle(Inner):
    """The second of three IP headers: the tunnel within the tunnel."""

    segment_list: SegmentList | None = None
    segments_left: SegmentsLeft | None = None


class PacketExpectation(Model):
    """What a probe's packets look like at one point in one direction.

    `source`, `destination`, `hop_limit`, `flow_label`, `next_header`, `protocol` and `length` are the outermost IP header's:
    `next_header` is what follows it at once, `protocol` what follows all of its extension headers, `length`
    counts the bytes of the whole IP packet. `segment_list` is in wire order (RFC 8754 section 2): index 0 is
    the last segment; an empty list says that there is no SRH. `oam` is its O-flag, `tag` its tag, `hmac` the number of the key that its HMAC
    is of. `count` defaults
    to one for each packet of the probe. `share` is that of the probe's flows which come here so: how many they are
    must be likely by it.
    """

    at: PointText
    direction: Literal["in", "out"]
    probe: Name
    source: Address | None = None
    destination: Address | None = None
    hop_limit: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    next_header: NextHeader | None = None
    protocol: ProtocolName | None = None
    length: Annotated[int, Field(strict=True, ge=20, le=65575)] | None = None
    segment_list: SegmentList | None = None
    segments_left: SegmentsLeft | None = None
    oam: Flag | None = None
    flow_label: Annotated[int, Field(strict=True, ge=0, le=0xFFFFF)] | None = None
    tag: Annotated[int, Field(strict=True, ge=0, le=65535)] | None = None
    hmac: KeyNumber | None = None
    middle: Middle | None = None
    inner: Inner | None = None
    count: Annotated[int, Field(strict=True, ge=1)] | None = None
    share: Share | None = None
    absent: Flag = False

    @property
    def point(self) -> Point:
        return Point.parse(self.at)


WalkLine = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=LINK.pattern, max_length=150)],
        Annotated[str, StringConstraints(min_length=1, max_length=1000)],
    ],
    Field(min_length=1, max_length=1),
]


class Walk(Model):
    """A probe's packets on their way there, and back, link by link; each said once for both ends of the wire. One that is
    `unreviewed` is a prediction that no author has read."""

    unreviewed: Flag = False
    there: tuple[WalkLine, ...] = ()
    back: tuple[WalkLine, ...] = ()


class TunnelExpectation(Model):
    """The outer addresses of a packet whose inner one raised an alert."""

    source: V6Address | None = None
    destination: V6Address | None = None


class AlertExpectation(Model):
    """An alert of a service. Without `count` at least one, with `absent: true` none at all."""

    service: Name
    signature: Annotated[int, Field(strict=True, ge=1)]
    source: Address | None = None
    destination: Address | None = None
    tunnel: TunnelExpectation | None = None
    count: Annotated[int, Field(strict=True, ge=1)] | None = None
    absent: Flag = False


class CounterExpectation(Model):
    """Packets that a firewall's rule or a local SID of a proxy counted during the exercise."""

    firewall: Name | None = None
    sid: V6Address | None = None
    packets: Annotated[int, Field(strict=True, ge=0)]


class LossExpectation(Model):
    """How many echo requests of a probe may stay without an answer: an older way to write the probe's `answered`."""

    probe: Name
    most: Annotated[int, Field(strict=True, ge=0)]


class Expect(Model):
    """The author's word, written by hand. `elsewhere: absent` says that the probes' packets are
    seen at no other point than those listed; without it that is so of probes that have a walk. A walk becomes `packets`
    before anything else looks at the file."""

    walk: dict[Name, Walk] = Field(default_factory=dict)
    packets: tuple[PacketExpectation, ...] = ()
    elsewhere: Literal["absent", "any"] | None = None
    losses: tuple[LossExpectation, ...] = ()
    alerts: tuple[AlertExpectation, ...] = ()
    counters: tuple[CounterExpectation, ...] = ()
    control: tuple[ControlExpectation, ...] = ()
