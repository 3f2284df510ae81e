"""A provider that runs nothing: nodes answer what they were told to, and whatever else is asked is refused.

It stands beside the real ones, which are tested on real machines: with it, what is built on providers is tested
without root, down to what a real node can't be made to do.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from srv6lab.evidence.observations import Tracer
from srv6lab.host.command import Completed
from srv6lab.host.progress import Progress
from srv6lab.live import snapshot
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan
from srv6lab.providers.base import Health, Mark, Provider, Record, Trace
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State
from srv6lab.render.day0 import render
from srv6lab.render.files import Files
from srv6lab.render.step import Step

Answer = str | Completed | BaseException


class NotTold(AssertionError):
    """What was asked of it that it wasn't told."""


class Fake(Provider):
    """`done` is what was asked of it, verb by verb, and `asked` the commands of nodes. It brings up any lab.
    `settings` is what a node says of itself when a snapshot is made, which isn't counted as asked; `after_mend` what it
    says then, if something else."""

    def __init__(
        self,
        *,
        makes_machines: bool = False,
        changes: bool = False,
        rendering: Callable[[Plan], Files] = render,
    ) -> None:
        record = Record("fake", "fake", "nothing at all", lambda _: self, rendering, "", makes_machines)
        self.record = replace(record, changes=changes)
        self.steps: list[Step] = []
        self.done: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.alive = self.mends = True
        self.tracers: Sequence[Tracer] | None = None
        self.growing: Sequence[Trace] = ()
        self.settings: dict[str, str] = {}
        self.after_mend: dict[str, str] = {}
        self._told: dict[tuple[str, str], list[Answer]] = {}
        self._failures: dict[str, BaseException] = {}

    def tell(self, node: str, words: str, *answers: Answer) -> None:
        """What a node answers to a command line with these words in it: one after the other, the last for good."""
        assert answers
        self._told[node, words] = list(answers)

    def fail(self, verb: str, error: BaseException) -> None:
        """What comes of the next time that it is asked so."""
        self._failures[verb] = error

    def _do(self, verb: str) -> None:
        self.done.append(verb)
        if verb in self._failures:
            raise self._failures.pop(verb)

    def up(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State:
        lab.write(home)
        state = replace(state, provider_data={"nodes": [node.name for node in lab.plan.nodes]})
        home.write(state)
        self._do("up")
        return replace(state, phase="ready")

    def mend(self, lab: Rendered, home: Home, state: State, progress: Progress) -> State | None:
        assert lab.texts
        self._do("mend")
        self.settings = self.after_mend or self.settings
        return state if self.mends else None

    def change(self, lab: Rendered, step: Step, home: Home, state: State, progress: Progress) -> State:
        self.steps.append(step)
        lab.write(home)
        self._do("change")
        return replace(state, provider_data={"nodes": [node.name for node in lab.plan.nodes]})

    def down(self, home: Home, state: State | None) -> None:
        self._do("down")

    def halt(self, home: Home, state: State, progress: Progress) -> None:
        if not self.record.makes_machines:
            super().halt(home, state, progress)
        self._do("halt")

    def nodes(self, state: State) -> Sequence[str]:
        return tuple(state.provider_data["nodes"])

    def status(self, home: Home, state: State) -> Sequence[Health]:
        return [Health("node", node, self.alive) for node in self.nodes(state)]

    def command(self, state: State, node: str, argv: Sequence[str]) -> Sequence[str]:
        """The answer, said by this machine's shell."""
        answer = self.exec(state, node, argv)
        return ("sh", "-c", f"printf %s {shlex.quote(answer.stdout)}; exit {answer.exit_code}")

    def exec(self, state: State, node: str, argv: Sequence[str], timeout: float | None = None) -> Completed:
        if snapshot.SCRIPT in argv:
            return Completed(0, self.settings.get(node, ""), "")
        line = shlex.join(argv)
        self.asked.append((node, line))
        found = [answers for (name, words), answers in self._told.items() if name == node and words in line]
        if len(found) != 1:
            known = ", ".join(f"{name}: {words}" for name, words in self._told) or "nothing"
            raise NotTold(f"{node} was asked `{line}`, for which it has {len(found)} answers; told: {known}")
        answer = found[0].pop(0) if len(found[0]) > 1 else found[0][0]
        if isinstance(answer, BaseException):
            raise answer
        return Completed(0, answer, "") if isinstance(answer, str) else answer

    def mark(self, home: Home, state: State) -> Mark:
        self._do("mark")
        return {}

    def captures(self, home: Home, state: State, mark: Mark | None, into: Path) -> Sequence[Tracer]:
        if self.tracers is None:
            raise NotTold("it was asked for captures, and told of none")
        into.mkdir(parents=True, exist_ok=True)
        for one in self.tracers:
            (into / f"{one.trace}.pcap").write_bytes(b"")
        return self.tracers

    def traces(self, home: Home, state: State) -> Sequence[Trace]:
        self._do("traces")
        return self.growing


def standing(fake: Fake, plan: Plan, folder: Path, told: Mapping[str, str] | None = None) -> Instance:
    """A lab that is up, whose nodes answer each what `told` has for it to anything."""
    for node, answer in (told or {}).items():
        fake.tell(node, "", answer)
    lab = Rendered(plan, fake.record.rendering)
    data = {"nodes": [node.name for node in plan.nodes]}
    state = State(plan.name, "mine", "fake", "", "ready", lab.fingerprint, provider_data=data)
    return Instance(Home(folder / ".srv6lab" / "mine"), state, fake)
