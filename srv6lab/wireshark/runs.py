"""Which captures are put together, and what is known of their packets.

A run that `check` left is judged again by its files, so that what is said of its packets is true of them and of the lab
as it is now; which cause the nodes have proven is read from the verdict beside it. Of captures without a run nothing is
judged: its pings are held against the lab as `up` leaves it, or against an exercise that is named.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from srv6lab.capture import pcapng
from srv6lab.capture.folder import capture_files, place_of
from srv6lab.capture.probes import directions
from srv6lab.capture.records import framing, records
from srv6lab.capture.unpack import unpacked
from srv6lab.errors import UsageError
from srv6lab.evidence.documents import read_json
from srv6lab.evidence.observations import OBSERVATIONS, read_observations
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.runs import VERDICT
from srv6lab.evidence.verdict import Status, Suspect
from srv6lab.host.files import opened, read_document, why, write_whole
from srv6lab.host.progress import Progress
from srv6lab.judge.grade import Graded, graded
from srv6lab.plan.nodes import Plan
from srv6lab.topology.exercises import Exercise, Probe
from srv6lab.topology.expectations import Expect
from srv6lab.wireshark.comments import Notes, notes, with_directions
from srv6lab.wireshark.merge import Source

AS_UP_LEAVES_IT = "as-up-leaves-it"
MOST = 50_000  # packets of a run that tshark describes: each takes some kB of memory


@dataclass(frozen=True, slots=True)
class Run:
    """A folder with captures, of an exercise; `judged` if a check has left it."""

    exercise: str
    folder: Path
    judged: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A run's captures with what is known of their packets; `words` for people: what came of it, and what is amiss with
    the files."""

    run: Run
    sources: tuple[Source, ...]
    predictions: tuple[Prediction, ...]
    words: tuple[str, ...]


def of_folder(plan: Plan, folder: Path, asked: Sequence[str]) -> tuple[Plan, Run]:
    """The run that is in a folder, or captures that came alone; and the plan by which they are looked at."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    observed, _ = read_observations(folder)
    if len(asked) > 1:
        what = f"one folder of captures is of one exercise, not of {', '.join(asked)}"
        raise UsageError(what, "name one, or none")
    name = asked[0] if asked else observed.exercise if observed.lab == plan.name else ""
    if name:
        return plan, Run(name, folder, judged=bool(observed.lab))
    alone = _as_up_leaves_it(plan)
    return replace(plan, exercises=(alone,)), Run(alone.name, folder, judged=False)


def _as_up_leaves_it(plan: Plan) -> Exercise:
    """An exercise that changes nothing, with the lab's pings between any two ends once."""
    probes: dict[object, Probe] = {}
    for exercise in plan.exercises:
        for probe in exercise.every_probe():
            if probe.kind.key == "icmp":
                probes.setdefault(frozenset((probe.source, str(plan.target(probe)))), probe)
    every = enumerate(probes.values(), 1)
    named = tuple(probe.model_copy(update={"id": f"ping-{number}"}) for number, probe in every)
    return Exercise(name=AS_UP_LEAVES_IT, probes=named, expect=Expect())


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A run with the folder that tshark reads: its own if that is `whole`, or a copy of its first `packets`."""

    run: Run
    folder: Path
    packets: int
    whole: bool

    @property
    def judged(self) -> bool:
        return self.run.judged and self.whole


def tell(
    plan: Plan, runs: Sequence[Run], scratch: Path, progress: Progress, mapped: Sequence[str] = ()
) -> Iterator[Told]:
    """Judge runs and note beside each packet what is known of it; compressed files are unpacked into `scratch`."""
    for some in _together([_bounded(run, scratch, progress) for run in runs]):
        folders = {one.run.exercise: one.folder for one in some}
        unjudged = [one.run.exercise for one in some if not one.judged]
        known = graded(plan, folders, progress, mapped=mapped, only_found=unjudged)
        yield from (_told(plan, one, known[one.run.exercise], scratch) for one in some)


def _together(runs: Sequence[_Bounded]) -> Iterator[list[_Bounded]]:
    """Those that tshark reads at once, so that it starts once; not more packets than it may describe."""
    some: list[_Bounded] = []
    for run in runs:
        if some and sum(one.packets for one in some) + run.packets > MOST:
            yield some
            some = []
        some.append(run)
    if some:
        yield some


def _told(plan: Plan, one: _Bounded, known: Graded, scratch: Path) -> Told:
    suspects = _suspects(one.run, known) if one.judged else ()
    noted = with_directions(notes(known, suspects, judged=one.judged), directions(plan, known.captures))
    sources = tuple(_sources(one.run, known, noted, one.folder, scratch))
    words = tuple(_words(one.run, known, one.judged, one.whole))
    return Told(one.run, sources, tuple(known.predicted.values()), words)


def _sources(run: Run, known: Graded, noted: Notes, folder: Path, scratch: Path) -> Iterator[Source]:
    """Each NIC's file as it is: of one that was bounded for tshark the whole."""
    place = scratch / f"unpacked-{run.exercise}"
    for number, (point, file) in enumerate(sorted(known.files.items())):
        original = file if folder == run.folder else place_of(run.folder) / file.name
        (place / str(number)).mkdir(parents=True)
        try:
            path, _ = unpacked(original, place / str(number))
            framing(path)
        except (ValueError, OSError):
            continue  # what is wrong with it stands among the words
        yield Source(point, path, run.exercise, noted.get(point, {}))


