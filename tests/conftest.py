"""What tests share: the repository, its labs, and labs brought up under names of their own."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from srv6lab.cli.labs import LabsFolder
from srv6lab.errors import Problem
from srv6lab.live.instance import Instance, Reference, Request
from srv6lab.live.lifecycle import destroy, up
from srv6lab.plan.nodes import Plan
from srv6lab.providers.registry import provider_named
from srv6lab.providers.state import Home
from srv6lab.topology.model import Topology
from tests.aside import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tests.in_process import typed as typed
from tests.skips import pytest_make_collect_report as pytest_make_collect_report
from tests.skips import pytest_runtest_makereport as pytest_runtest_makereport
from tests.turns import choose
from tests.turns import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.turns import pytest_report_header as pytest_report_header

REPOSITORY = Path(__file__).resolve().parent.parent


class ReadOnce(LabsFolder):
    """The repository's labs, each read and planned once a worker: plans are values, and tests ask for them a thousand
    times."""

    def load(self, reference: Reference) -> tuple[Plan, tuple[Problem, ...]]:
        return _read_once(reference, reference.path.stat().st_mtime_ns)

    def course(self) -> tuple[list[Topology], list[str]]:
        course, broken = _course(self, tuple(self.file(name).stat().st_mtime_ns for name in self.names()))
        return [*course], [*broken]


@cache
def _read_once(reference: Reference, _changed: int) -> tuple[Plan, tuple[Problem, ...]]:
    return LabsFolder(REPOSITORY).load(reference)


@cache
def _course(site: LabsFolder, _changed: tuple[int, ...]) -> tuple[list[Topology], list[str]]:
    return LabsFolder.course(site)


SITE = ReadOnce(REPOSITORY)
LABS = SITE.names()
INVOKE = [sys.executable, "-m", "invoke"]


def sampled(values: Sequence[Any], one_of: int, **ids: Any) -> list[Any]:
    """All values as parameters: one of so many for `make test`, all for `make prove`."""
    marks = [[] if number % one_of == 0 else [pytest.mark.prove] for number in range(len(values))]
    return [pytest.param(value, marks=mark, **ids) for value, mark in zip(values, marks, strict=True)]


def some_labs() -> list[Any]:
    """All labs as parameters: the first of the course and the one with most services for `make test`, all for
    `make prove`."""
    course, _ = SITE.course()
    quick = {course[0].name, max(course, key=lambda lab: len(lab.services)).name}
    return [pytest.param(name, marks=[] if name in quick else [pytest.mark.prove]) for name in LABS]


# A shell starts what it puts in the background with interrupts ignored, and so would all that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Hundreds of commands are started, and where Python keeps no bytecode each would compile all that it imports."""
    choose(config)
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(REPOSITORY / "srv6lab", quiet=2)
        compileall.compile_file(REPOSITORY / "tasks.py", quiet=2)


def silent(_: str) -> None:
    """Progress that nobody reads."""


@dataclass(frozen=True)
class Up:
    """A lab that is up for a test."""

    running: Instance
    plan: Plan
    reference: Reference

    @property
    def instance(self) -> str:
        return self.running.home.path.name

    def sh(self, node: str, script: str, timeout: float = 60) -> str:
        """Run a shell script in a node; its stdout. A failure fails the test."""
        result = self.running.exec(node, ["bash", "-c", script], timeout)
        assert result.exit_code == 0, f"{node}: {script}: {result.stderr}"
        return result.stdout

    def again(self) -> Up:
        """`up` on the lab that is up: what a fault took away is back."""
        return bring(self.running.home, self.plan, self.reference)


def bring(home: Home, plan: Plan, reference: Reference, provider: str = "") -> Up:
    """The lab, up in that folder."""
    asked = Request(reference, provider_named(provider) if provider else None)
    return Up(up(home, plan, asked, silent), plan, reference)


@pytest.fixture(scope="session")
def bring_up() -> Iterator[Callable[[str], Up]]:
    """Brings a lab up under a name that no one else has; all are taken away at the end."""
    need_root()
    begun = []

    def begin(name: str) -> Up:
        reference = SITE.refer(name)
        plan, _ = SITE.load(reference)
        home = SITE.home(reference, f"test-{uuid.uuid4().hex[:12]}")
        begun.append(home)
        return bring(home, plan, reference)

    yield begin
    for home in begun:
        destroy(home, purge=True)


@pytest.fixture(scope="session")
def labs_up(bring_up: Callable[[str], Up]) -> Callable[[str], Up]:
    """Gives a lab of the repository by its name: up, and mended if a test has had it before."""
    begun: dict[str, Up] = {}

    def get(name: str) -> Up:
        begun[name] = begun[name].again() if name in begun else bring_up(name)
        return begun[name]

    return get


@pytest.fixture(scope="module", params=some_labs())
def lab(request: pytest.FixtureRequest, labs_up: Callable[[str], Up]) -> Up:
    """A lab of the repository, up."""
    return labs_up(request.param)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if name == SITE.course()[0][0].name else [pytest.mark.prove])
        for name in LABS
    ],
)
def light_lab(request: pytest.FixtureRequest, labs_up: Callable[[str], Up]) -> Up:
    """A lab of the repository, up, for what takes long and is much the same in each: in `make test` the first of the
    course alone."""
    return labs_up(request.param)


def need_root() -> None:
    """Labs in namespaces need root; a run without it fails rather than prove nothing."""
    assert os.geteuid() == 0, "run the tests as root: sudo make test"


def invoke(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a task as a user would."""
    return subprocess.run([*INVOKE, *words], cwd=REPOSITORY, capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


def tool(name: str) -> str:
    """The path of a program that the tests need."""
    path = shutil.which(name)
    assert path, f"{name} is missing: .ci/run installs it"
    return path
