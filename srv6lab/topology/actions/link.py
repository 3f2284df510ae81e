"""`link`: a NIC that is taken down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import StringConstraints

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.places import Point
from srv6lab.topology.scalars import ENDPOINT, Model


class LinkState(Model):
    """A NIC, and the state that it gets."""

    at: Annotated[str, StringConstraints(pattern=ENDPOINT)]
    state: Literal["down"]

    @property
    def point(self) -> Point:
        return Point.parse(self.at)


class LinkAction(Action):
    """Take a NIC down: its node loses what goes by it, and the other end its carrier. Taken back, Day0 runs again."""

    link: LinkState

    def mentions(self) -> Iterator[Mention]:
        yield Mention("nic", self.link.at, ("link", "at"))
