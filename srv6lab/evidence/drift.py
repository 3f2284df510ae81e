"""What of a running node isn't as Day0 left it."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.topology.places import Place


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one section of a namespace's settings ("rule", "firewall", …) the lines that are gone, and those that are
    new; a line that was changed is in both."""

    node: str
    netns: str
    section: str
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.node, self.netns)

    def lines(self) -> tuple[str, ...]:
        """All of them, marked as `diff` marks them."""
        return tuple([f"- {line}" for line in self.gone] + [f"+ {line}" for line in self.new])
