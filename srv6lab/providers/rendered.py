"""A planned lab with the files that a provider takes it from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from srv6lab.host.files import write_whole

if TYPE_CHECKING:  # a plan takes longest to import, and most of what a provider does needs none
    from srv6lab.plan.nodes import Plan
    from srv6lab.providers.state import Home
    from srv6lab.render.files import Files


@dataclass(frozen=True)
class Rendered:
    """A plan, rendered once: when its files are first asked for."""

    plan: Plan
    rendering: Callable[[Plan], Files]

    @cached_property
    def files(self) -> Files:
        return self.rendering(self.plan)

    @property
    def texts(self) -> Mapping[str, str]:
        """The files that are text, such as each node's Day0."""
        return {path: content for path, content in self.files.items() if isinstance(content, str)}

    @cached_property
    def fingerprint(self) -> str:
        """What of a plan is built into a running lab: its scripts, its machines, its NICs, its captures' names."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\0".encode())
            digest.update(_bytes(content))
            digest.update(b"\0")
        for nic in self.plan.traced():
            digest.update(f"{nic}\0".encode())
        return digest.hexdigest()

    def write(self, home: Home, paths: Collection[str] | None = None) -> None:
        """Write the files into an instance's folder, or some of them."""
        home.own(*(path.partition("/")[0] for path in self.files))
        for path, content in self.files.items():
            if paths is None or path in paths:
                write_whole(home.path / path, content)

    def changed(self, home: Home) -> list[str]:
        """The files that aren't, or aren't the same, in an instance's folder."""
        return [path for path, content in self.files.items() if _standing(home, path) != _bytes(content)]


def _standing(home: Home, path: str) -> bytes | None:
    try:
        return (home.path / path).read_bytes()
    except FileNotFoundError:
        return None


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
