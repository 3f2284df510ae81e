"""Tries the fault corpus on running labs, and says how far `check` sees each fault and names its cause.

The faults of a lab are data, in `tests/labs/corpus/<lab>.yml`:

    id, exercise   its name, and the exercise that is run while it lasts
    truth          what is wrong, in plain words
    do             scripts, each in a node; `@lab` is this machine, in the lab's own folder
    undo           scripts that take it back; without them `up` mends it
    needs          a module that not every kernel has: without it the fault can't be done, and isn't counted
    fresh          true: nothing mends it, and the lab is made anew
    want           seen (exit 4), equal on the wire (exit 0), or inconclusive (exit 3)
    causes         the causes of which one should be named first, each with the node that has it
    also           what may be proven as well, because it is true too
    innocent       words of what is left on a node beside the fault and touches no packet: no cause may quote them
    sample         true: `make test` tries it; later: it will, once `check` sees it and names its cause

Such as: .venv/bin/python tests/labs/corpus.py --lab first-packet --id tag-rewritten
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))

from srv6lab.cli.labs import LabsFolder  # noqa: E402
from srv6lab.cli.tasks import check  # noqa: E402
from srv6lab.evidence.verdict import Item, Status, Suspect, Verdict  # noqa: E402
from srv6lab.live.instance import Instance, Reference, Request  # noqa: E402
from srv6lab.live.lifecycle import destroy, up  # noqa: E402
from srv6lab.plan.nodes import Plan  # noqa: E402

FOLDER = Path(__file__).with_suffix("")
SITE = LabsFolder(REPOSITORY)
LIMIT = 60  # seconds for a check, which then counts as one that hangs
WANTED = {"seen": Status.FAIL, "equal": Status.PASS, "inconclusive": Status.INCONCLUSIVE}
NO_ACCUSATION = ("unknown",)
SHARES = {"seen": 0.98, "right cause first": 0.90}  # of those to be seen; at least


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a lab's list."""

    lab: str
    id: str
    exercise: str
    truth: str
    want: str
    do: tuple[tuple[str, str], ...]
    undo: tuple[tuple[str, str], ...] = ()
    fresh: bool = False
    causes: frozenset[tuple[str, str]] = frozenset()
    also: frozenset[tuple[str, str]] = frozenset()
    innocent: tuple[str, ...] = ()
    sample: bool | str = False
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `check` said while a fault lasted: a status, HANG, `impossible` on this kernel, or BROKEN with why in
    `note`."""

    fault: Fault
    said: str
    suspects: tuple[Suspect, ...] = ()
    seconds: float = 0
    note: str = ""
    items: tuple[Item, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the verdict is the wanted one."""
        return self.said == WANTED[self.fault.want].value

    @property
    def named(self) -> bool:
        """Whether the first cause is one of the accepted. What differs from Day0 on the right node is the fault itself,
        but for what is innocent, which `accused` sees."""
        first, nodes = self.suspects[:1], {node for _, node in self.fault.causes}
        return any(
            (one.cause, one.node) in self.fault.causes or (one.cause == "differs" and one.node in nodes)
            for one in first
        )

    @property
    def accused(self) -> tuple[Suspect, ...]:
        """The causes that were called proven, and aren't what is wrong; and those that quote what is innocent."""
        true = self.fault.causes | self.fault.also
        return tuple(
            one
            for one in self.suspects
            if (one.proven and one.cause not in NO_ACCUSATION and (one.cause, one.node) not in true)
            or any(word in one.what for word in self.fault.innocent)
        )


def _places(entries: Iterable[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for entry in entries for key, value in entry.items())


def faults(lab: str) -> list[Fault]:
    """A lab's list; none for a lab that has no list."""
    path = FOLDER / f"{lab}.yml"
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text()) if path.exists() else []
    found = []
    for each in listed:
        each["do"], each["undo"] = _places(each["do"]), _places(each.get("undo", ()))
        each["causes"] = frozenset(_places(each.get("causes", ())))
        each["also"] = frozenset(_places(each.get("also", ())))
        each["innocent"] = tuple(each.get("innocent", ()))
        found.append(Fault(lab, **each))
    return found


