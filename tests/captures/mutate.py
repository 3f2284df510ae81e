"""A mutation test of captures: a right run with one thing changed, judged again; which changes are seen?

    .venv/bin/python tests/captures/mutate.py --lab NAME [--exercise NAME] [--operator NAME] [--runs FOLDER]

prints a row an operator. Without `--runs` the lab is brought up, which needs root; with it, run folders are read that
a check has left (`.srv6lab/INSTANCE/runs`). All mutated frames of a lab are read by one tshark, since what it says of
a frame depends on that frame alone; then each mutant's captures are put together and judged in this process.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import sys
import tempfile
import traceback
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from srv6lab.capture import fields, tshark
from srv6lab.capture.asking import find
from srv6lab.capture.pcap import Framing, packets
from srv6lab.capture.reading import Capture, _Part, read_all
from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.tasks import check
from srv6lab.evidence.observations import Observations
from srv6lab.evidence.packets import PacketView, Point
from srv6lab.evidence.verdict import Status
from srv6lab.judge import grade
from srv6lab.judge.observed import observed_run
from srv6lab.live.instance import Request
from srv6lab.live.lifecycle import destroy, up
from srv6lab.plan.nodes import Plan
from tests.captures import frames as frames_of
from tests.captures import quick
from tests.captures.operators import EQUAL, OPERATORS, Frame, Operator, Scene

REPOSITORY = Path(__file__).resolve().parents[2]
MUTANTS = 20
_DIAGNOSED = 1  # of an operator's mutants: causes are another's affair, and must only not break
_TRIES = 200  # a dice may find nothing to change a few times

MODES = ("run", "alone", "one")
"""With what the run observed; with the pcaps alone; with the changed files alone."""


@dataclass(frozen=True, slots=True)
class Right:
    """A right run of an exercise: what was observed, each capture as it was read, and its frames."""

    plan: Plan
    exercise: str
    observed: Observations
    captures: Mapping[Point, Capture]
    points: Mapping[str, Point]
    scene: Scene


@dataclass(slots=True)
class Row:
    """What came of an operator's mutants; `unknown` says why they may pass although they are wrong."""

    operator: Operator
    unknown: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def mutants(self) -> int:
        return self.seen.total()


def right_run(plan: Plan, exercise: str, folder: Path) -> Right:
    """A run's folder as a check has left it."""
    observed = observed_run(plan, exercise, folder)
    points = {nic.trace: nic.point for nic in plan.traced()}
    paths = {trace: folder / "captures" / f"{trace}.pcap" for trace in points}
    protocols = {one.protocol for one in plan.exercise(exercise)[1].expect.control}
    captures = read_all({points[trace]: path for trace, path in paths.items()}, messages=sorted(protocols))
    frames = {trace: tuple(packets(path)) for trace, path in paths.items()}
    tokens = tuple(bytes.fromhex(one.token) for one in observed.probes if one.token)
    probes = {
        trace: tuple(n for n, frame in enumerate(found) if any(token in frame for token in tokens))
        for trace, found in frames.items()
    }
    return Right(plan, exercise, observed, captures, points, Scene(frames, probes, tokens))


def mutants(right: Right, operator: Operator, most: int = MUTANTS) -> Iterator[dict[str, list[Frame]]]:
    """The same ones each time."""
    found = 0
    for attempt in range(_TRIES):
        if found == most:
            return
        dice = Random(f"{right.plan.name} {right.exercise} {operator.name} {attempt}")
        try:
            changed = operator.change(dice, right.scene)
        except (
            IndexError,
            OverflowError,
            struct.error,
        ):  # a header that another header's change left no room for
            continue
        if changed is not None:
            found += 1
            yield changed


def described(frames: Iterable[Frame]) -> dict[Frame, Capture]:
    """What tshark says of each frame alone; all by one tshark."""
    distinct = list(dict.fromkeys(frames))
    with tempfile.TemporaryDirectory(prefix="srv6lab-") as folder:
        path = Path(folder, "frames.pcap")
        path.write_bytes(frames_of.pcap(distinct))
        parts = [_Part(path, path, Framing("pcap", 0, 0, 1)) for _ in distinct]
        failed = tshark.describe(
            find(), path, "", (), lambda it: parts[fields.frame_number(it) - 1].take(1, it)
        )
        assert failed is None, failed
    return {frame: part.capture() for frame, part in zip(distinct, parts, strict=True)}


@cache
def _numbered(view: PacketView, number: int) -> PacketView:
    return replace(view, number=number)


def put_together(right: Right, changed: Mapping[str, Sequence[Frame]], known: Mapping[Frame, Capture]) -> dict[Point, Capture]:  # fmt: skip
    """The captures of a mutant: those of its changed files, and the others as they were."""
    captures = dict(right.captures)
    for trace, frames in changed.items():
        before = captures[right.points[trace]]
        seen = [known[frame] for frame in frames]
        views = tuple(_numbered(view, n) for n, one in enumerate(seen, 1) for view in one.packets)
        note = "; ".join(dict.fromkeys(one.note for one in seen if one.note))
        captures[right.points[trace]] = replace(before, packets=views, note=note)
    return captures


def verdict_of(right: Right, captures: Mapping[Point, Capture], changed: Iterable[str], mode: str) -> Status:
    observed = right.observed if mode == "run" else Observations()
    if mode == "one":
        kept = {right.points[trace] for trace in changed}
        captures = {point: one for point, one in captures.items() if point in kept}
    return grade.judge_run(right.plan, right.exercise, observed, captures).status


