"""Build, run and prove SRv6 labs from a YAML topology.

Calls `srv6lab`, prints, exits: 0 pass, 1 usage or interrupted (by a signal 128 and its number), 2 the file is wrong,
3 this machine can't or inconclusive, 4 the lab failed its check. Data goes to stdout, progress and
errors to stderr. What only some tasks need is imported by those: every command waits for what stands at the top.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from srv6lab.called import CALLED
from srv6lab.cli import program
from srv6lab.cli import tasks as labs_
from srv6lab.cli.labs import listing
from srv6lab.cli.places import elsewhere, remember
from srv6lab.errors import UsageError
from srv6lab.host.files import shown, write_to
from srv6lab.host.scratch import below
from srv6lab.providers import registry
from srv6lab.providers.records import DEFAULT_PROVIDER
from srv6lab.render import targets
from srv6lab.report import formats
from srv6lab.tasks import teach
from srv6lab.tasks.classroom import CLASS, submit
from srv6lab.tasks.init import init
from srv6lab.tasks.words import INSTANCE as _INSTANCE
from srv6lab.tasks.words import LAB as _LAB
from srv6lab.tasks.words import SITE
from srv6lab.tasks.words import progress as _progress

_MAP = (
    "FILE=NODE:NIC: of which NIC a file of --captures is, repeatable; else told by its name or what is in it"
)


@task
def labs(_: Context) -> None:
    """List the labs in the order of the course: what each teaches, and after which ones."""
    course, broken = SITE.course()
    print(listing(course))
    for name in broken:
        print(f"{name} doesn't load: {CALLED} validate lab={name} says why", file=sys.stderr)


@task(
    help={
        "lab": _LAB,
        "provider": f"where it runs: {', '.join(registry.PROVIDERS)} (default: {DEFAULT_PROVIDER})",
        "kernel": f"another kernel under it, in a micro-VM: {', '.join(registry.KERNELS)} (default: this machine's own)",
        "instance": _INSTANCE,
        "box": f"a box for all machines instead of those that the file names ({', '.join(registry.WITH_MACHINES)})",
        "trust": "run the lab's own commands, now and until they change",
        "single-vm": f"one machine with the whole lab in namespaces ({', '.join(registry.WITH_MACHINES)})",
        "dry-run": "only say what an edit of the file would change in a lab that is up",
    }
)
def up(
    _: Context,
    lab: str,
    provider: str = "",
    kernel: str = "",
    instance: str = "",
    box: str = "",
    single_vm: bool = False,
    trust: bool = False,
    dry_run: bool = False,
) -> None:
    """Bring a lab up; on a lab that is up, bring back what is missing, and change what its file has changed.

    A lab with commands of its own shows them first, and runs them with --trust. Every NIC is traced from before the first packet, into .srv6lab/<instance>/captures/.
    """
    from srv6lab.cli.trust import require
    from srv6lab.live import lifecycle
    from srv6lab.live.begun import read_begun
    from srv6lab.live.instance import Request

    reference = SITE.refer(lab, instance)
    home, typed = SITE.home(reference, instance), SITE.typed(lab, reference)
    chosen = registry.choose_provider(home, provider, kernel, single_vm=single_vm)
    if (begun := read_begun(home)) is not None:
        called = SITE.said(reference.path, reference.name) + (f" --instance {instance}" if instance else "")
        print(f"{begun.exercise} is begun in {home.path.name}, so nothing is brought back")
        print(f"  {CALLED} reset lab={called} goes back to its start, {CALLED} finish lab={called} ends it")
        return
    if dry_run:
        plan, _warnings = SITE.load(reference, instance)
        for line in lifecycle.would_change(home, plan, Request(reference, chosen, box)):
            print(line)
        return
    with _progress(f"up {reference.name}") as progress:
        progress.line(registry.provider_line(chosen, explicit=bool(provider or kernel)))
        plan, warnings = SITE.load(reference, instance)
        for warning in warnings:
            progress.line(str(warning))
        require(plan, f"lab={typed}", trust=trust)
        remember(SITE.instances)
        lifecycle.up(home, plan, Request(reference, chosen, box), progress)
    name = f"lab={typed}" + (f" --instance {instance}" if instance else "")
    print(f"{reference.name} is up. Next: {CALLED} check {name}, or {CALLED} connect {name} node=NODE")
    if not home.path.is_relative_to(Path.cwd()):
        print(f"Its packets: {home.captures}")


@task(
    help={
        "lab": _LAB,
        "exercise": "an exercise to run, repeatable (default: all of the lab's)",
        "captures": "grade the pcaps in this folder instead of running the exercise; needs --exercise",
        "map": _MAP,
        "strict": "with --captures: ask for all of the lab's captures, instead of judging those that are there",
        "format": f"how the verdict is printed: {', '.join(formats.VERDICTS)}",
        "verbose": "on a terminal too, every point of every exercise",
        "causes": "of a task that is begun: tell the causes, too, which costs a fifth of its points",
        "report": "a file for the page of it, too, as the task report makes it, in less time",
        "color": "auto, always or never ($NO_COLOR is never)",
        "instance": _INSTANCE,
    },
    iterable=["exercise", "map"],
    positional=["lab", "exercise"],
)
def check(
    _: Context,
    lab: str,
    exercise: Sequence[str],
    map: Sequence[str],
    captures: str = "",
    strict: bool = False,
    format: str = "text",
    verbose: bool = False,
    color: str = "auto",
    instance: str = "",
    causes: bool = False,
    report: str = "",
) -> None:
    """Run a lab's exercises and judge every hop by its packets.

    Exits 0 if all pass, 4 if the lab failed, 3 if the captures can't prove it either way.
    """
    from srv6lab.cli import learn
    from srv6lab.cli import report as report_
    from srv6lab.cli.trust import require

    formats.chosen(formats.VERDICTS, format)  # before anything is run
    if report:
        report_.need_own_file(report)
    score = None
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    names = labs_.exercise_names(plan, exercise)
    with _progress(f"check {reference.name}") as progress:
        if captures:
            if len(names) != 1:
                raise UsageError(
                    "one folder of captures is of one exercise", f"--exercise, one of: {', '.join(names)}"
                )
            from srv6lab.judge.grade import grade  # pyshark is slow to import, and most tasks read no pcap

            verdicts = [grade(plan, names[0], Path(captures), progress, mapped=map, strict=strict)]
        else:
            require(plan, f"lab={SITE.typed(lab, reference)}", trust=False)
            one = SITE.running(reference, instance)
            names = learn.checked_names(one.home, plan, names, exercise)
            verdicts = labs_.check(one, plan, names, progress, causes=causes)
            score = learn.after_check(one.home, plan, verdicts, causes=causes)
        if report:
            handed = report_.Handed(captures, map)
            report_.report(plan, SITE.home(reference, instance), names, handed, report, progress)
    _show_verdicts(verdicts, format, verbose=verbose, color=color, score=score)


def _show_verdicts(
    verdicts: Sequence[Any], format: str, *, verbose: bool, color: str, score: Any = None
) -> None:
    """Print them, with the score of a task behind them, and exit by the worst."""
    sys.stdout.write(labs_.verdicts_report(verdicts, format, verbose=verbose, color=color, out=sys.stdout))
    if score is not None:
        (sys.stdout if format == "text" else sys.stderr).write(formats.SCORES["text"]([score]))
    sys.stdout.flush()
    if code := labs_.exit_code(verdicts):
        raise Exit(code=code)


@task(
    help={
        "lab": f"{_LAB} (default: all labs)",
        "labs": "another folder of labs, such as that of your own repository (default: $SRV6LAB_LABS)",
        "format": f"{', '.join(formats.CHECKED)}: github makes annotations of a pull request",
        "expanded": "print what the short file of a large lab becomes: every node, link and address",
    },
    positional=["lab"],
)
def validate(
    _: Context, lab: str | None = None, labs: str = "", format: str = "text", expanded: bool = False
) -> None:
    """Load and plan a lab's file, or all labs' files; show all of their problems at once."""
    from srv6lab.cli import validate as validation

    if expanded:
        if lab is None:
            raise UsageError("no lab is named", f"{CALLED} validate lab=NAME --expanded")
        sys.stdout.write(validation.expanded(SITE.known(SITE.refer(lab)).path))
        return

    show = formats.chosen(formats.CHECKED, format)
    folder = labs or os.environ.get("SRV6LAB_LABS", "")
    site = replace(SITE, folder=Path(folder), shared=None) if folder else SITE
    files = validation.files_in(site.labs) if lab is None else [site.known(site.refer(lab)).path]
    checked = validation.validate(files)
    out, words = show(checked)
    sys.stderr.write(words)
    sys.stdout.write(out)
    sys.stdout.flush()
    if code := validation.exit_code(checked):
        raise Exit(code=code)


@task(
    help={
        "name": "a behavior, such as End.DX4 (default: all)",
        "format": f"{', '.join(formats.BEHAVIORS)}",
    },
    positional=["name"],
)
def behaviors(_: Context, name: str | None = None, format: str = "text") -> None:
    """List the behaviors that a local SID can have (RFC 8986 section 4), or show one with its flavors."""
    from srv6lab.report.behaviors import taught

    course, _broken = SITE.course()
    sys.stdout.write(formats.chosen(formats.BEHAVIORS, format)(name or "", taught(course)))


@task(
    help={
        "lab": f"{_LAB} (default: what every lab needs)",
        "provider": f"where it would run: {', '.join(registry.PROVIDERS)}",
        "format": "text or json",
        "mend": "install the Debian packages that are missing: names each and asks first",
        "yes": "with --mend: ask nothing",
    },
    positional=["lab"],
)
def doctor(
    _: Context,
    lab: str | None = None,
    provider: str = "",
    format: str = "text",
    mend: bool = False,
    yes: bool = False,
) -> None:
    """Show what this machine can run: each tool, what the kernel does, and how to mend what is lacking.

    The kernel is tried out in a throwaway node. Exits 0 if all that was asked for works, else 3.
    """
    if yes and not mend:
        raise UsageError("--yes answers what --mend asks", f"{CALLED} doctor --mend --yes")
    from srv6lab import doctor as doctor_

    show = formats.chosen(formats.DIAGNOSIS, format)
    chosen = doctor_.choose(provider)
    asked = SITE.load(SITE.refer(lab))[0] if lab else None
    found = doctor_.diagnose(chosen, [] if asked else SITE.plans(), asked, SITE.instances)
    if mend:
        from srv6lab.doctor import mending

        mending.install(mending.packages(found), yes=yes)
        found = doctor_.diagnose(chosen, [] if asked else SITE.plans(), asked, SITE.instances)
    sys.stdout.write(show(found))
    sys.stdout.flush()
    if not found.works:
        raise Exit(code=3)


@task(
    help={
        "lab": _LAB,
        "out": "the folder that the files go to",
        "check": "write nothing: compare with what stands in the folder, and exit 2 if it differs",
        "target": f"what they are for: {', '.join(targets.TARGETS)} (default: {targets.DEFAULT_TARGET})",
    },
    positional=["lab", "out"],
)
def render(
    _: Context, lab: str, out: str = "", check: bool = False, target: str = targets.DEFAULT_TARGET
) -> None:
    """Write a lab's files for another tool, and print their paths; needs no hypervisor and no root.

    The same lab gives the same bytes on every system. Nothing is removed from the folder.
    """
    rendering = targets.target(target)
    reference = SITE.refer(lab)
    if not out:
        raise UsageError("no folder is named", f"{CALLED} render lab={reference.name} --out DIR")
    plan = SITE.read(reference, sys.stderr)
    files = rendering(plan)
    if check:
        labs_.check_rendered(files, Path(out), sys.stdout.write)
        return
    written, left = labs_.write_rendered(files, Path(out))
    for path in written:
        print(path)
    for path in left:
        print(f"{path} is not of this lab: left as it is", file=sys.stderr)


@task(
    help={
        "lab": _LAB,
        "exercise": "an exercise, repeatable (default: all of the lab's)",
        "probe": "a probe of theirs, repeatable (default: all)",
        "format": f"how the walk is printed: {', '.join(formats.WALKS)}",
    },
    iterable=["exercise", "probe"],
    positional=["lab", "exercise"],
)
def predict(
    _: Context, lab: str, exercise: Sequence[str], probe: Sequence[str], format: str = "text"
) -> None:
    """Say what each packet of a lab's probes must look like at every NIC, and why; needs no lab and no root.

    By the RFCs; where Linux departs from them, its value stands beside theirs.
    """
    plan = SITE.read(SITE.refer(lab), sys.stderr)
    sys.stdout.write(labs_.predict(plan, labs_.exercise_names(plan, exercise), probe, format))


@task(
    help={
        "lab": _LAB,
        "exercise": "an exercise, repeatable (default: all of the lab's)",
        "out": "the file that the page is written to, - for stdout (default: where check keeps its runs)",
        "captures": "a folder of runs that was kept or handed in, or of one exercise's pcaps",
        "map": _MAP,
        "instance": _INSTANCE,
    },
    iterable=["exercise", "map"],
    positional=["lab", "exercise"],
)
def report(
    _: Context,
    lab: str,
    exercise: Sequence[str],
    map: Sequence[str],
    out: str = "",
    captures: str = "",
    instance: str = "",
) -> None:
    """Make a page of what `check` has seen, and print its path: every walk, hop by hop, with the bytes of its packets.

    One file that needs no network. It is made of the newest run of each exercise; nothing is run, so the lab need not
    be up, nor you root.
    """
    from srv6lab.cli import report as report_

    reference = SITE.refer(lab, instance)
    home = SITE.home(reference, instance)
    handed = report_.Handed(captures, map)
    with below(home.scratch), report_.begun(home.runs, exercise, handed) as tsharks:
        plan, _warnings = SITE.load(reference, instance)
        with _progress(f"report {reference.name}") as progress:
            path = report_.report(plan, home, exercise, handed, out, progress, tsharks)
    if path:
        print(shown(path))


@task(
    help={
        "lab": _LAB,
        "exercise": "also show the way of this exercise's first probe, as the model says it",
        "probe": "also show the way of this probe",
        "format": f"what the picture is: {', '.join(formats.PICTURES)}",
        "out": "the file that it is written to (default: it is printed, as by -)",
    },
    positional=["lab", "exercise"],
)
def graph(
    _: Context, lab: str, exercise: str = "", probe: str = "", format: str = "svg", out: str = ""
) -> None:
    """Draw a lab: nodes with their SIDs, NICs with their addresses, links, services; needs no lab and no root."""
    from srv6lab.cli import graph as pictures

    formats.chosen(formats.PICTURES, format)
    plan = SITE.read(SITE.refer(lab), sys.stderr)
    drawn = pictures.graph(plan, format, exercise, probe)
    if out in ("", "-"):
        sys.stdout.write(drawn)
        return
    write_to(Path(out), drawn)
    print(shown(Path(out)))


@task(
    help={
        "lab": _LAB,
        "from": "the node that sends one echo request (default: as the lab's first probe)",
        "to": "the node that it is sent to",
        "verbose": "on a terminal too, every point",
        "color": "auto, always or never ($NO_COLOR is never)",
        "format": f"how it is printed: {', '.join(formats.VERDICTS)}",
        "instance": _INSTANCE,
    },
    positional=["lab", "from_", "to"],
)
def walk(
    _: Context,
    lab: str,
    from_: str = "",
    to: str = "",
    verbose: bool = False,
    color: str = "auto",
    format: str = "text",
    instance: str = "",
) -> None:
    """Send one packet now, and show its way as it was captured, hop by hop.

    It is held against the model alone. Exits as `check` does.
    """
    formats.chosen(formats.VERDICTS, format)
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference, instance)
    with _progress(f"walk {reference.name}") as progress:
        verdict = labs_.walk(SITE.running(reference, instance), plan, from_, to, progress)
    _show_verdicts([verdict], format, verbose=verbose, color=color)


@task(
    help={"lab": f"{_LAB} (default: all that is up)", "instance": _INSTANCE, "format": "text or json"},
    positional=["lab"],
)
def status(_: Context, lab: str = "", instance: str = "", format: str = "text") -> None:
    """Show what is up; of a lab which nodes and tracers are alive, and what isn't as Day0 left it.

    Exits 3 if a node or tracer is not alive.
    """
    from srv6lab.cli import status as status_

    if lab or instance:
        reference = SITE.refer(lab, instance)
        one = SITE.running(reference, instance)
        health, drift = status_.status(one)
        sys.stdout.write(status_.status_report(one, health, drift, format))
        if note := status_.edited(SITE, reference, one):
            print(note, file=sys.stderr)
        sound = all(entry.alive for entry in health)
    else:
        found = status_.begun(SITE)
        sys.stdout.write(status_.overview(SITE, found, format))
        sound = all(one.sound for one in found)
    if not sound:
        raise Exit(code=3)


@task(
    help={
        "lab": _LAB,
        "node": "only what is of this node, and of the whole lab (default: all)",
        "format": f"{', '.join(formats.EVENTS)}: text is a screen on a terminal, else a line an event",
        "interval": "seconds between two looks at counters (default: 1, of virtual machines 10)",
        "instance": _INSTANCE,
    },
    positional=["lab", "node"],
)
def watch(
    _: Context, lab: str, node: str = "", format: str = "text", instance: str = "", interval: str = ""
) -> None:
    """Watch a lab live: nodes, packets, SIDs, routes, and what checks in other terminals find; q ends it.

    Takes no lock and changes nothing; goes on through destroy and up. ndjson is one event a line, for programs.
    """
    from srv6lab.cli.watch import watch

    watch(SITE, lab, form=format, node=node, interval=interval, instance=instance)


@task(help={"lab": _LAB, "instance": _INSTANCE, "format": "text or json"})
def sids(_: Context, lab: str, instance: str = "", format: str = "text") -> None:
    """Show the local SIDs, locators and VPN routes that a lab's nodes have now."""
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference)
    sys.stdout.write(labs_.sids(SITE.running(reference, instance), plan, format))


