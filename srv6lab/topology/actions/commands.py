"""`commands`: what no other action can change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.own import Command
from srv6lab.topology.scalars import Model, Name

Commands = Annotated[tuple[Command, ...], Field(min_length=1, max_length=100)]


class OwnCommands(Model):
    """Shell lines for a node: `put` changes something, `back` takes it back, and does no harm when it is run again."""

    node: Name
    put: Commands
    back: Commands


class CommandsAction(Action):
    """Run commands in a node, of which the model knows nothing; taken back by others."""

    commands: OwnCommands

    def mentions(self) -> Iterator[Mention]:
        yield Mention("node", self.commands.node, ("commands", "node"))
