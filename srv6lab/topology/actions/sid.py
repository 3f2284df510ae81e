"""`sid`: a local SID that comes, or goes."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.scalars import Model, Name, V6Address


class SidName(Model):
    """A local SID of a node."""

    node: Name
    sid: V6Address


class SidChange(Model):
    """One of the two: a SID with its behavior to `add`, or one of the lab's to `delete`."""

    add: LocalSid | None = None
    delete: SidName | None = None


class SidAction(Action):
    """Bind a behavior to a SID, or take a SID away; taken back, Day0 runs again."""

    sid: SidChange

    def mentions(self) -> Iterator[Mention]:
        if self.sid.delete:
            yield Mention("node", self.sid.delete.node, ("sid", "delete", "node"))
