"""What of a running node isn't as Day0 left it."""

from __future__ import annotations

from dataclasses import dataclass, replace

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

    def told(self) -> tuple[str, ...]:
        """The same for a person: a line that was changed is one, with what changed in it."""
        gone, new, changed = [*self.gone], [*self.new], []
        for was in self.gone if self.section in _ONE_A_LINE else ():
            for now in new:
                if line := _change(was, now):
                    gone.remove(was)
                    new.remove(now)
                    changed.append(line)
                    break
        return (*changed, *replace(self, gone=tuple(gone), new=tuple(new)).lines())

    def sentences(self) -> tuple[str, ...]:
        """What differs, each line with its place and section; what would steer a terminal is replaced."""
        lines = (f"{self.place} {self.section}: {line}" for line in self.told())
        return tuple("".join(one if one.isprintable() else "\ufffd" for one in line) for line in lines)


_ONE_A_LINE = (
    "link",
    "address",
    "neighbor",
    "route",
    "rule",
    "sysctl",
    "proxy",
    "file",
)  # a thing, named first
_FEW = 3  # words that may differ in a line that was changed


def _change(was: str, now: str) -> str:
    """What of a line is another, behind the words that say of what: `eth1: mtu 1500 → 1400`; "" for another line."""
    before, after = was.split(), now.split()
    if len(before) != len(after) or before[0] != after[0]:
        return ""
    places = [index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    if not 0 < len(places) <= min(_FEW, len(before) - 2):
        return ""
    names = [f"{before[index - 1]} " if index > 1 else "" for index in places]
    changes = [f"{name}{before[at]} → {after[at]}" for name, at in zip(names, places, strict=True)]
    return f"{before[0]} {', '.join(changes)}"