@task(help={"lab": _LAB, "instance": _INSTANCE, "format": "text or json"})
def policy(_: Context, lab: str, instance: str = "", format: str = "text") -> None:
    """Show the SR policies of a lab's headends: candidate paths, which is active, and the rule that chose it.

    From the agents of a lab that is up; else what the model computes.
    """
    reference = SITE.refer(lab, instance)
    plan, _warnings = SITE.load(reference)
    sys.stdout.write(labs_.policies(SITE.running_if_up(reference, instance), plan, format))


@task(
    help={
        "lab": _LAB,
        "node": "the node that sends",
        "to": "the address that answers, where the path ends",
        "segments": "the SIDs on the way, first visited first, with commas between them",
        "count": "how many echo requests",
        "oam": "set the O-flag of the SRH (RFC 9259)",
        "instance": _INSTANCE,
    },
    positional=["lab", "node", "segments", "to"],
)
def ping(
    _: Context,
    lab: str,
    node: str = "",
    to: str = "",
    segments: str = "",
    count: int = 3,
    oam: bool = False,
    instance: str = "",
) -> None:
    """Is a SID alive? Send echo requests that carry an SRH through SIDs, from a node of a lab."""
    code = labs_.ping(SITE.running(SITE.refer(lab, instance), instance), node, to, segments, count, oam)
    if code:
        raise Exit(code=code)


