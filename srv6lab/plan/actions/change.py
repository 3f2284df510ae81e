"""What an action comes to in a planned lab. Each action says it in a file of its own, with these three functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import singledispatch
from types import MappingProxyType
from typing import Any

from srv6lab.evidence.packets import Point
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.firewall import Firewall


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What an action changes in one node: the template under `templates/apply/` whose scripts do it, and its values.

    The template's `work` is `put` or `take`, and `count` where there is a `counter` to be read. `calls` are commands
    that Day0 has to look for because of it. With `again` Day0 is run again to take it back. What Day0 overwrites is `renewed`
    when it runs while this holds. `tries` are commands that work only where the kernel has what it takes, which is `lacks`. One that only
    `waits` changes nothing.
    """

    what: str
    node: str
    template: str
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    counter: str = ""
    calls: tuple[str, ...] = ()
    again: bool = False
    renewed: bool = False
    tries: str = ""
    lacks: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class ChangedLab:
    """A planned lab while actions hold: `cut` are links that let nothing through, `withdrawn` nodes that announce no
    locator, `down` are NICs that are down, `losses` the parts of packets that links lose at each end, and `firewalls` were put in in this order."""

    plan: Plan
    cut: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    down: frozenset[Point] = frozenset()
    losses: Mapping[str, Fraction] = field(default_factory=dict)
    firewalls: tuple[Firewall, ...] = ()

    def with_nodes(self, change: Callable[[PlannedNode], PlannedNode]) -> ChangedLab:
        """The lab with every node as `change` has it."""
        return replace(self, plan=replace(self.plan, nodes=tuple(map(change, self.plan.nodes))))

    def with_node(self, name: str, change: Callable[[PlannedNode], PlannedNode]) -> ChangedLab:
        """The lab with one node as `change` has it."""
        return self.with_nodes(lambda node: change(node) if node.name == name else node)


@singledispatch
def changes(action: Action, plan: Plan) -> tuple[PlannedChange, ...]:
    """What the nodes of a lab are told."""
    raise NotImplementedError(f"nothing in plan/actions says what {action.key} changes")


@singledispatch
def changed(action: Action, lab: ChangedLab) -> ChangedLab:
    """The lab as the model sees it while the action holds: the same, for one that changes nothing in it."""
    return lab


@singledispatch
def needs(action: Action, exercise: str) -> Iterator[tuple[str, str]]:
    """What it takes that not every lab does: the name of the doctor's finding, and who needs it."""
    return iter(())
