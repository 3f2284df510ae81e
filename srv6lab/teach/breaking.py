"""Plants faults into a lab that is up, and proves of each that a check is red because of it.

Nothing of that proof stays. Until it is over, whatever stops it takes out what was planted.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from srv6lab.called import CALLED
from srv6lab.errors import Interrupted, LabError, MachineError, NodeError, UsageError
from srv6lab.host import interrupts
from srv6lab.host.progress import Progress
from srv6lab.live import lifecycle, snapshot, wait_for_policies, wait_for_routes
from srv6lab.live.begun import FAULT, forget_begun, read_begun
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan
from srv6lab.suggest import or_all
from srv6lab.teach.choosing import LEVELS, Candidate, candidates, how_many, scenes_of
from srv6lab.teach.faults import Fault
from srv6lab.teach.faults.fault import Step
from srv6lab.teach.proof import Proof, checked, silent
from srv6lab.teach.symptoms import symptoms

_PATIENCE = 60.0  # seconds for a command
_MOST_SEED = 10**9


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a fault that was planted alone: whether the check was red, and named it first."""

    kind: str
    node: str
    red: bool
    first: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """A lab with faults in it: what they are, the exercise that shows them, and what a user would report."""

    seed: int
    level: int
    exercise: str
    faults: tuple[Fault, ...]
    symptoms: tuple[str, ...]
    tried: tuple[Tried, ...] = ()
    proof: Proof | None = field(default=None, compare=False)


def any_seed() -> int:
    return secrets.randbelow(_MOST_SEED)


def plant(
    one: Instance,
    plan: Plan,
    seed: int,
    level: int,
    exercise: str,
    progress: Progress,
    keep: Callable[[Broken], None] = lambda _: None,
) -> Broken:
    """Break the lab; `keep` writes down what is to be known of it. Who calls holds the instance's lock. UsageError for a lab
    that isn't as its file says; where it is stopped, or no fault shows, the lab is as it was, and nothing is begun in it."""
    _refuse(one, plan, level, exercise)
    bench = _Bench(one, plan, progress)
    try:
        broken = bench.broken(seed, level, exercise)
        keep(broken)
        return broken
    except BaseException as error:
        with interrupts.held():
            left = bench.clear()
            forget_begun(one.home)
        if left:
            raise LabError(
                f"stopped, and some of it may be left in {one.name}: {left}", _ANEW.format(plan.running)
            ) from error
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"interrupted: nothing is broken in {one.name}", by=error) from None
        raise


_ANEW = f"{CALLED} destroy {{0}}, then {CALLED} up {{0}}"


def _refuse(one: Instance, plan: Plan, level: int, exercise: str) -> None:
    if (begun := read_begun(one.home)) is not None:
        what = "a fault is planted already" if begun.kind == FAULT else f"the task {begun.exercise} is begun"
        raise UsageError(f"{what} in {one.name}", f"{CALLED} finish {plan.running} ends it")
    if level not in LEVELS:
        raise UsageError(f"there is no level {level}", "--level takes 1, 2 or 3")
    if one.provider.record.makes_machines:
        what = f"{one.name} runs in virtual machines, and faults are planted in namespaces only"
        raise UsageError(
            what, f"{CALLED} destroy {plan.running}, then {CALLED} up {plan.running} --provider netns"
        )
    names = [each.name for each in plan.exercises if each.probes]
    if exercise and exercise not in names:
        raise UsageError(
            f"{plan.name} has no exercise {exercise!r} with probes of its own", or_all(exercise, names)
        )
    lifecycle.refuse_stale(one, plan)
    if not all(entry.alive for entry in one.status()):
        raise UsageError(f"not all of {one.name} is alive", f"{CALLED} up {plan.running} brings it back")
    if snapshot.differences(one) != ():
        mend = f"{CALLED} up {plan.running} brings back what Day0 sets, and names what stays; after a destroy it makes the lab anew"
        raise UsageError(f"{one.name} isn't as Day0 left it", mend)