@task(name="frr")
def frr(_: Context) -> None:
    """Build the root file system for nodes with FRR, unless it is there, and print where it is."""
    with _progress("frr") as progress:
        print(labs_.frr_root(progress))


@task(
    name="exec",
    help={
        "lab": _LAB,
        "node": "the node to run it in",
        "command": "the command and its arguments: all words behind the node, or behind --",
        "instance": _INSTANCE,
    },
    iterable=["command"],
    positional=["lab", "node", "command"],
)
def exec_(_: Context, lab: str, command: Sequence[str], node: str = "", instance: str = "") -> None:
    """Run a command in a node. Its output and its exit code are the command's own."""
    if not command:
        raise UsageError("no command is given", f"{CALLED} exec lab=NAME node=NODE -- COMMAND ARGUMENTS")
    if len(command) == 1 and len(command[0].split()) > 1:
        what = f"{command[0]!r} is one word, and no command is called so"
        mend = f"leave the quotes out; for a pipe: {CALLED} exec lab=NAME node=NODE -- sh -c 'COMMANDS'"
        raise UsageError(what, mend)
    if code := labs_.run_here(SITE.running(SITE.refer(lab, instance), instance), node, command):
        raise Exit(code=code)


@task(help={"lab": _LAB, "node": "the node to enter", "instance": _INSTANCE}, positional=["lab", "node"])
def connect(_: Context, lab: str, node: str = "", instance: str = "") -> None:
    """Open a shell in a node; `exit` leaves it."""
    code = labs_.run_here(
        SITE.running(SITE.refer(lab, instance), instance), node, labs_.shell(sys.stdin.isatty())
    )
    if code:
        raise Exit(code=code)


