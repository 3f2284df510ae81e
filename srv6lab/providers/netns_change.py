"""A lab in network namespaces that becomes another one while it runs: what a Step names is changed, and no more.

The order is that of a bring-up, behind the taking away: commands in nodes, wires that are cut, nodes that go, nodes that
come, wires, their tracers, and Day0 of the nodes that something was done to.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from srv6lab.errors import MachineError, NodeError
from srv6lab.evidence.packets import Point
from srv6lab.host.progress import Progress
from srv6lab.host.waiting import at_once, wait_until
from srv6lab.providers import bridges, netns, rootless, vpn
from srv6lab.providers.keeping import order, start
from srv6lab.providers.netns import Data
from srv6lab.providers.node import lean
from srv6lab.providers.process import Process
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home, State

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Nic, Plan
    from srv6lab.render.step import Step

_PATIENCE = 30.0
# What `ip` says of a thing that is gone already: somebody took it away, or it went with another.
_GONE = re.compile(
    r"^(?:(?:RTNETLINK answers: |Error: .*?: )?(?:No such process|No such file or directory|Cannot assign requested address"
    r"|Address not found\.?|No such device|FIB table does not exist\.?)|Cannot find device .*|Command failed -:\d+)$"
)


def change(lab: Rendered, step: Step, home: Home, state: State, progress: Progress) -> State:
    """The lab as the plan has it, with what is known of its processes; each is written down as soon as it is there."""
    data = Data.of(state)
    at_once(partial(_take, data), list(step.takes.items()))
    data = _with_nodes(lab.plan, [*step.made], home, _cut(step, data), progress)
    if data.document() != state.provider_data:
        home.write(state := replace(state, provider_data=data.document()))
    if step.made:
        vpn.make_namespaces(lab.plan, partial(netns.ends_well, data.nodes), [*step.made])
    lab.write(home, lab.changed(home))
    nics = {nic.point: nic for nic in lab.plan.traced()}
    wires = [nics[point] for point in step.wired if not point.netns]
    if wires:
        netns.wire(wires, data)
    renamed = [nics[point] for point in step.renamed]
    data = _traced([*wires, *renamed], home, data)
    inside = [nics[point] for point in step.wired if point.netns]
    changed = [node for node in lab.plan.nodes if node.name in step.run]
    if data.bridges:
        bridges.resize((nic for node in changed for nic in node.nics), data.bridges)
    running = netns.begin_day0(lab, data, step.run)
    if inside and netns.services_are_wired(changed, data, running):
        data = _traced(inside, home, data)
    state = replace(state, provider_data=data.document())
    if step.wired or step.renamed:
        home.write(state)
    netns.end_day0(running, progress)
    return state


def _take(data: Data, what: tuple[str, Sequence[str]]) -> None:
    """Run a node's commands, the first first. What was gone already is no error."""
    node, commands = what
    result = netns.run_at(data.nodes, node, ["bash", "-s"], _script(commands))
    said = [line for line in result.stderr.splitlines() if line.strip() and not _GONE.match(line.strip())]
    if said:
        raise NodeError(
            "\n  ".join([f"{node}: what the file has no longer can't be taken away", *said]), node=node
        )


def _script(commands: Iterable[str]) -> str:
    """Those of `ip` in one go for each family: a fork of ip for each would be most of the time."""
    lines, batch = [], ""
    for command in commands:
        word, _, rest = command.partition(" ")
        option, _, more = rest.partition(" ") if rest.startswith("-") else ("", "", rest)
        begins = f"ip {option} -force -batch - <<'EOF'".replace("  ", " ")
        together = word == "ip" and more.split(" ", 1)[0] in ("route", "rule", "address", "neighbor")
        if not together:
            lines += ["EOF"] if batch else []
            batch = ""
            lines.append(command)
            continue
        if batch != begins:
            lines += ["EOF"] if batch else []
            lines.append(batch := begins)
        lines.append(more)
    return "\n".join([*lines, *(["EOF"] if batch else []), "exit 0", ""])


