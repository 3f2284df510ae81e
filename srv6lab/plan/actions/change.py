"""What an action comes to in a planned lab. Each action says it in a file of its own, with these three functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from types import MappingProxyType
from typing import Any

from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.firewall import Firewall


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What an action changes in one node: the template under `templates/apply/` whose scripts do it, and its values.

    The template's `work` is `put` or `take`, and `count` where there is a `counter` to be read. `calls` are commands
    that Day0 has to look for because of it.
    """

    what: str
    node: str
    template: str
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    counter: str = ""
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedLab:
    """A planned lab while actions hold: `cut` are links that let nothing through, `withdrawn` nodes that announce no
    locator, and `firewalls` were put in in this order."""

    plan: Plan
    cut: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    firewalls: tuple[Firewall, ...] = ()

    def with_nodes(self, change: Callable[[PlannedNode], PlannedNode]) -> ChangedLab:
        """The lab with every node as `change` has it."""
        return replace(self, plan=replace(self.plan, nodes=tuple(map(change, self.plan.nodes))))


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
