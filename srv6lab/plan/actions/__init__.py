"""What actions of exercises come to in a planned lab: a file each, of the same name as in `topology/actions/`."""

from collections.abc import Iterable
from functools import reduce
from importlib import import_module
from pkgutil import iter_modules

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions import Action

__all__ = ["ChangedLab", "PlannedChange", "after", "changes", "needs"]

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")


def after(plan: Plan, actions: Iterable[Action]) -> ChangedLab:
    """The lab once all actions hold, the later over the earlier."""
    return reduce(lambda lab, action: changed(action, lab), actions, ChangedLab(plan))
