"""Where packets are handled and seen: values, each read from its text here and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = "[A-Za-z][A-Za-z0-9_-]*"
_PLACE = rf"{_NAME}(?:/{_NAME})?"
_SIDE = rf"{_PLACE}(?::[A-Za-z][A-Za-z0-9_.-]*)?"
# A wire, one end of it, or where packets end without being delivered.
LINK = re.compile(rf"^(?:({_SIDE}) > ({_SIDE})|from ({_SIDE})|into ({_SIDE})|lost at ({_PLACE}))$")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A network namespace: `node`, or `node/netns` for one that is nested in it."""

    node: str
    netns: str = ""

    def __str__(self) -> str:
        return f"{self.node}/{self.netns}" if self.netns else self.node

    @classmethod
    def parse(cls, text: str) -> Place:
        node, _, netns = text.partition("/")
        return cls(node, netns)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A NIC: `node:nic`, or `node/netns:nic` for one in a nested namespace."""

    node: str
    nic: str
    netns: str = ""

    def __str__(self) -> str:
        return f"{self.place}:{self.nic}"

    @property
    def place(self) -> Place:
        return Place(self.node, self.netns)

    @classmethod
    def parse(cls, text: str) -> Point:
        """Read `node:nic` or `node/netns:nic`; ValueError for anything else."""
        owner, colon, nic = text.rpartition(":")
        place = Place.parse(owner)
        if not colon or not place.node or not nic:
            raise ValueError(f"{text!r} is not a point: write node:nic, as in r1:eth2")
        return cls(place.node, nic, place.netns)