@dataclass(frozen=True, slots=True)
class Bench:
    """A lab that is up, for faults to be tried on."""

    running: Instance
    plan: Plan
    reference: Reference

    @classmethod
    def begin(cls, lab: str) -> Bench:
        reference = SITE.refer(lab)
        plan, _ = SITE.load(reference)
        home = SITE.home(reference, f"corpus-{uuid.uuid4().hex[:12]}")
        return cls(up(home, plan, Request(reference), _silent), plan, reference)

    def again(self) -> Bench:
        """Mended by `up`."""
        return Bench(
            up(self.running.home, self.plan, Request(self.reference), _silent), self.plan, self.reference
        )

    def anew(self) -> Bench:
        self.end()
        return Bench.begin(self.reference.name)

    def end(self) -> None:
        destroy(self.running.home, purge=True)

    def run(self, place: str, script: str) -> str:
        """What went wrong in a script, "" if nothing did."""
        if place == "@lab":
            done = subprocess.run(
                ["bash", "-ec", script], cwd=self.running.home.path, capture_output=True, text=True
            )
            code, said = done.returncode, done.stderr
        else:
            result = self.running.exec(place, ["bash", "-ec", script], LIMIT)
            code, said = result.exit_code, result.stderr
        return f"{place}: {script}: {said.strip() or f'exit {code}'}" if code else ""


def _silent(_: str) -> None:
    """Progress that nobody reads."""


def _in_child(bench: Bench, exercise: str, end: Connection) -> None:
    os.setsid()
    try:
        (verdict,) = check(bench.running, bench.plan, [exercise], _silent)
        end.send(verdict)
    except BaseException:
        end.send(traceback.format_exc(limit=-3))
    os._exit(0)


def checked(bench: Bench, exercise: str, limit: float = LIMIT) -> Verdict | str:
    """The verdict of an exercise; why there is none; "HANG" for one that took longer than `limit` seconds."""
    near, far = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")
    child = context.Process(target=_in_child, args=(bench, exercise, far))
    child.start()
    far.close()
    try:
        return near.recv() if near.poll(limit) else "HANG"  # type: ignore[no-any-return]
    except EOFError:
        return "the check ended without a verdict"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid or 0, signal.SIGKILL)
        child.kill()  # if it hasn't got as far as to lead a group
        child.join()


def tried(bench: Bench, fault: Fault) -> Outcome:
    """Do it, check, undo it. What `up` or a new lab mends is left to `mended`."""
    start = time.monotonic()
    wrong = next(filter(None, (bench.run(*each) for each in fault.do)), "")
    said = wrong or checked(bench, fault.exercise)
    undone = next(filter(None, [bench.run(*each) for each in fault.undo]), "")
    seconds = time.monotonic() - start
    if wrong and fault.needs:
        return Outcome(fault, "impossible", (), seconds, f"this kernel has no {fault.needs}")
    if isinstance(said, Verdict):
        wrong_items = tuple(item for item in said.items if item.status is not Status.PASS)
        return Outcome(fault, said.status.value, said.suspects, seconds, undone, wrong_items)
    return Outcome(fault, "HANG" if said == "HANG" else "BROKEN", (), seconds, undone or said)


def mended(bench: Bench, fault: Fault) -> tuple[Bench, str]:
    """The lab as if nothing had been, and why it had to be made anew, "" if it hadn't."""
    if fault.fresh:
        return bench.anew(), ""
    if not fault.undo:
        with contextlib.suppress(Exception):
            bench = bench.again()
    if not (left := _left(bench, fault.exercise)):
        return bench, ""
    with contextlib.suppress(Exception):
        bench = bench.again()
    if not _left(bench, fault.exercise):
        return bench, f"`up` had to mend what undo left: {left}"
    return bench.anew(), f"neither undo nor `up` mended it: {left}"


def _left(bench: Bench, exercise: str) -> str:
    """What is still wrong with an exercise; "" where it passes."""
    after = checked(bench, exercise)
    if not isinstance(after, Verdict):
        return after
    wrong = [item for item in after.items if item.status is not Status.PASS]
    return "" if after.status is Status.PASS else " ".join(map(gist, wrong[:1]))


def tour(lab: str, chosen: Iterable[Fault], show: Callable[[Outcome], None]) -> Iterator[Outcome]:
    """Every fault of a lab in turn, on one lab that is brought up once."""
    todo = list(chosen)
    bench = Bench.begin(lab)
    try:
        for exercise in sorted({fault.exercise for fault in todo}):
            if left := _left(bench, exercise):  # it also fills the neighbor tables
                raise SystemExit(f"corpus: {lab} fails {exercise} without a fault: {left}")
        for fault in todo:
            outcome = tried(bench, fault)
            if (
                outcome.note and outcome.said != "impossible"
            ):  # who knows what a script left that failed half-way
                bench, note = bench.anew(), ""
            else:
                bench, note = mended(bench, fault)
            if note:
                both = "; ".join(filter(None, (outcome.note, note)))
                outcome = replace(outcome, note=both)
            show(outcome)
            yield outcome
    finally:
        bench.end()


