"""`stop`: a node that is dead to all others."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.scalars import Model, Name


class Stop(Model):
    """A node by its name."""

    node: Name


class StopAction(Action):
    """Take all of a node's links down at once, as when it dies; taken back, Day0 runs again."""

    stop: Stop

    def mentions(self) -> Iterator[Mention]:
        yield Mention("node", self.stop.node, ("stop", "node"))
