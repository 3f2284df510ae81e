"""What the behaviors of the registry do to a packet: each is read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from .behaviors import Behavior
from .oam import watched
from .packet import Packet
from .proxy import GIVES_BACK
from .results import Cache, LocalSid, Result


@cache
def act(behavior: Behavior) -> Callable[[Packet, LocalSid], Result]:
    """The behavior itself; NotImplementedError for one that isn't modeled."""
    if not behavior.model:
        raise NotImplementedError(f"{behavior.name} isn't modeled")
    module, _, function = behavior.model.partition(":")
    own = behavior.name.lower().replace(".", "_")
    return watched(getattr(import_module(f".{module}", __package__), function or own))


def give_back(behavior: Behavior) -> Callable[[Packet, LocalSid, Cache | None], Result]:
    """What an SR proxy does with what its service gives back; NotImplementedError for all others. The cache is the
    last one of a `Forward` of this SID, None as long as there was none."""
    if behavior.name not in GIVES_BACK:
        raise NotImplementedError(f"{behavior.name} takes nothing back from a service")
    return GIVES_BACK[behavior.name]