def gist(item: Item) -> str:
    """An item in a line."""
    words = (item.point, item.direction, item.kind, item.field)
    said = f"{item.captured} for {item.expected or item.predicted}"
    return " ".join(str(word) for word in (*words, said, item.note) if word)


def row(outcome: Outcome) -> str:
    """One line of the table."""
    fault, first = outcome.fault, outcome.suspects[:1]
    named = "".join(f"{one.cause} {one.node}{' (proven)' if one.proven else ''}" for one in first) or "-"
    counted = outcome.said != "impossible"
    verdict = "-" if not counted else "right" if outcome.right else "WRONG"
    cause = "" if not counted or fault.want != "seen" else "right" if outcome.named else "wrong"
    accused = ", ".join(f"accused {one.cause} {one.node}" for one in outcome.accused)
    note = "; ".join(filter(None, (accused, outcome.note.replace("\n", " ")[:160])))
    cells = (fault.lab, fault.id, fault.want, outcome.said, verdict, named, cause)
    widths = (14, 34, 13, 13, 6, 44, 6)
    line = "".join(f"{cell:{width}} " for cell, width in zip(cells, widths, strict=True))
    return f"{line}{outcome.seconds:5.1f} s  {note}".rstrip()


@dataclass(frozen=True, slots=True)
class Totals:
    """What came of many faults."""

    faults: int
    to_be_seen: int
    seen: int
    named: int
    false_accusations: int
    false_red: int
    others_wrong: int
    broken: int

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Totals:
        tried = [one for one in outcomes if one.said != "impossible"]
        visible = [one for one in tried if one.fault.want == "seen"]
        equal = [one for one in tried if one.fault.want == "equal"]
        return cls(
            len(tried),
            len(visible),
            sum(one.right for one in visible),
            sum(one.named for one in visible),
            sum(bool(one.accused) for one in tried),
            sum(not one.right for one in equal),
            sum(not one.right for one in tried if one.fault.want == "inconclusive"),
            sum(one.said == "BROKEN" for one in tried),
        )

    def __str__(self) -> str:
        def share(count: int) -> str:
            return f"{count} of {self.to_be_seen} ({100 * count / max(1, self.to_be_seen):.1f}%)"

        return (
            f"{self.faults} faults: seen {share(self.seen)}, right cause first {share(self.named)}, "
            f"false accusations {self.false_accusations}, false red on equal {self.false_red}, "
            f"inconclusive ones judged otherwise {self.others_wrong}, not to be done {self.broken}"
        )


def chosen(labs: Iterable[str], ids: Iterable[str]) -> dict[str, list[Fault]]:
    """The faults asked for, a lab's together; SystemExit for an id that isn't there."""
    wanted = set(ids)
    found = {lab: [one for one in faults(lab) if not wanted or one.id in wanted] for lab in labs}
    if missing := wanted - {one.id for each in found.values() for one in each}:
        raise SystemExit(f"corpus: no fault is called {', '.join(sorted(missing))}")
    return {lab: each for lab, each in found.items() if each}


def _in_a_row(outcome: Outcome) -> None:
    print(row(outcome), flush=True)


def _at_length(outcome: Outcome) -> None:
    _in_a_row(outcome)
    for item in outcome.items:
        print(f"    {gist(item)}", flush=True)
    for one in outcome.suspects:
        print(f"    cause {one.cause} at {one.node}, proven {one.proven}: {one.what}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lab", action="append", help="only this lab's (may be repeated)")
    parser.add_argument("--id", action="append", default=[], help="only this fault (may be repeated)")
    parser.add_argument("--part", default="1/1", help="such as 2/3, the second third of each lab's")
    parser.add_argument("--list", action="store_true", help="say which there are, and try none")
    parser.add_argument("--items", action="store_true", help="show what wasn't right, and every cause")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no lab is left behind
    number, parts = map(int, options.part.split("/"))
    todo = chosen(options.lab or SITE.names(), options.id)
    todo = {lab: those[number - 1 :: parts] for lab, those in todo.items()}
    if options.list:
        for each in (one for those in todo.values() for one in those):
            print(f"{each.lab:14} {each.id:34} {each.want:13} {each.truth}")
        return 0
    show = _at_length if options.items else _in_a_row
    outcomes = [outcome for lab, those in todo.items() for outcome in tour(lab, those, show)]
    print(Totals.of(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
