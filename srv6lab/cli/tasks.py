"""What a task asks of a lab: its checks, its tables, its nodes, its captures.

What only some tasks need is imported by those: every command waits for what stands at the top.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from srv6lab.called import CALLED
from srv6lab.errors import DriftError, LabError, UsageError
from srv6lab.host.files import shown, write_whole
from srv6lab.host.progress import Progress
from srv6lab.host.scratch import below
from srv6lab.host.version import version
from srv6lab.live.instance import Instance
from srv6lab.report import formats
from srv6lab.suggest import or_all

if TYPE_CHECKING:
    from concurrent.futures import Future

    from srv6lab.evidence.runs import Run
    from srv6lab.evidence.verdict import Verdict
    from srv6lab.images.box import Box
    from srv6lab.plan.nodes import Plan
    from srv6lab.render.files import Files


def write_rendered(files: Files, folder: Path) -> tuple[list[Path], list[Path]]:
    """Write rendered files into a folder: their paths, and those of what an earlier lab left there."""
    from srv6lab.render import files as rendered

    return rendered.write(files, folder), rendered.leftovers(files, folder)


def check_rendered(files: Files, folder: Path, show: Callable[[str], object]) -> None:
    """Show what stands in a folder otherwise than rendered; DriftError if anything does."""
    from srv6lab.render import files as rendered

    count = 0
    for difference in rendered.differences(files, folder):
        show(difference)
        count += 1
    if count:
        what = f"{count} {'file differs' if count == 1 else 'files differ'} from what the topology renders to"
        raise DriftError(what, "render again without --check, or mend the topology")


def build_box(progress: Progress, *, again: bool = False, add: bool = False) -> Box:
    """Build the box of our own, and let Vagrant have it if asked."""
    from srv6lab.images.box import build
    from srv6lab.providers.vagrant.command import add_box, public_key

    found = build(public_key(), progress, again=again)
    if add:
        for provider, file in found.files.items():
            progress(f"vagrant box add {found.name} for {provider}")
            add_box(found.name, file)
    return found


def exercise_names(found: Plan, asked: Sequence[str]) -> list[str]:
    """The exercises to run: those asked for, else all that aren't like another; UsageError for one that isn't there."""
    names = [exercise.name for exercise in found.exercises]
    for name in asked:
        if name not in names:
            raise UsageError(f"{found.name} has no exercise {name!r}", or_all(name, names))
    if not names:
        raise UsageError(f"{found.name} has no exercises", "write one under exercises:")
    return list(asked) or [exercise.name for exercise in found.exercises if exercise.like is None]


def predict(found: Plan, names: Sequence[str], probes: Sequence[str], form: str) -> str:
    """What the model says of exercises' probes (all of them, or those named), as text, JSON, Mermaid, a page or a walk
    to write from."""
    from srv6lab.predict import predict
    from srv6lab.report.walk import Walked

    show = formats.chosen(formats.WALKS, form)
    known = [probe.id for name in names for probe in found.exercise(name)[1].every_probe()]
    for probe in probes:
        if probe not in known:
            raise UsageError(f"there is no probe {probe!r}", or_all(probe, known))
    proxies = frozenset(proxy.behavior.name for node in found.nodes for proxy in node.proxies)
    walked = [
        Walked(
            found.name,
            name,
            tuple(one for one in predict(found, name) if not probes or one.probe in probes),
            proxies,
            found.parallel(),
            found,
        )
        for name in names
    ]
    return show(walked)


def check(
    one: Instance, found: Plan, names: Sequence[str], progress: Progress, *, causes: bool = False
) -> list[Verdict]:
    """Run exercises one after the other, each into its own run folder with its verdict beside it. While one is run,
    those before it are graded; the lab is asked for causes in between, unless a learner is to find them: then only if
    `causes` are asked for."""
    from concurrent.futures import ThreadPoolExecutor

    from srv6lab.cli.grading import Grading
    from srv6lab.evidence.runs import VERDICT, digest, write_run
    from srv6lab.live import sending, snapshot
    from srv6lab.live.begun import TASK, read_begun
    from srv6lab.live.lifecycle import refuse_stale
    from srv6lab.live.run import record
    from srv6lab.report.json import verdicts_json

    verdicts: list[Verdict] = []
    graded: list[tuple[Path, float, Future[Verdict]]] = []

    def settle(*, all: bool) -> None:
        if all:
            grading.begin()
        while graded and (all or graded[0][-1].done()):
            folder, took, verdict = graded.pop(0)
            verdicts.append(_confirmed(one, verdict.result(), progress))
            write_whole(folder / VERDICT, verdicts_json(verdicts[-1:]))
            write_run(folder, _run(one, found, verdicts[-1].exercise, took, digest(folder)))
            one.home.keep_run(verdicts[-1].exercise)

    refuse_stale(one, found)
    with (
        one.locked(),
        below(one.home.scratch),
        ThreadPoolExecutor(max_workers=1) as pool,
        Grading(found, progress, pool, names) as grading,
    ):
        pool.submit(import_module, "srv6lab.judge.grade")
        with suppress(LabError):  # then the first exercise says so
            sending.take_back(one)
        begun = read_begun(one.home)
        told = causes or begun is None
        # In a lab with a planted fault an exercise applies what it always does: only the fault is the learner's.
        by_hand = begun is not None and begun.kind == TASK
        differences = snapshot.differences(one) if told else None
        for name in names:
            settle(
                all=any(folder.name == name for folder, *_ in graded)
            )  # asked for twice, it has one folder
            began = time.monotonic()
            try:
                folder = record(one, found, name, progress, differences, by_hand=by_hand, blind=not told)
            except BaseException:
                settle(all=True)
                raise
            graded.append((folder, time.monotonic() - began, grading.submit(name, folder)))
        settle(all=True)
    return verdicts


def _run(one: Instance, found: Plan, exercise: str, took: float, seen: str) -> Run:
    """What is written down of a run that took so many seconds."""
    from datetime import UTC, datetime

    from srv6lab.evidence.runs import Run

    return Run(
        lab=found.name,
        exercise=exercise,
        provider=one.state.provider,
        version=version(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        milliseconds=round(took * 1000),
        built=one.state.fingerprint,
        box=one.state.box,
        topology=found.digest,
        seen=seen,
    )


def walk(one: Instance, found: Plan, source: str, to: str, progress: Progress) -> Verdict:
    """The way of one echo request that is sent now, and of its answer, held against the model alone. Without ends it is
    that of the lab's first probe."""
    from srv6lab.topology.exercises import Exercise, Probe
    from srv6lab.topology.expectations import Expect

    known = [probe for exercise in found.exercises for probe in exercise.every_probe()]
    source, to = source or (known[0].source if known else ""), to or ((known[0].to or "") if known else "")
    names = [node.name for node in found.nodes]
    for option, name in (("--from", source), ("--to", to)):
        if name not in names:
            raise UsageError(
                f"{found.name} has no node {name!r}" if name else f"{option} which node?", or_all(name, names)
            )
    if source == to:
        raise UsageError(f"{source} can't send to itself over a link", "name another node with --to")
    probe = Probe.model_validate({"id": "ping", "from": source, "to": to, "icmp": 1})
    reached = {address.version for address in found.node(to).addresses()}
    if not found.node(source).families & reached:
        raise UsageError(f"{source} and {to} have no addresses of one family", "name another node with --to")
    sent = Exercise(name=f"walk-{source}-{to}", probes=(probe,), expect=Expect())
    (verdict,) = check(one, replace(found, exercises=(sent,)), [sent.name], progress)
    return verdict


