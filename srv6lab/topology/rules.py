"""Which table a packet is looked up in, as `ip rule` has it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from srv6lab.topology.scalars import Model, Network, NicName, Table


class Rule(Model):
    """What all of these match that are given is looked up in `table`, and where that has no route by the next rule;
    the least `priority` comes first, and the main table last. `iif` is the NIC that a packet came in by, `lo` for what
    the node itself sends."""

    priority: Annotated[int, Field(strict=True, ge=1, le=32765)]
    source: Network | None = Field(alias="from", default=None)
    to: Network | None = None
    iif: NicName | None = None
    fwmark: Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)] | None = None
    table: Table

    @property
    def versions(self) -> tuple[int, ...]:
        """The families that it is laid for."""
        given = next((one.version for one in (self.source, self.to) if one), None)
        return (given,) if given else (4, 6)
