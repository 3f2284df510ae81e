"""What every action has: one key that says which it is, and the names of the lab's that it uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from srv6lab.topology.scalars import Model


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in an action: of a `node`, a `link`, a `nic`, which is `node:eth1`, or a `place`, which is a node or
    `node/netns`. `path` leads to it from the action."""

    kind: Literal["node", "link", "nic", "place"]
    name: str
    path: tuple[str, ...]


class Action(Model):
    """Something that an exercise changes in a running lab, and takes back."""

    @property
    def key(self) -> str:
        """Its one key."""
        return next(iter(type(self).model_fields))

    def mentions(self) -> Iterator[Mention]:
        """What it names; a check says what of it the lab doesn't have."""
        return iter(())
