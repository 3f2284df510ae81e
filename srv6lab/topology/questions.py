"""Questions that a learner answers from what was captured.

An answer isn't written in the file but where the lab says it itself: so it holds for every variant of the lab, and the
file doesn't give it away. Only what no packet says is `sealed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.scalars import Line, Model, Name, PlaceText, PointText, V6Address

# What a packet can be asked for: a header's field, such as `hop_limit`, or `inner.hop_limit`.
FIELD = r"^(inner\.|middle\.)?[a-z_]{2,20}$"
FieldKind = Literal["address", "mac", "number", "protocol", "segments", "flag"]
# What may be asked of each IP header and of the SRH behind it, and what kind of value that is.
ASKED: Mapping[str, FieldKind] = {
    "source": "address",
    "destination": "address",
    "hop_limit": "number",
    "flow_label": "number",
    "traffic_class": "number",
    "payload_length": "number",
    "version": "number",
    "next_header": "protocol",
    "protocol": "protocol",
    "segment_list": "segments",
    "segments_left": "number",
    "last_entry": "number",
    "hdr_ext_len": "number",
    "tag": "number",
    "oam": "flag",
    "hmac": "number",
    "source_mac": "mac",
    "destination_mac": "mac",
}
ASKED_OF_PACKETS: Mapping[str, FieldKind] = {"length": "number"}


def askable() -> tuple[str, ...]:
    """Every name of a field that a question may have."""
    within = [f"{header}.{name}" for header in ("middle", "inner") for name in ASKED]
    return (*ASKED, *ASKED_OF_PACKETS, *within)


SEAL = r"^[0-9a-f]{16}:[0-9a-f]{64}( [0-9a-f]{16}:[0-9a-f]{64}){0,7}$"


class PacketAt(Model):
    """A probe's packets where they pass a NIC: the first of them, going out or coming in."""

    probe: Name
    at: PointText
    direction: Literal["in", "out"]


class FieldOf(PacketAt):
    """A `field` of the first of them, as expectations name it: `segments_left`, `inner.hop_limit`."""

    field: Annotated[str, StringConstraints(pattern=FIELD)]

    @property
    def kind(self) -> FieldKind:
        name = self.field.rpartition(".")[2]
        return ASKED_OF_PACKETS.get(name) or ASKED[name]


class LegOf(Model):
    """One direction of a probe's way."""

    probe: Name
    leg: Literal["there", "back"] = "there"


class Answer(Model):
    """One of these: a packet's field; how many of a probe's packets passed a NIC; the nodes that a probe's packets cross,
    in their order, the ends included; the node or namespace at which they end; whose a SID is, or its behavior; what a
    node has, as `place`; or a text that `invoke answer --seal` made a hash of, several where several are right."""

    field: FieldOf | None = None
    count: PacketAt | None = None
    nodes: LegOf | None = None
    ends: LegOf | None = None
    owner: V6Address | None = None
    behavior: V6Address | None = None
    place: PlaceText | None = None
    sealed: Annotated[str, StringConstraints(pattern=SEAL)] | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """One, or a check refuses it."""
        return tuple(key for key in type(self).model_fields if getattr(self, key) is not None)

    @property
    def from_captures(self) -> bool:
        """Whether it takes a run to know it."""
        return self.kinds[0] in ("field", "count", "nodes", "ends")

    def probes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """The probes that it names, each with its place."""
        for key in ("field", "count", "nodes", "ends"):
            if (one := getattr(self, key)) is not None:
                yield (key, "probe"), one.probe


class Question(Model):
    """What is asked, what it is worth, and what helps, in order."""

    id: Name
    ask: Line
    answer: Answer
    hints: tuple[Line, ...] = ()
    points: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
