"""Who a policy and its candidate paths are (RFC 9256 sections 2.1 and 2.3 to 2.6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Union

Address = Union[IPv4Address, IPv6Address]

MOST_8, MOST_32 = 2**8 - 1, 2**32 - 1
_NODE_BITS = 128


def within(what: str, number: int, least: int, most: int) -> None:
    """ValueError for a number that isn't from `least` to `most`."""
    if not least <= number <= most:
        raise ValueError(f"{what} is from {least} to {most}, and this is {number}")


def printable(what: str, text: str) -> None:
    """ValueError for a name that isn't made of printable ASCII (sections 2.1 and 2.6)."""
    if not all(" " <= char <= "~" for char in text):
        raise ValueError(f"{what} is made of printable ASCII characters, and this is {text!r}")


class ProtocolOrigin(IntEnum):
    """Who told the headend of a candidate path, by the default values of section 2.3. A headend may give
    them others (0 to 255), as it does with administrative distances."""

    PCEP = 10
    BGP = 20
    CONFIGURATION = 30


@dataclass(frozen=True)
class PolicyId:
    """The headend, the color (a non-zero number of 32 bits) and the endpoint, which may be unspecified
    (section 2.1)."""

    headend: Address
    color: int
    endpoint: Address

    def __post_init__(self) -> None:
        within("a color", self.color, 1, MOST_32)

    def __str__(self) -> str:
        return f"<{self.headend}, {self.color}, {self.endpoint}>"


@dataclass(frozen=True, order=True)
class Originator:
    """The node that provisioned or signaled a candidate path: 160 bits, an ASN and a node address (section
    2.4). Two originators are the same, and are ordered, by these bits."""

    value: int = 0

    def __post_init__(self) -> None:
        within("an originator", self.value, 0, 2 ** (32 + _NODE_BITS) - 1)

    @classmethod
    def of(cls, asn: int, node: Address) -> Originator:
        """IPv4 addresses are in the lowest 32 bits, and so is an ASN of 2 bytes in its 32."""
        within("an ASN", asn, 0, MOST_32)
        return cls(asn << _NODE_BITS | int(node))

    @property
    def asn(self) -> int:
        return self.value >> _NODE_BITS

    @property
    def node(self) -> Address:
        """As IPv4 where it fits into 32 bits: the bits don't tell."""
        return ip_address(self.value & 2**_NODE_BITS - 1)

    def __str__(self) -> str:
        return f"{self.asn}:{self.node}"


@dataclass(frozen=True)
class CandidateId:
    """A candidate path within its policy (section 2.6). Its segment lists and its name don't identify it."""

    protocol_origin: int = ProtocolOrigin.CONFIGURATION
    originator: Originator = Originator()
    discriminator: int = 0

    def __post_init__(self) -> None:
        within("a protocol origin", self.protocol_origin, 0, MOST_8)
        within("a discriminator", self.discriminator, 0, MOST_32)

    def __str__(self) -> str:
        return f"<{self.protocol_origin}, {self.originator}, {self.discriminator}>"


DEFAULT_ID = CandidateId()
