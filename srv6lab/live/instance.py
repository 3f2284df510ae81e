"""A lab that was begun here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from srv6lab.providers.base import Provider
from srv6lab.providers.registry import provider_named
from srv6lab.providers.state import Home, State


@dataclass(frozen=True, slots=True)
class Reference:
    """A lab as somebody named it: the file, and the name its instance has by default."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """A lab that was begun here."""

    home: Home
    state: State

    @property
    def provider(self) -> Provider:
        return provider_named(self.state.provider)