class _Bench:
    """A lab while faults are tried in it: what is planted now, and what came of each exercise before."""

    def __init__(self, one: Instance, plan: Plan, progress: Progress) -> None:
        self.one, self.plan, self.progress = one, plan, progress
        self.planted: list[Fault] = []
        self.before: dict[str, Proof] = {}
        self.tried: list[Tried] = []

    def broken(self, seed: int, level: int, exercise: str) -> Broken:
        wanted, found = how_many(self.plan, seed, level), list[Candidate]()
        scenes = scenes_of(self.plan, [exercise] if exercise else [])
        for one in candidates(self.plan, seed, level, scenes):
            if not _fits(one, found) or (proof := self._shown(one)) is None:
                continue
            found.append(one)
            if wanted == 1:
                return self._told(seed, level, found, proof)
            self._clear()
            if len(found) == wanted:
                break
        if len(found) < min(wanted, 2):
            what = f"no fault of level {level} shows in {self.plan.name}"
            raise UsageError(what, "try another --level, or another --exercise")
        return self._all(seed, level, found)

    def _all(self, seed: int, level: int, found: Sequence[Candidate]) -> Broken:
        self.progress("planting")
        for one in found:
            self._plant(one.fault)
        proof = checked(self.one, self.plan, found[0].exercise)
        if not proof.red:
            what = f"{found[0].exercise} isn't red any more with all of the faults"
            raise MachineError(what, f"{CALLED} break with another --seed")
        return self._told(seed, level, found, proof)

    def _told(self, seed: int, level: int, found: Sequence[Candidate], proof: Proof) -> Broken:
        name, faults = found[0].exercise, tuple(one.fault for one in found)
        told = symptoms(self.plan, name, self.before[name].observed, proof.observed, proof.verdict)
        return Broken(seed, level, name, faults, told, tuple(self.tried), proof)

    def _shown(self, one: Candidate) -> Proof | None:
        """The check that is red with the fault and for its reason, and green without it; then the fault stays planted. None
        for another fault, which is taken out."""
        if not self._sound(one.exercise):
            return None
        self.progress(f"trying a fault, number {len(self.tried) + 1}")
        with suppress(NodeError):  # a kernel that can't do it
            self._plant(one.fault)
            proof = checked(self.one, self.plan, one.exercise)
            first, kept = proof.red and proof.names_first(one.fault), proof.shows(one.fault)
            self.tried.append(Tried(one.fault.kind, one.fault.node, proof.red, first, kept))
            if kept:
                return proof
        self._clear()
        return None

    def _clear(self) -> None:
        with interrupts.held():
            left = self.clear()
        if left:
            raise MachineError(
                f"a fault couldn't be taken out again: {left}", _ANEW.format(self.plan.running)
            )

    def _sound(self, exercise: str) -> bool:
        """Whether it is green in the lab as it is."""
        if exercise not in self.before:
            self.progress(f"checking {exercise} as it is")
            self.before[exercise] = checked(self.one, self.plan, exercise)
        return self.before[exercise].green

    def _plant(self, fault: Fault) -> None:
        with interrupts.held():
            self.planted.append(fault)
            run(self.one, fault.do)

    def clear(self) -> str:
        """Take out all that is planted; what is left all the same, "" for nothing."""
        for fault in reversed(self.planted):
            mend(self.one, fault.mend)
        if not self.planted:
            return ""
        self.planted.clear()
        return settled(self.one, self.plan)


def _fits(one: Candidate, found: Sequence[Candidate]) -> bool:
    """Several faults are of other kinds, on other nodes, and seen by one exercise."""
    return all(
        one.exercise == other.exercise
        and one.fault.kind != other.fault.kind
        and one.fault.node != other.fault.node
        for other in found
    )


def run(one: Instance, steps: Sequence[Step]) -> None:
    """NodeError with what a command said, and not with the command."""
    for node, command in steps:
        result = one.exec(node, ["bash", "-ec", command], timeout=_PATIENCE)
        if result.exit_code:
            raise NodeError(f"{node}: {result.stderr.strip()}", node=node)


def mend(one: Instance, steps: Sequence[Step]) -> None:
    """The same, going on where a command fails: it may have been done already."""
    for step in steps:
        with suppress(MachineError):
            run(one, [step])


def settled(one: Instance, plan: Plan) -> str:
    """Wait for what routing protocols and agents make of the lab as it is; what then isn't as Day0 left it, "" for
    nothing."""
    with suppress(LabError):
        if any(node.routing for node in plan.nodes):
            wait_for_routes.wait(one, plan, silent)
        wait_for_policies.up(one, plan, silent)
    return "; ".join(line for each in snapshot.differences(one) or () for line in each.sentences())