def table(right: Right, operators: Sequence[Operator], mode: str = "run", most: int = MUTANTS) -> list[Row]:
    """A row an operator: how its mutants were judged, and those that were judged wrongly."""
    made = {operator: list(mutants(right, operator, most)) for operator in operators}
    known = described(frame for all_ in made.values() for one in all_ for x in one.values() for frame in x)
    rows = []
    for operator, all_ in made.items():
        row = Row(operator, unknowable(right, operator, mode))
        for number, changed in enumerate(all_):
            try:
                captures = put_together(right, changed, known)
                with nullcontext() if number < _DIAGNOSED else quick.without_causes():
                    status = verdict_of(right, captures, changed, mode).value
            except Exception:
                status = "traceback"
                row.wrong.append(traceback.format_exc(limit=-3))
            else:
                if not row.unknown and not is_right(operator, status, mode):
                    row.wrong.append(f"mutant {number} of {', '.join(changed)}: {status}")
            row.seen[status] += 1
        rows.append(row)
    return rows


def unknowable(right: Right, operator: Operator, mode: str) -> str:
    """Why an operator's mutants may be some right run's, for all that is known; "" if they can't be."""
    if mode == "one" and operator.at_one:
        return operator.at_one
    meanwhile = any(one.meanwhile for one in grade.predict(right.plan, right.exercise))
    return operator.meanwhile if meanwhile else ""


def is_right(operator: Operator, status: str, mode: str) -> bool:
    """With less to go by, what is wrong may be inconclusive, but never right; nor what is right a failure."""
    if mode == "run":
        return status in operator.wants
    return status != ("fail" if operator.wants == EQUAL else "pass")


def text(rows: Iterable[Row]) -> str:
    lines = [f"{'operator':52}{'wanted':18}{'pass':>6}{'fail':>6}{'?':>6}{'error':>6}"]
    rows = list(rows)
    for row in rows:
        wanted = " or ".join(sorted(row.operator.wants))
        counts = "".join(f"{row.seen[one]:6}" for one in ("pass", "fail", "inconclusive", "traceback"))
        lines.append(f"{row.operator.name:52}{wanted:18}{counts}{'  WRONG' if row.wrong else ''}")
    unknown = sum(row.seen["pass"] for row in rows if row.unknown)
    false_pass = sum(row.seen["pass"] for row in rows if "pass" not in row.operator.wants) - unknown
    false_fail = sum(row.seen["fail"] for row in rows if "fail" not in row.operator.wants)
    broken = sum(row.seen["traceback"] for row in rows)
    whole = sum(row.mutants for row in rows)
    used = sum(bool(row.mutants) for row in rows)
    wrong = sum(len(row.wrong) for row in rows)
    lines.append(
        f"{used} operators, {whole} mutants: {wrong} judged wrongly: {false_pass} false pass, "
        f"{false_fail} false fail, {broken} tracebacks"
        + (f"; {unknown} that can't be known" if unknown else "")
    )
    lines += [f"  {row.operator.name}: {row.unknown}" for row in rows if row.unknown and row.mutants]
    return "\n".join(lines)


def recorded(name: str, into: Path) -> Path:
    """Bring a lab up, run its exercises, and take it away: the folder with their runs."""
    reference = LabsFolder(REPOSITORY).refer(name)
    site = LabsFolder(REPOSITORY)
    plan, _ = site.load(reference)
    home = site.home(reference, f"test-{uuid.uuid4().hex[:12]}")
    try:
        running = up(home, plan, Request(reference), _silent)
        check(running, plan, [exercise.name for exercise in plan.exercises], _silent)
        shutil.copytree(home.runs, into / name)
    finally:
        destroy(home, purge=True)
    return into / name


def _silent(_: str) -> None: ...


def right_runs(name: str, runs: Path, exercise: str = "") -> Iterator[Right]:
    """The runs in a folder that pass as they are, and have a probe."""
    site = LabsFolder(REPOSITORY)
    plan, _ = site.load(site.refer(name))
    for one in plan.exercises:
        if exercise in ("", one.name) and (runs / one.name).is_dir():
            right = right_run(plan, one.name, runs / one.name)
            if (
                any(right.scene.probes.values())
                and verdict_of(right, right.captures, (), "run") is Status.PASS
            ):
                yield right
            else:
                print(f"{name} {one.name}: no right run with a probe of ours", file=sys.stderr)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--lab", required=True)
    asked.add_argument("--exercise", default="")
    asked.add_argument("--operator", default="", help="operators whose names hold this")
    asked.add_argument("--mode", default="run", choices=MODES)
    asked.add_argument("--mutants", type=int, default=MUTANTS, help="of each operator in each exercise")
    asked.add_argument("--runs", type=Path, help="a folder with run folders, instead of bringing the lab up")
    asked.add_argument("--verbose", action="store_true", help="name each mutant that is judged wrongly")
    told = asked.parse_args()
    operators = [one for one in OPERATORS if told.operator in one.name]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="srv6lab-") as folder, quick.remembered():
        runs = told.runs or recorded(told.lab, Path(folder))
        for right in right_runs(told.lab, runs, told.exercise):
            rows = table(right, operators, told.mode, told.mutants)
            print(f"\n{told.lab} {right.exercise} ({told.mode})\n{text(rows)}")
            for row in rows if told.verbose else ():
                print("\n".join(f"{row.operator.name}: {one}" for one in row.wrong))
            wrong += sum(len(row.wrong) for row in rows)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