@task(
    help={
        "lab": _LAB,
        "out": "the folder to write them to",
        "live": "send what passes from now on to stdout, as one pcapng of all NICs, until Ctrl-C",
        "node": "with --live: only this node's NICs, repeatable",
        "nic": "with --live: only this NIC, as NODE:NIC or with --node as NIC, repeatable",
        "filter": "with --live: only these packets, as for tcpdump (man pcap-filter)",
        "instance": _INSTANCE,
    },
    iterable=["node", "nic"],
    positional=["lab", "out"],
)
def capture(
    _: Context,
    lab: str,
    out: str = "",
    instance: str = "",
    live: bool = False,
    *,
    node: Sequence[str],
    nic: Sequence[str],
    filter: str = "",
) -> None:
    """Write all that was traced so far, drained and whole, one pcap a NIC; print their paths.

    With --live into Wireshark while it happens: invoke capture lab=NAME --live | wireshark -k -i -
    From another machine: ssh HOST 'cd srv6lab && .venv/bin/invoke capture lab=NAME --live' | wireshark -k -i -
    """
    from srv6lab.cli import capture as capture_

    asked = capture_.Asked(node, nic, filter)
    reference = SITE.refer(lab, instance)
    if live:
        capture_.refuse(SITE.typed(lab, reference), out, instance, asked, sys.stdout)
        one = SITE.running(reference, instance)
        capture_.live(one, SITE.load_if_sound(reference), asked, sys.stdout, sys.stderr)
        return
    capture_.refuse_alone(asked)
    one = SITE.running(reference, instance)
    for path in labs_.collect(one, Path(out) if out else one.home.collected):
        print(path)