def _confirmed(one: Instance, verdict: Verdict, progress: Progress) -> Verdict:
    """The verdict with the cause that the lab's nodes prove, where they prove one."""
    from srv6lab.judge.diagnose import confirm

    def ask(node: str, argv: Sequence[str]) -> tuple[str, int]:
        progress(f"{verdict.exercise}: asking {node}: {shlex.join(argv)}")
        answer = one.exec(node, argv, timeout=8)
        return answer.stdout + answer.stderr, answer.exit_code

    return replace(verdict, suspects=confirm(verdict.suspects, ask))


def verdicts_report(verdicts: Sequence[Verdict], form: str, *, verbose: bool, color: str, out: TextIO) -> str:
    """The verdicts as they are asked for. A person at a terminal sees what matters; all of it with `verbose`."""
    terminal = out.isatty()
    if form != "text" or verbose or not (terminal or color == "always"):
        return formats.chosen(formats.VERDICTS, form)(verdicts)
    from srv6lab.report.screen import Look, verdicts_screen

    plain = color == "never" or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return verdicts_screen(verdicts, Look(shutil.get_terminal_size().columns, color == "always" or not plain))


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 pass, 3 inconclusive, 4 fail: the worst of all."""
    from srv6lab.evidence.verdict import Status

    found = {verdict.status for verdict in verdicts}
    return 4 if Status.FAIL in found else 3 if Status.INCONCLUSIVE in found else 0


def sids(one: Instance, found: Plan, form: str) -> str:
    """The local SIDs, locators and VPN routes that the lab's nodes have now."""
    from srv6lab.live.node_state import fetch_node_state

    show = formats.chosen(formats.SIDS, form)
    known = {node.name: fetch_node_state(one, node) for node in found.nodes}
    return show(found.nodes, known)


