"""A check of which nothing stays: neither its captures nor its verdict, and no file of the instance tells that it was made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from srv6lab.errors import LabError
from srv6lab.evidence.observations import Observations, read_observations
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.judge.diagnose import confirm
from srv6lab.judge.grade import grade
from srv6lab.live import sending, snapshot
from srv6lab.live.instance import Instance
from srv6lab.live.run import record
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.teach.faults import Fault

_PATIENCE = 8.0  # seconds for a node that is asked


@dataclass(frozen=True, slots=True)
class _Aside(Home):
    """An instance's folder, whose runs are elsewhere."""

    elsewhere: Path = Path()

    @property
    def running(self) -> Path:
        return self.elsewhere


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check came to, and what it observed."""

    verdict: Verdict
    observed: Observations

    @property
    def red(self) -> bool:
        return self.verdict.status is Status.FAIL

    @property
    def green(self) -> bool:
        return self.verdict.status is Status.PASS

    def names_first(self, fault: Fault) -> bool:
        """Whether the likeliest cause is one of the fault's, where it is."""
        first = self.verdict.suspects[:1]
        return any(one.node == fault.node and one.cause in fault.causes for one in first)

    def shows(self, fault: Fault) -> bool:
        """Whether it is red for that reason: the fault's cause is named first, or is proven."""
        proven = (one for one in self.verdict.suspects if one.proven)
        return self.red and (
            self.names_first(fault)
            or any(one.node == fault.node and one.cause in fault.causes for one in proven)
        )


def checked(one: Instance, plan: Plan, exercise: str) -> Proof:
    """Run an exercise and judge it, with its causes. Who calls holds the instance's lock."""
    with TemporaryDirectory(prefix="srv6lab-") as folder:
        aside = replace(one, home=_Aside(one.home.path, Path(folder)))
        with suppress(LabError):
            sending.take_back(one)
        differences = snapshot.differences(one)
        ran = record(aside, plan, exercise, silent, differences)
        verdict, observed = grade(plan, exercise, ran, silent), read_observations(ran)[0]

    def ask(node: str, argv: Sequence[str]) -> tuple[str, int]:
        answer = one.exec(node, argv, timeout=_PATIENCE)
        return answer.stdout + answer.stderr, answer.exit_code

    return Proof(replace(verdict, suspects=confirm(verdict.suspects, ask)), observed)


def silent(_: str) -> None:
    """Progress that would tell too much."""