@task(
    help={
        "lab": _LAB,
        "exercise": "an exercise whose newest check is shown, repeatable (default: all that were checked)",
        "captures": "a folder with pcaps instead, of a run or of any other origin",
        "map": _MAP,
        "out": "the folder to write to (default: .srv6lab/<instance>/wireshark/)",
        "files-only": "write the files, and start nothing",
        "instance": _INSTANCE,
    },
    iterable=["exercise", "map"],
    positional=["lab", "exercise"],
)
def wireshark(
    _: Context,
    lab: str,
    exercise: Sequence[str],
    map: Sequence[str],
    captures: str = "",
    out: str = "",
    files_only: bool = False,
    instance: str = "",
) -> None:
    """Put a lab's captures into one file with what the model says of each packet, and open it in Wireshark.

    A profile stands beside it: columns for SIDs, colors, filters, names. Of a lab that was never checked it is all that was traced.
    """
    from srv6lab.cli import wireshark as wireshark_

    reference = SITE.refer(lab, instance)
    asked = wireshark_.Asked(exercise, captures, map, out)
    with _progress(f"wireshark {reference.name}") as progress:
        written = wireshark_.write(SITE, reference, instance, asked, progress)
        for word in written.words:
            progress.line(word)
    for path in wireshark_.paths(written):
        print(shown(path))
    if not files_only:
        print(wireshark_.opened(written), file=sys.stderr)


