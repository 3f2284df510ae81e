"""The kinds of values that a topology file is made of: names, addresses, numbers.

Names become hostnames, file names, NIC names and words of a shell: a narrow alphabet serves them all.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _written(value: Any) -> Any:
    """`ipaddress` takes the number 10 for 0.0.0.10, and anything at all after a `%`."""
    if isinstance(value, str) and "%" in value:
        raise PydanticCustomError("zone", "an address with a zone")
    if isinstance(value, (str, IPv4Address, IPv6Address, IPv4Network, IPv6Network)):
        return value
    raise PydanticCustomError("not_text", "not written as text")


Written = BeforeValidator(_written)
V4Address = Annotated[IPv4Address, Written]
V6Address = Annotated[IPv6Address, Written]
V4Network = Annotated[IPv4Network, Written]
V6Network = Annotated[IPv6Network, Written]
V6Interface = Annotated[IPv6Interface, Written]
Network = Annotated[IPv4Network | IPv6Network, Written]
Address = Annotated[IPv4Address | IPv6Address, Written]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
NicName = Annotated[str, StringConstraints(pattern=r"^eth[1-9][0-9]?$")]
TraceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$", max_length=100
    ),
]
# A part of a whole, above 0 and not above 1: 3/4.
Share = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$")]
PlaceText = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?$")]
PointText = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?:[a-z][a-z0-9-]*$")]
Mtu = Annotated[int, Field(strict=True, ge=1280, le=9216)]
BoxName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$", max_length=100),
]
_VERSION = r"(([<>]=?|!=|=|~>) ?)?[0-9]+(\.[0-9A-Za-z]+)*"
BOX_VERSION = rf"^{_VERSION}(, ?{_VERSION})*$"
BoxVersion = Annotated[str, StringConstraints(pattern=BOX_VERSION, max_length=60)]
Megabytes = Annotated[int, Field(strict=True, ge=128, le=262144)]
Cpus = Annotated[int, Field(strict=True, ge=1, le=64)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
