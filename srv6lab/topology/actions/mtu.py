"""`mtu`: a link that takes smaller packets, or larger ones."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.scalars import Model, Mtu, Name


class LinkMtu(Model):
    """A link and the bytes of the largest IP packet that its NICs then send."""

    link: Name
    to: Mtu


class MtuAction(Action):
    """Give both NICs of a link another MTU; taken back, they have the link's own, and all nodes forget what they
    were told of it."""

    mtu: LinkMtu

    def mentions(self) -> Iterator[Mention]:
        yield Mention("link", self.mtu.link, ("mtu", "link"))
