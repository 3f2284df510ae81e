"""`report`: the page of what `check` left behind. Nothing is run for it, and no lab need be up.

tshark takes longest: it is begun first, and what else there is to do is done, and imported, meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.cli.sources import Source, handed_in, of_runs
from srv6lab.cli.tasks import exercise_names
from srv6lab.errors import UsageError
from srv6lab.host.files import shown, write_to
from srv6lab.host.version import version
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.report.progress import Progress

if TYPE_CHECKING:
    from srv6lab.evidence.prediction import Prediction
    from srv6lab.judge.seen import Seen
    from srv6lab.report.page.shown import Shown

STDOUT = "-"
PAGE = "walk.html"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is given by --captures and --map: the `folder`, "" for none."""

    folder: str = ""
    mapped: Sequence[str] = ()


def report(
    plan: Plan, home: Home, asked: Sequence[str], handed: Handed, out: str, progress: Progress
) -> Path | None:
    """Make the page, and write it; its path, None for stdout."""
    names = exercise_names(plan, asked)
    if handed.folder:
        sources = handed_in(plan, asked, names, Path(handed.folder))
    else:
        sources = of_runs(plan, names, home.runs, _mend(plan))
    otherwise = Path(f"{plan.name}.html") if handed.folder else home.runs / PAGE
    path = None if out == STDOUT else Path(out) if out else otherwise
    if path and path.is_dir():  # now, and not when all is done
        raise UsageError(f"{shown(path)} is a folder", f"name a file: -o {path / PAGE}")
    found = document(plan, sources, progress, handed.mapped)
    from srv6lab.report.page.html import page

    write(page(found), path)
    return path


def _mend(plan: Plan) -> str:
    alone = f"invoke predict {plan.called} --format html shows its prediction alone"
    return f"invoke check {plan.running} runs it; {alone}"


def write(text: str, path: Path | None) -> None:
    """None is stdout."""
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_to(path, text)


def document(
    plan: Plan, sources: Sequence[Source], progress: Progress, mapped: Sequence[str] = ()
) -> dict[str, Any]:
    """What the page is made of; LabError where captures can't be read."""
    from srv6lab.capture.dissect import Dissector

    with Dissector() as tshark, ThreadPoolExecutor(max_workers=1) as pool:
        held = {one.name: one.folder for one in sources if one.folder and one.holds}
        if held:
            progress(f"reading the captures of {', '.join(held)}")
        reading = pool.submit(_seen, plan, held)
        from srv6lab.predict import predict
        from srv6lab.report.page.document import Page

        predicted = {one.name: predict(plan, one.name) for one in sources if one.holds or not one.folder}
        exercises = [*_shown(plan, sources, predicted, reading.result(), progress, mapped)]
        found = Page(plan, exercises)
        files = {(one.name, point): path for one in exercises for point, path in one.files.items()}
        frames = tshark.dissect(files, found.wanted())
    newest = max((one.run for one in sources if one.run), key=lambda run: run.when, default=None)
    made = {
        "version": version(),
        "provider": newest.provider if newest else None,
        "when": newest.when if newest else None,
    }
    return found.document(made, frames)


def _seen(plan: Plan, runs: Mapping[str, Path]) -> Mapping[str, Seen]:
    from srv6lab.judge.seen import seen

    return seen(plan, runs)


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
