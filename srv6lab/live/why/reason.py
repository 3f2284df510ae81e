"""A reason why something is missing, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """What is `final` doesn't change by waiting."""

    what: str
    final: bool = True
