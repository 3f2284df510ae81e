"""The kinds of values that a topology file is made of: names, addresses, numbers.

Names become hostnames, file names, NIC names and words of a shell: a narrow alphabet serves them all.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError


def _written(value: Any) -> Any:
    """`ipaddress` takes the number 10 for 0.0.0.10, and anything at all after a `%`."""
    if isinstance(value, str) and "%" in value:
        raise PydanticCustomError("zone", "an address with a zone")
    if isinstance(value, (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network)):
        return value  # an interface is an address, too
    raise PydanticCustomError("not_text", "not written as text")


# What `ipaddress` reads, for the JSON Schema; host bits and masks such as /255.0.255.0 it can't see.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
V4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_GROUPS = f"(?:{_GROUP}(?::{_GROUP})*)?"
_AT_MOST = "(?!:*(?:[0-9A-Fa-f.]+:+){%d}[0-9A-Fa-f.])"  # so many groups, where `::` stands for others
_V6 = (
    rf"(?:(?:{_GROUP}:){{7}}{_GROUP}|(?:{_GROUP}:){{6}}{V4}|{_AT_MOST % 7}{_GROUPS}::{_GROUPS}"
    rf"|{_AT_MOST % 6}{_GROUPS}::(?:{_GROUP}:)*{V4})"
)
_V6_LENGTH = "(?:/0*(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?"
V4_ADDRESS, V6_ADDRESS = f"^{V4}$", f"^{_V6}$"
V4_NETWORK = f"^{V4}(?:/(?:0*(?:3[0-2]|[12]?[0-9])|{V4}))?$"
V6_NETWORK = f"^{_V6}{_V6_LENGTH}$"


def _like(pattern: str, kind: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": kind, "pattern": pattern})


Written = BeforeValidator(_written)
_V4Address = Annotated[IPv4Address, _like(V4_ADDRESS, "ipv4")]
_V6Address = Annotated[IPv6Address, _like(V6_ADDRESS, "ipv6")]
_V4Network = Annotated[IPv4Network, _like(V4_NETWORK, "ipv4network")]
_V6Network = Annotated[IPv6Network, _like(V6_NETWORK, "ipv6network")]
V4Address = Annotated[_V4Address, Written]
V6Address = Annotated[_V6Address, Written]
V4Network = Annotated[_V4Network, Written]
V6Network = Annotated[_V6Network, Written]
V6Interface = Annotated[IPv6Interface, _like(V6_NETWORK, "ipv6interface"), Written]
_V4Interface = Annotated[IPv4Interface, _like(V4_NETWORK, "ipv4interface")]
_V6Interface = Annotated[IPv6Interface, _like(V6_NETWORK, "ipv6interface")]
Interface = Annotated[_V4Interface | _V6Interface, Written]
Network = Annotated[_V4Network | _V6Network, Written]
Address = Annotated[_V4Address | _V6Address, Written]


def several(value: Any) -> Any:
    """`x` is short for `[x]`, and nothing for `[]`."""
    return value if isinstance(value, (list, tuple)) else [] if value is None else [value]


Mac = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$", strict=True),
    AfterValidator(str.lower),
]
_NAME = "[A-Za-z][A-Za-z0-9_-]"
NIC = "[A-Za-z][A-Za-z0-9_.-]{0,14}"  # IFNAMSIZ
NAME = rf"^{_NAME}{{0,30}}$"
ENDPOINT = rf"^{_NAME}{{0,30}}:{NIC}$"
PLACE_TEXT = rf"^{_NAME}*(/{_NAME}*)?$"
POINT_TEXT = rf"^{_NAME}*(/{_NAME}*)?:{NIC}$"
NUMBERED = re.compile("eth[1-9][0-9]{0,3}")  # NICs as Vagrant counts them
Name = Annotated[str, StringConstraints(pattern=NAME)]
NicName = Annotated[str, StringConstraints(pattern=f"^{NIC}$")]
TraceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
FILE_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")
LONGEST_FILE_NAME = 100
FileName = Annotated[str, StringConstraints(pattern=FILE_NAME.pattern, max_length=LONGEST_FILE_NAME)]
# A part of a whole, above 0 and not above 1: 3/4.
Share = Annotated[str, StringConstraints(pattern=r"^(any|[1-9][0-9]{0,5}/[1-9][0-9]{0,5})$")]
PlaceText = Annotated[str, StringConstraints(pattern=PLACE_TEXT)]
PointText = Annotated[str, StringConstraints(pattern=POINT_TEXT)]
Flag = Annotated[bool, Field(strict=True)]
Mtu = Annotated[int, Field(strict=True, ge=1280, le=9216)]
BoxName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$", max_length=100),
]
_VERSION = r"(([<>]=?|!=|=|~>) ?)?[0-9]+(\.[0-9A-Za-z]+)*"
BOX_VERSION = rf"^{_VERSION}(, ?{_VERSION})*$"
BoxVersion = Annotated[str, StringConstraints(pattern=BOX_VERSION, max_length=60)]
Megabytes = Annotated[int, Field(strict=True, ge=128, le=262144)]
# The kernel has tables of its own from 253 on.
Table = Annotated[int, Field(strict=True, ge=1, le=252)]
Cpus = Annotated[int, Field(strict=True, ge=1, le=64)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
