"""What an author writes of the parts of the SIDs in a locator."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.scalars import Model, V6Network

_Bits = Annotated[int, Field(strict=True, ge=0, le=128)]


class SidStructure(Model):
    """The lengths in bits of a SID's parts (RFC 9252 section 3.2.1); block and node make the locator."""

    block: _Bits
    node: _Bits
    function: Annotated[int, Field(strict=True, ge=1, le=32)] = 16
    argument: _Bits = 0


F3216, F4024 = "usid-f3216", "uncompressed-f4024"
# What FRR's formats are: block, node, function.
LENGTHS = {F3216: (32, 16, 16), F4024: (40, 24, 16)}
# The functions that FRR lets others choose, of 16 bits; those of a uSID locator are its "explicit LIB".
EXPLICIT = {True: range(0xFE00, 0xFF00), False: range(0xFF00, 0x10000)}
# Behind it the functions are 32 bits long ("explicit wide LIB"), so that FRR puts none into an MPLS label.
WIDE = 0xFFF7


class Locator(Model):
    """A locator of a router with FRR, beside or in place of the one that `locator` says. With `behavior: usid` its SIDs
    may stand several in an address (RFC 9800 section 4.1); a `format` is FRR's name for the lengths of their parts."""

    prefix: V6Network
    behavior: Literal["usid"] | None = None
    format: Literal["usid-f3216", "uncompressed-f4024"] | None = None
    block: _Bits | None = None
    node: _Bits | None = None
    function: Annotated[int, Field(strict=True, ge=1, le=32)] | None = None
    argument: _Bits = 0

    @property
    def usid(self) -> bool:
        return self.behavior == "usid" or self.format == F3216

    @property
    def structure(self) -> SidStructure | None:
        """The parts of its SIDs, None where neither a format nor the author says them."""
        named = F3216 if self.usid else self.format
        if named:
            block, node, function = LENGTHS[named]
            return SidStructure(block=block, node=node, function=function)
        if self.block is None or self.node is None:
            return None
        function = self.function or 16
        return SidStructure(block=self.block, node=self.node, function=function, argument=self.argument)

    def holds(self, sid: IPv6Address) -> bool:
        """Whether FRR binds a SID of this locator: one in it, or with NEXT-CSID one in its block."""
        block = IPv6Network((self.prefix.network_address, LENGTHS[F3216][0]), strict=False)
        return sid in self.prefix or (self.usid and sid in block)
