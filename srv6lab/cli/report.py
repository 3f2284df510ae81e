"""`report`: the page of what `check` left behind. Nothing is run for it, and no lab need be up.

tshark takes longest: it is begun first, and what else there is to do is done, and imported, meanwhile. So nothing that
takes long is imported at the top here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.called import CALLED
from srv6lab.capture.ahead import Ahead
from srv6lab.capture.asking import find
from srv6lab.capture.dissect import Dissector
from srv6lab.cli.tasks import exercise_names
from srv6lab.errors import UsageError
from srv6lab.host.files import shown, write_to
from srv6lab.host.version import version
from srv6lab.providers.state import Home
from srv6lab.report.progress import Progress

if TYPE_CHECKING:
    from srv6lab.cli.sources import Source
    from srv6lab.evidence.prediction import Prediction
    from srv6lab.judge.seen import Seen
    from srv6lab.plan.nodes import Plan
    from srv6lab.report.page.shown import Shown

STDOUT = "-"
PAGE = "walk.html"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is given by --captures and --map: the `folder`, "" for none."""

    folder: str = ""
    mapped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tsharks:
    """Those that are begun by now: one that reads the captures of runs, and one for the frames that are shown."""

    ahead: Ahead | None = None
    dissector: Dissector | None = None


NONE = Tsharks()


@contextmanager
def begun(runs: Path, asked: Sequence[str], handed: Handed) -> Iterator[Tsharks]:
    """Before anything is known of a lab but where its runs are, if it has any. Whoever reads them looks for himself
    whether they are as they were."""
    folders = [] if handed.folder else [runs / name for name in asked] or sorted(runs.glob("*"))
    captures = [path for folder in folders for path in sorted(folder.glob("captures/*.pcap"))]
    if not captures:
        yield NONE
        return
    with Ahead(find(), captures) as ahead, Dissector() as dissector:
        yield Tsharks(ahead, dissector)


def report(
    plan: Plan,
    home: Home,
    asked: Sequence[str],
    handed: Handed,
    out: str,
    progress: Progress,
    tsharks: Tsharks = NONE,
) -> Path | None:
    """Make the page, and write it; its path, None for stdout."""
    from srv6lab.cli.sources import handed_in, of_runs

    names = exercise_names(plan, asked)
    if not asked:  # tasks that are like another are shown where a learner has checked them
        names += [one.name for one in plan.exercises if one.like and home.run(one.name).is_dir()]
    if handed.folder:
        sources = handed_in(plan, asked, names, Path(handed.folder))
    else:
        sources = of_runs(plan, names, home.runs, _mend(plan))
    otherwise = Path(f"{plan.name}.html") if handed.folder else home.runs / PAGE
    path = None if out == STDOUT else Path(out) if out else otherwise
    if path:
        need_file(path)
    found = document(plan, sources, progress, handed.mapped, tsharks)
    from srv6lab.report.page.html import page

    write(page(found), path)
    return path


def need_file(path: Path) -> None:
    """Asked before there is anything to write: UsageError where a folder is called so."""
    if path.is_dir():
        raise UsageError(f"{shown(path)} is a folder", f"name a file: {path / PAGE}")


def need_own_file(out: str) -> None:
    """The same beside a verdict, which is what goes to stdout."""
    if out == STDOUT:
        raise UsageError("the verdict is what goes to stdout", f"name a file for the page: --report {PAGE}")
    need_file(Path(out))


def _mend(plan: Plan) -> str:
    alone = f"{CALLED} predict {plan.called} --format html shows its prediction alone"
    return f"{CALLED} check {plan.running} runs it; {alone}"


def write(text: str, path: Path | None) -> None:
    """None is stdout."""
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_to(path, text)


def document(
    plan: Plan,
    sources: Sequence[Source],
    progress: Progress,
    mapped: Sequence[str] = (),
    tsharks: Tsharks = NONE,
) -> dict[str, Any]:
    """What the page is made of; LabError where captures can't be read."""
    from srv6lab.predict import predict
    from srv6lab.report.page.document import Page

    held = {one.name: one.folder for one in sources if one.folder and one.holds}
    if held:
        progress(f"reading the captures of {', '.join(held)}")
    predicted = {one.name: predict(plan, one.name) for one in sources if one.holds or not one.folder}
    known = _seen(plan, held, tsharks.ahead)
    exercises = [*_shown(plan, sources, predicted, known, progress, mapped)]
    found = Page(plan, exercises)
    files = {(one.name, point): path for one in exercises for point, path in one.files.items()}
    with nullcontext(tsharks.dissector) if tsharks.dissector else Dissector() as tshark:
        frames = tshark.dissect(files, found.wanted())
    newest = max((one.run for one in sources if one.run), key=lambda run: run.when, default=None)
    made = {
        "version": version(),
        "provider": newest.provider if newest else None,
        "when": newest.when if newest else None,
    }
    return found.document(made, frames)


def _seen(plan: Plan, runs: Mapping[str, Path], ahead: Ahead | None) -> Mapping[str, Seen]:
    from srv6lab.judge.seen import seen

    return seen(plan, runs, ahead)


def _shown(
    plan: Plan,
    sources: Sequence[Source],
    predicted: Mapping[str, tuple[Prediction, ...]],
    known: Mapping[str, Seen],
    progress: Progress,
    mapped: Sequence[str],
) -> Iterator[Shown]:
    """Each exercise with what was seen of it; those whose verdict holds are not judged again."""
    from srv6lab.report.page.shown import Shown

    for one in sources:
        if one.note:
            progress.line(f"{one.name}: {one.note}")
        about = Shown(one.name, predicted.get(one.name, ()), note=one.note)
        if one.run and one.folder:
            about = replace(about, when=one.run.when, seconds=one.run.milliseconds / 1000)
        if mine := known.get(one.name):
            yield replace(
                about, verdict=one.verdict, found=mine.found, observed=mine.observed, files=mine.files
            )
        elif one.folder:
            yield _judged(plan, one, one.folder, about, progress, mapped)
        else:
            yield about


def _judged(
    plan: Plan, one: Source, folder: Path, about: Shown, progress: Progress, mapped: Sequence[str]
) -> Shown:
    """Judged again, from its files; where nothing else comes of it, the causes that nodes proved are kept."""
    from srv6lab.judge.grade import graded
    from srv6lab.predict import predict
    from srv6lab.report.json import verdict_json

    found = graded(plan, {one.name: folder}, progress, mapped=mapped)[one.name]
    verdict = verdict_json(found.verdict)
    if one.verdict and one.verdict.get("items") == verdict["items"]:
        verdict = {**verdict, "suspects": one.verdict["suspects"]}
    return replace(
        about,
        predictions=tuple(found.predicted.values()) or predict(plan, one.name),
        verdict=verdict,
        found=found.found,
        observed=found.observed,
        files=found.files,
    )