def policies(one: Instance | None, found: Plan, form: str) -> str:
    """The SR policies of the lab's headends as their agents tell of them; of a lab that isn't up, as the model does."""
    from srv6lab.live import wait_for_policies

    show = formats.chosen(formats.POLICIES, form)
    told = wait_for_policies.expected(found)
    if one is None:
        return show(told, "the model")
    said = {node: wait_for_policies.look(one, node) for node in told}
    if silent := [node for node, state in said.items() if state is None]:
        what = f"the agent of {', '.join(silent)} has said nothing"
        raise LabError(
            what, f"{CALLED} exec {found.running} --node {silent[0]} -- cat {wait_for_policies.FOLDER}/log"
        )
    return show({node: state for node, state in said.items() if state is not None}, "its agent")


def ping(one: Instance, node: str, to: str, segments: str, count: int, oam: bool) -> int:
    """Send echo requests with an SRH from a node; its exit code."""
    from ipaddress import IPv6Address

    from srv6lab.live.send import srhping

    try:
        destination, *path = [str(IPv6Address(text)) for text in (to, *segments.split(","))]
    except ValueError as error:
        raise UsageError(f"{error}", "--to ADDRESS --segments SID,SID: IPv6, first visited first") from None
    return run_here(one, node, srhping(destination, path, count, "", ["--oam"] if oam else []))


def frr_root(progress: Progress) -> str:
    """The root file system with FRR, built if it isn't there yet."""
    from srv6lab.images.frr_root import serving

    return str(serving(progress))


def run_here(one: Instance, node: str, argv: Sequence[str]) -> int:
    """Run a command in a node on this terminal; its exit code, told as shells do for a signal."""
    code = subprocess.run(one.command(_known(one, node), argv), check=False).returncode
    return code if code >= 0 else 128 - code


def shell(terminal: bool) -> Sequence[str]:
    """A login shell; on a terminal it gets one of the node's own, since the node can't name ours."""
    return ("script", "--quiet", "--return", "--command", "bash -l", "/dev/null") if terminal else ("bash",)


def _known(one: Instance, node: str) -> str:
    nodes = one.nodes()
    if node in nodes:
        return node
    raise UsageError(f"there is no node {node or '(none named)'} in {one.name}", or_all(node, nodes))


def collect(one: Instance, into: Path) -> list[Path]:
    """Everything the tracers have seen so far, drained, as pcaps in `into`; LabError names dead tracers."""
    if into.resolve() == one.home.captures.resolve():
        raise UsageError(f"the tracers are at work in {shown(into)}", "--out takes another folder")
    if into.exists() and not into.is_dir():
        raise UsageError(f"{shown(into)} is no folder", "--out takes a folder")
    tracers = one.captures(None, into)
    dead = [f"{tracer.point}: {tracer.note}" for tracer in tracers if not tracer.sound]
    if dead:
        raise LabError("\n".join(dead), f"{CALLED} up restarts dead tracers")
    return sorted(into / f"{tracer.trace}.pcap" for tracer in tracers)
