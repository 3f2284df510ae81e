"""The active candidate path of a policy (RFC 9256 section 2.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from .identity import CandidateId
from .paths import CandidatePath


class ChosenBy(Enum):
    """The rule after which one path was left, in the order in which they are asked."""

    NONE = "no candidate path is valid"
    ONLY = "the only valid candidate path"
    PREFERENCE = "the highest preference"
    PROTOCOL_ORIGIN = "the highest protocol origin"
    INSTALLED = "the installed path, which is kept as configured"
    ORIGINATOR = "the lowest originator"
    DISCRIMINATOR = "the highest discriminator"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Election:
    """The active path, the rule that chose it, and by which rule each other valid path was left out."""

    active: CandidatePath | None
    chosen_by: ChosenBy
    left_out: tuple[tuple[CandidatePath, ChosenBy], ...] = ()


def elect(valid: Iterable[CandidatePath], kept: CandidateId | None = None) -> Election:
    """Of the valid candidate paths of a policy, the best; `kept` is the one that is installed, where it is
    configured that it is preferred. No two have one identity, so the last rule leaves one."""
    left = list(valid)
    if not left:
        return Election(None, ChosenBy.NONE)
    chosen_by = ChosenBy.ONLY
    left_out: list[tuple[CandidatePath, ChosenBy]] = []
    for rule, rank in _rules(kept):
        if len(left) == 1:
            break
        best = max(map(rank, left))
        left_out += [(one, rule) for one in left if rank(one) < best]
        left = [one for one in left if rank(one) == best]
        chosen_by = rule
    return Election(left[0], chosen_by, tuple(left_out))


def _rules(kept: CandidateId | None) -> tuple[tuple[ChosenBy, Callable[[CandidatePath], int]], ...]:
    return (
        (ChosenBy.PREFERENCE, lambda one: one.preference),
        (ChosenBy.PROTOCOL_ORIGIN, lambda one: one.id.protocol_origin),
        (ChosenBy.INSTALLED, lambda one: one.id == kept),
        (ChosenBy.ORIGINATOR, lambda one: -one.id.originator.value),
        (ChosenBy.DISCRIMINATOR, lambda one: one.id.discriminator),
    )
