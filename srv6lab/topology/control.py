"""What an author expects of routing protocols' messages: fields by the names that Wireshark gives them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from srv6lab.topology.scalars import Model, Name, PointText

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=120)]
FieldText = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]


def _texts(value: Any) -> Any:
    """`5` is short for `["5"]`: a field has as many values as the message holds of it."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(str(one).lower() if isinstance(one, (bool, int)) else one for one in values)


Values = Annotated[tuple[FieldText, ...], BeforeValidator(_texts)]


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
