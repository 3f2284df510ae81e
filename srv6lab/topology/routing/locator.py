"""What an author writes of the parts of the SIDs in a locator."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from srv6lab.topology.scalars import Model

_Bits = Annotated[int, Field(strict=True, ge=0, le=128)]


class SidStructure(Model):
    """The lengths in bits of a SID's parts (RFC 9252 section 3.2.1); block and node make the locator."""

    block: _Bits
    node: _Bits
    function: Annotated[int, Field(strict=True, ge=1, le=32)] = 16
    argument: _Bits = 0