@task(help={"lab": _LAB, "instance": _INSTANCE})
def halt(_: Context, lab: str, instance: str = "") -> None:
    """Shut the virtual machines of a lab down; `up` boots them again, with their disks as they were."""
    from srv6lab.live import lifecycle

    reference = SITE.refer(lab, instance)
    with _progress(f"halt {reference.name}") as progress:
        lifecycle.halt(SITE.running(reference, instance), progress)


@task(help={"lab": _LAB, "instance": _INSTANCE, "purge": "also remove the results of checks"})
def destroy(_: Context, lab: str, instance: str = "", purge: bool = False) -> None:
    """Take away exactly what `up` made: after a crash too, and when the lab's file is gone."""
    from srv6lab.live import lifecycle

    reference = SITE.refer(lab, instance)
    home = SITE.home(reference, instance)
    if not lifecycle.destroy(home, purge=purge):
        if not (where := elsewhere(SITE.instances, home.path.name)):
            SITE.known(reference)
        print(f"{home.path.name} isn't up: {where or 'nothing to take away'}")
    elif home.runs.is_dir():
        print(
            f"{home.path.name} is gone; results of checks are kept in {shown(home.runs)} (--purge removes them)"
        )
    else:
        print(f"{home.path.name} is gone")


def _box_build(_: Context, again: bool = False, add: bool = False) -> None:
    """Build a small Debian box with all that labs need, for VirtualBox and libvirt; needs root.

    A class can run offline with it: invoke up lab=NAME --provider virtualbox --box srv6lab/debian13
    """
    with _progress("box.build") as progress:
        box = labs_.build_box(progress, again=again, add=add)
        progress.line(f"{box.name}, kernel {box.kernel}, built in {box.seconds:.0f} s")
    for provider, path in box.files.items():
        print(f"{provider:11} {box.sizes[provider] >> 20:5} MiB  {path}")


_BOX = Collection("box")
_BOX.add_task(
    task(
        help={
            "again": "build it although one of the same recipe is there",
            "add": "hand it to Vagrant: vagrant box add",
        }
    )(_box_build),
    name="build",
)
namespace = Collection.from_module(sys.modules[__name__])
namespace.add_collection(_BOX)
namespace.add_collection(CLASS)
for _task in (*Collection.from_module(teach).tasks.values(), submit, init):
    namespace.add_task(_task)
program.take_over(SITE.samples)