def _words(run: Run, known: Graded, judged: bool, whole: bool) -> Iterator[str]:
    if judged:
        yield f"exercise {run.exercise}: {known.verdict.status}"
    elif run.exercise == AS_UP_LEAVES_IT:
        yield "never checked: its pings are held against the lab as `up` leaves it"
    else:
        yield f"exercise {run.exercise}: not judged, held against the model alone"
    if not whole:
        yield f"exercise {run.exercise}: only its first {MOST} packets have comments and directions"
    for point, capture in sorted(known.captures.items()):
        if note := capture.note if whole else _fault(place_of(run.folder) / known.files[point].name):
            yield f"{run.exercise}: {known.files[point].name} ({point}): {note}"


def _suspects(run: Run, known: Graded) -> Sequence[Suspect]:
    """The causes as `check` wrote them down, when it could still ask the nodes; else those that files suggest."""
    if known.verdict.status is Status.PASS:
        return ()
    try:
        (verdict,) = read_json(run.folder / VERDICT)
        return tuple(map(_suspect, verdict["suspects"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return known.verdict.suspects


def _suspect(said: Mapping[str, Any]) -> Suspect:
    if not all(isinstance(said[name], str) for name in ("cause", "node", "what", "command", "mend")):
        raise TypeError("a cause is told in texts")
    argv = tuple(shlex.split(said["command"]))
    proven = True if said["proven"] is True else None
    return Suspect(said["cause"], said["node"], said["what"], argv, proven=proven, mend=said["mend"])


# --- captures that are too large for tshark


def _bounded(run: Run, scratch: Path, progress: Progress) -> _Bounded:
    """A run with its folder, or with a copy of the packets up to a time if there are very many."""
    files = capture_files(place_of(run.folder))
    counts = {path: _records(path) for path in files}
    packets = sum(counts.values())
    if packets <= MOST:
        return _Bounded(run, run.folder, packets, whole=True)
    progress(f"{run.exercise}: {packets} packets, of which the first {MOST} are described")
    times = merge(*((record.time for record in records(path)) for path, count in counts.items() if count))
    last = next(islice(times, MOST - 1, None))
    copy = scratch / f"bounded-{run.exercise}"
    (copy / "captures").mkdir(parents=True)
    for path, count in counts.items():
        if count:
            _copy_until(path, last, copy / "captures" / path.name)
        else:
            _copy_whole(path, copy / "captures" / path.name)
    with suppress(FileNotFoundError):
        write_whole(copy / OBSERVATIONS, read_document(run.folder / OBSERVATIONS))
    return _Bounded(run, copy, MOST, whole=False)


def _fault(path: Path) -> str:
    """Why a file isn't all there, "" if it is."""
    try:
        return framing(path).fault
    except (ValueError, OSError) as error:
        return why(error)


def _records(path: Path) -> int:
    """How many packets it has; 0 of what is no capture, or compressed."""
    try:
        return framing(path).records
    except (ValueError, OSError):
        return 0


def _copy_whole(path: Path, target: Path) -> None:
    """What is no file is told of its link or its pipe when that is read."""
    with suppress(OSError), opened(path) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)


def _copy_until(path: Path, last: int, target: Path) -> None:
    """The records up to a time, with the numbers that they have; no more than MOST, if many are of that instant."""
    links: dict[int, int] = {}
    with target.open("wb") as out:
        out.write(pcapng.section(application=""))
        for record in islice(takewhile(lambda one: one.time <= last, records(path)), MOST):
            if record.link not in links:
                links[record.link] = len(links)
                out.write(pcapng.interface(pcapng.Interface("", record.link, digits=9)))
            out.write(pcapng.packet(links[record.link], record.time, record.data, record.length))
