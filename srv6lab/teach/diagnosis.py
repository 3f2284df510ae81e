"""A planted fault from a learner's side: what was answered, whether a mend helped, and what both are worth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from srv6lab.called import CALLED
from srv6lab.errors import NodeError, UsageError
from srv6lab.host.progress import Progress
from srv6lab.judge.diagnose import CAUSES
from srv6lab.live.begun import FAULT, Begun, now, read_begun, write_begun
from srv6lab.live.instance import Instance
from srv6lab.plan.nodes import Plan
from srv6lab.suggest import or_all
from srv6lab.teach import begin, sealed
from srv6lab.teach.breaking import Broken, mend, plant, run
from srv6lab.teach.faults import Fault
from srv6lab.teach.faults.fault import Step
from srv6lab.teach.proof import checked

FOUND, MENDED = 60, 40  # percent: for all faults named, and for a check that is green again
WRONG, LOOK = 10, 20  # percent less: for each answer or mend that is wrong, and each look at the causes
_NO_ANSWERS = ("tracer", "not-modeled", "unknown", "expectation", "model")  # what no fault is
_TRIES, _DONE = "diagnosis", "mend"


@dataclass(frozen=True, slots=True)
class Judged:
    """What an answer came to: `fault` is the number of the one that was found with it, from 1, `again` says that it was
    found before. Else whether the place is right of one that isn't found yet, and whether the cause is."""

    fault: int = 0
    again: bool = False
    place: bool = False
    cause: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a learner is with a planted fault; `percent` is what that is worth."""

    found: int
    count: int
    mended: bool
    tries: int
    looks: int
    solved: bool

    @property
    def percent(self) -> int:
        if self.solved:
            return 0
        reached = FOUND * self.found // self.count + MENDED * self.mended
        return max(0, reached - WRONG * self.tries - LOOK * self.looks)


def break_lab(one: Instance, plan: Plan, seed: int, level: int, exercise: str, progress: Progress) -> Broken:
    """Plant a fault for somebody to find: from here on the lab is blind. The seed is kept nowhere."""

    def keep(broken: Broken) -> None:
        progress("sealing")
        shut = sealed.seal(broken.faults, seed, level, broken.symptoms)
        write_begun(one.home, Begun(broken.exercise, FAULT, now(), sealed=sealed.write(shut)))

    with one.locked():
        return plant(one, plan, seed, level, exercise, progress, keep)


def broken_of(one: Instance, plan: Plan) -> Begun:
    """The fault that is planted; UsageError where none is."""
    found = read_begun(one.home)
    if found is None or found.kind != FAULT:
        raise UsageError(f"no fault is planted in {one.name}", f"{CALLED} break {plan.running} plants one")
    return found


def causes() -> Mapping[str, str]:
    """What may be answered, each in general words."""
    return {
        name: re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), cause.words)
        for name, cause in CAUSES.items()
        if name not in _NO_ANSWERS
    }


def judge_diagnosis(one: Instance, plan: Plan, node: str, cause: str) -> Judged:
    """Judge a place and a cause, and count the try. UsageError for a node or a cause that isn't there: then it is none."""
    names = [each.name for each in plan.nodes]
    if node not in names:
        raise UsageError(
            f"{plan.name} has no node {node!r}" if node else "--node which node?", or_all(node, names)
        )
    if cause not in causes():
        what = f"there is no cause {cause!r}" if cause else "--cause which cause?"
        raise UsageError(what, f"{or_all(cause, causes())}\n  --cause list says what each is")
    with one.locked():
        begun = broken_of(one, plan)
        judged = _judged(begun, sealed.tell(sealed.read(begun.sealed), node, cause))
        if judged.fault:
            begun = replace(begun, right={**begun.right, _key(judged.fault - 1): f"{node} {cause}"})
        else:
            begun = _wrong(begun, _TRIES)
        write_begun(one.home, begun)
    return judged


def _judged(begun: Begun, told: sealed.Told) -> Judged:
    new = [number for number in told.both if _key(number) not in begun.right]
    if told.both:
        return Judged((new or told.both)[0] + 1, again=not new)
    place, cause = ({n for n in them if _key(n) not in begun.right} for them in (told.place, told.cause))
    return Judged(place=bool(place), cause=bool(cause))


def _key(number: int) -> str:
    return f"fault {number + 1}"


def _wrong(begun: Begun, what: str) -> Begun:
    return replace(begun, wrong={**begun.wrong, what: begun.wrong.get(what, 0) + 1})


def judge_mend(one: Instance, plan: Plan, node: str, said: Sequence[str], progress: Progress) -> bool:
    """Run a learner's commands in nodes, and check: whether it is green. Each is for `node`, or says `NODE: commands`.
    NodeError for a command that fails."""
    steps = [*_steps(plan, node, said)]
    with one.locked():
        begun = broken_of(one, plan)
        progress("running what is to mend it")
        run(one, steps)
        progress(f"checking {begun.exercise}")
        green = checked(one, plan, begun.exercise).green
        begun = replace(begun, right={**begun.right, _DONE: "green"}) if green else _wrong(begun, _DONE)
        write_begun(one.home, begun)
    return green


def _steps(plan: Plan, node: str, said: Sequence[str]) -> Iterator[Step]:
    names = [each.name for each in plan.nodes]
    for text in said:
        first, colon, rest = text.partition(":")
        where, commands = (first.strip(), rest) if colon and first.strip() in names else (node, text)
        if where not in names:
            raise UsageError(
                "--mend in which node?", f"--node NODE, or --mend 'NODE: commands'; {or_all(where, names)}"
            )
        yield where, commands.strip()


def standing(begun: Begun) -> Standing:
    return Standing(
        found=sum(name.startswith("fault ") for name in begun.right),
        count=sealed.read(begun.sealed).count,
        mended=_DONE in begun.right,
        tries=sum(begun.wrong.values()),
        looks=begun.causes,
        solved=begun.solved,
    )


def solve(one: Instance, plan: Plan, seed: int) -> tuple[Fault, ...]:
    """Open the truth, and mend by the reference. It is worth nothing from then on. UsageError for another seed."""
    with one.locked():
        begun = broken_of(one, plan)
        faults = sealed.unseal(sealed.read(begun.sealed), seed)
        write_begun(one.home, replace(begun, solved=True))
        for fault in reversed(faults):
            mend(one, fault.mend)
    return faults


def reset(one: Instance, plan: Plan, seed: int, progress: Progress) -> Begun:
    """The lab as it was when the fault was planted, whatever was done since; what was answered stays."""
    begun = broken_of(one, plan)
    faults = sealed.unseal(sealed.read(begun.sealed), seed)
    now_up = begin.restore(one, plan, progress)
    with now_up.locked():
        write_begun(now_up.home, begun)
        progress("planting it again")
        try:
            for fault in faults:
                run(now_up, fault.do)
        except NodeError as error:
            raise NodeError(
                error.what, f"{CALLED} finish {plan.running}, then {CALLED} break again", error.node
            ) from None
    return begun
