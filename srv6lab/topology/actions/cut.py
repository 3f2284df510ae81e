"""`cut`: a link that carries nothing."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.scalars import Model, Name


class Cut(Model):
    """A link by its name."""

    link: Name


class CutAction(Action):
    """Let nothing through a link, and tell nobody: its NICs stay up. Taken back, it carries packets again."""

    cut: Cut

    def mentions(self) -> Iterator[Mention]:
        yield Mention("link", self.cut.link, ("cut", "link"))
