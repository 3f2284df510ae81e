"""What a lab runs of its own is shown before anything of it is run: the lab may be a stranger's, and a node is no jail.

What was trusted once is remembered by a hash in this user's state, until a word of it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from srv6lab.called import CALLED
from srv6lab.errors import UsageError
from srv6lab.host.files import state, write_whole
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.plan.own import OwnFile
from srv6lab.topology import sensor_rules
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.commands import CommandsAction
from srv6lab.topology.exercises import Exercise

Run = tuple[str, tuple[str, ...]]  # by whom, and what


def runs(plan: Plan) -> list[Run]:
    """What a lab runs of its own and which files it writes into nodes, nodes that do the same together."""
    by_lines: dict[tuple[str, ...], list[str]] = {}
    for node in plan.nodes:
        if lines := tuple(_of_node(node)):
            by_lines.setdefault(lines, []).append(node.name)
    found = [(", ".join(nodes), lines) for lines, nodes in by_lines.items()]
    for exercise in plan.exercises:
        if exercise.like is None:
            found += _of_actions(exercise.every_action(), exercise.name)
    return found


def runs_of_start(task: Exercise) -> list[Run]:
    """What a task's start runs. Its solution isn't shown to whoever is about to look for it."""
    return _of_actions(task.start, task.name)


def runs_of_solution(task: Exercise) -> list[Run]:
    found = [(f"{one.node} in the solution of {task.name}", one.run) for one in task.solution if one.node]
    return found + _of_actions((one.do for one in task.solution if one.do), task.name)


def _of_actions(actions: Iterable[Action], exercise: str) -> list[Run]:
    own = [action.commands for action in actions if isinstance(action, CommandsAction)]
    return [
        (
            f"{one.node} in exercise {exercise}",
            (*one.put, *(f"{line}  (takes it back)" for line in one.back)),
        )
        for one in own
    ]


def require(plan: Plan, name: str, *, trust: bool) -> None:
    """UsageError with all that the lab runs of its own, unless it is trusted; `trust` makes it so."""
    mend = f"read them, then: {CALLED} up {{name}} --trust"
    _require(plan, runs(plan), name, mend.format(name=name), trust=trust)


def require_start(plan: Plan, task: Exercise, *, trust: bool, known: bool) -> None:
    """The same for what a task's start runs; of a lab that is `known` as this folder's own nothing is asked."""
    if not known:
        mend = f"read them, then: {CALLED} start {plan.running} --exercise {task.name} --trust"
        _require(plan, runs_of_start(task), plan.called, mend, trust=trust)


def require_solution(plan: Plan, task: Exercise, *, trust: bool, known: bool) -> None:
    """The same for what its solution runs."""
    if not known:
        mend = f"read them, then: {CALLED} solve {plan.running} --trust"
        _require(plan, runs_of_solution(task), plan.called, mend, trust=trust)


def _require(plan: Plan, asked: list[Run], name: str, mend: str, *, trust: bool) -> None:
    known = state("trusted") / _digest(plan, asked)
    if not asked or known.exists():
        return
    if trust:
        write_whole(known, f"{plan.name}\n")
        return
    what = "\n".join(
        [f"{name} runs commands of its own, and nobody here has trusted them yet:", *_shown(asked)]
    )
    raise UsageError(what, f"{mend}. A node is no jail: they run as root, with this machine's rights")


def _of_node(node: PlannedNode) -> Iterator[str]:
    yield from (_file(one) for one in node.own.files)
    yield from node.own.commands
    for service in node.services:
        rules = sensor_rules.running(service.rules)
        yield from (
            f"(service {service.name} has a rule that runs or writes something) {rule}" for rule in rules
        )
    yield from (f"(FRR) {line}" for line in node.own.frr)


def _file(file: OwnFile) -> str:
    lines = file.content.count("\n") + (not file.content.endswith("\n") and bool(file.content))
    source = f" from {file.source}" if file.source else ""
    return f"(writes {file.path}{source}: {lines} line{'s' * (lines != 1)}, mode {file.mode}, owner {file.owner})"


def _digest(plan: Plan, asked: list[Run]) -> str:
    """Of all that is run, and of what is in the files."""
    files = [(node.name, one.path, one.content) for node in plan.nodes for one in node.own.files]
    return hashlib.sha256(repr((asked, files)).encode()).hexdigest()


def _shown(asked: list[Run]) -> Iterator[str]:
    for who, lines in asked:
        yield f"  {who}:"
        for line in lines:
            yield "    " + "".join(one if one.isprintable() else repr(one)[1:-1] for one in line)
