"""A lab whose Vagrant, VBoxManage and ssh are one stand-in (see stand-in), and what that was told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from srv6lab.live import lifecycle
from srv6lab.live.instance import Reference, Request
from srv6lab.plan.nodes import Plan
from srv6lab.providers import registry
from srv6lab.providers.state import Home, State
from tests.conftest import REPOSITORY, silent
from tests.small import planned

STAND_IN = REPOSITORY / "tests" / "vagrant" / "stand-in"
NODES = ["west", "gate", "exit", "east"]


@dataclass(frozen=True)
class Told:
    """What the stand-in was told, and what it was asked."""

    folder: Path
    home: Home
    plan: Plan
    reference: Reference

    def write(self, name: str, value: object) -> None:
        (self.folder / f"{name}.json").write_text(json.dumps(value))

    def read(self, name: str) -> list[str]:
        path = self.folder / f"{name}.json"
        return list(json.loads(path.read_text())) if path.exists() else []

    @property
    def refused(self) -> str:
        path = self.folder / "refused"
        return path.read_text() if path.exists() else ""

    def up(self, said: list[str] | None = None, box: str = "", provider: str = "virtualbox") -> State:
        progress = said.append if said is not None else silent
        asked = Request(self.reference, registry.provider_named(provider), box)
        return lifecycle.up(self.home, self.plan, asked, progress).state


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """Four machines of a small lab, none of them up."""
    with telling(tmp_path) as one:
        yield one


@contextmanager
def telling(place: Path) -> Iterator[Told]:
    """The stand-in in front of everything on the PATH; it must not have been asked what it was not told."""
    folder, programs = place / "stand-in", place / "bin"
    folder.mkdir()
    programs.mkdir()
    for name in ("vagrant", "VBoxManage", "ssh"):
        (programs / name).symlink_to(STAND_IN)
    (folder / "vagrant-version").write_text("2.3.4")
    (folder / "virtualbox-version").write_text("7.0.26r168464")
    one = Told(folder, Home(place / "lab"), planned(), Reference(Path("small.yml"), "small"))
    one.write("machines", NODES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STAND_IN", str(folder))
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        yield one
    assert one.refused == "", "the stand-in was asked what it was not told"