def _cut(step: Step, data: Data) -> Data:
    """Wires go from the end whose node stays, since the kernel takes its time with a namespace; then nodes go."""
    leaving = [name for name in (*step.gone, *step.made) if name in data.nodes]
    ended = {*step.cut, *step.renamed, *(point for point in data.tracers if point.node in leaving)}
    _end([one.process for point, one in data.tracers.items() if point in ended], signal.SIGTERM)
    by_node: dict[str, list[Point]] = {}
    for point in step.cut:
        if not point.netns and point.node in data.nodes and point.node not in leaving:
            by_node.setdefault(point.node, []).append(point)
    commands = {
        node: [f"ip link del dev {point.nic} 2>/dev/null || true" for point in points]
        for node, points in by_node.items()
    }
    for node, lines in commands.items():
        _take(data, (node, lines))
    _end([data.nodes[name] for name in leaving], signal.SIGKILL)
    return replace(
        data,
        nodes={name: one for name, one in data.nodes.items() if name not in leaving},
        tracers={point: one for point, one in data.tracers.items() if point not in ended},
    )


def _end(processes: Sequence[Process], by: signal.Signals) -> None:
    for one in processes:
        one.kill(by)
    if not wait_until(lambda: not any(one.alive() for one in processes), _PATIENCE, 0.005):
        raise MachineError("processes that are to be taken away don't end")


def _with_nodes(plan: Plan, names: Sequence[str], home: Home, data: Data, progress: Progress) -> Data:
    """The lab with more nodes, and with a place for bridges once it has some."""
    first_bridge = not data.bridges and any(nic.bridged for nic in plan.nics())
    wanted = [*names, *([bridges.PLACE] if first_bridge else [])]
    if not wanted:
        return data
    laid_over = netns.roots(plan, progress)
    told = order(home, {name: laid_over[name] for name in wanted}, netns.may_load(plan))
    nodes = _more_nodes(told, home, data.keeper)
    place = nodes.pop(bridges.PLACE, data.bridges)
    return replace(data, nodes={**data.nodes, **nodes}, bridges=place)


def _more_nodes(told: dict[str, Any], home: Home, keeper: Process) -> dict[str, Process]:
    """Nodes of a lab that is kept already, started in the namespaces of its keeper."""
    count = len(told["nodes"])
    said = home.path / "keeper.log"
    popen = start(home, said, _beside(keeper), "more")
    assert popen.stdin and popen.stdout
    with popen.stdout, popen.stdin:
        popen.stdin.write(lean.line(told))
        popen.stdin.flush()
        answers = _answers(popen.stdout.fileno(), count)
    popen.wait()
    wrong = next((one["error"] for one in answers if "error" in one), "")
    if wrong or len(answers) != count:
        why = wrong or said.read_text("utf-8", "replace").strip() or "no answer"
        raise MachineError(f"a node can't be started: {why}")
    return {one["node"]: Process(one["pid"], one["start"]) for one in answers}


def _beside(keeper: Process) -> tuple[str, ...]:
    """The beginning of a command line that runs what follows as one of the keeper's own: its network is this machine's."""
    of = ("--mount", "--pid", "--root", "--wd")
    return (*rootless.within(keeper.pid), "nsenter", "--target", str(keeper.pid), *of, "--")


def _answers(source: int, count: int) -> list[dict[str, Any]]:
    """So many answers, fewer where no more come or one is an error; a node holds the pipe open as long as it lives."""
    answers: list[dict[str, Any]] = []
    said, deadline = b"", time.monotonic() + _PATIENCE
    while len(answers) < count and not any("error" in one for one in answers):
        ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(source, 65536) if ready else b""
        if not chunk:
            break
        *lines, said = (said + chunk).split(b"\n")
        answers += map(json.loads, lines)
    return answers


def _traced(nics: Sequence[Nic], home: Home, data: Data) -> Data:
    return replace(data, tracers={**data.tracers, **netns.start_tracers(nics, home, data)}) if nics else data
