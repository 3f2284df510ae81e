"""`netem`: a link that loses packets, or delays them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.scalars import Model, Name


class Impairment(Model):
    """A link, the part of packets that it loses in each direction (`10%`), and the `delay` of the others in
    milliseconds."""

    link: Name
    loss: Annotated[str, StringConstraints(pattern=r"^(100|[1-9]?[0-9](\.[0-9]{1,2})?)%$")] | None = None
    delay: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None


class NetemAction(Action):
    """Lose packets of a link, or delay them, by netem at both of its ends; taken back, it carries all at once."""

    netem: Impairment

    def mentions(self) -> Iterator[Mention]:
        yield Mention("link", self.netem.link, ("netem", "link"))
