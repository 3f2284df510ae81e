"""What an exercise may change in a lab while it runs: one file an action, as its author writes it.

What an action does to a node, to the model, and what it needs stands in the file of the same name in `plan/actions/`.
"""

from functools import lru_cache, reduce
from importlib import import_module
from operator import or_
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from srv6lab.topology.actions.action import Action, Mention

__all__ = ["KINDS", "Action", "AnyAction", "Mention", "parsed"]

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")

KINDS = tuple(sorted(Action.__subclasses__(), key=lambda kind: kind.__name__))

if TYPE_CHECKING:
    AnyAction = Action
else:
    AnyAction = reduce(or_, KINDS)  # which one it is, its key tells


def parsed(raw: Any) -> Action:
    """One action; ValidationError if it isn't sound."""
    return _adapter().validate_python(raw)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Action]:
    return TypeAdapter(AnyAction)
