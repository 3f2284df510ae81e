"""`report`: the page of what `check` left behind. Nothing is run for it, and no lab need be up."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.cli.tasks import exercise_names
from srv6lab.errors import LabError, UsageError
from srv6lab.evidence.observations import OBSERVATIONS, Observations, read_observations
from srv6lab.evidence.runs import VERDICT, Run, digest, read_run
from srv6lab.host.files import shown, write_whole
from srv6lab.host.version import version
from srv6lab.live.lifecycle import with_box
from srv6lab.plan.nodes import Plan
from srv6lab.providers.registry import provider_named
from srv6lab.providers.rendered import Rendered
from srv6lab.providers.state import Home
from srv6lab.report.progress import Progress

if TYPE_CHECKING:
    from srv6lab.report.page.shown import Shown

STDOUT = "-"
PAGE = "walk.html"


@dataclass(frozen=True, slots=True)
class Handed:
    """What is given by --captures and --map: the `folder`, "" for none."""

    folder: str = ""
    mapped: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where what is shown of an exercise comes from: the `folder` of its run, None for its prediction alone; what
    `check` wrote there about the run and its `verdict`. One that doesn't hold, for the `note`'s reason, is judged again."""

    name: str
    folder: Path | None = None
    run: Run | None = None
    verdict: Mapping[str, Any] | None = None
    holds: bool = False
    note: str = ""


def of_runs(plan: Plan, names: Sequence[str], runs: Path, mend: str) -> list[Source]:
    """The newest run of each exercise, as `check` left it in a folder; UsageError if there is none of any of them."""
    found = [_run_of(plan, name, runs / name) for name in names]
    if all(one.folder is None for one in found):
        reasons = "; ".join(f"{one.name}: {one.note}" for one in found if one.note != NOT_RUN)
        which = f" {', '.join(names)}" if len(names) < len(plan.exercises) else " an exercise"
        what = reasons or f"no run of{which} of {plan.name} is in {shown(runs)}"
        raise UsageError(what, mend)
    return found


NOT_RUN = "not run yet: what is shown is predicted"


def _run_of(plan: Plan, name: str, folder: Path) -> Source:
    if not _is_run(folder):
        return Source(name, note=NOT_RUN)
    run, verdict = read_run(folder), _read_verdict(folder, name)
    if run is None or verdict is None:
        return Source(name, folder, run, verdict)
    if run.topology != plan.digest:
        if run.built != _fingerprint(plan, run):
            return Source(
                name, note="its run is of the lab as its file was before: what is shown is predicted"
            )
        note = "the lab's file was changed since this run: it is judged by what the file says now"
        return Source(name, folder, run, verdict, note=note)
    if run.seen != digest(folder):
        note = "what the run left was changed since: it is judged by what is there now"
        return Source(name, folder, run, verdict, note=note)
    return Source(name, folder, run, verdict, holds=True)


def _is_run(folder: Path) -> bool:
    return (folder / "captures").is_dir() or (folder / OBSERVATIONS).is_file()


def _fingerprint(plan: Plan, run: Run) -> str:
    """What the lab would be built from now, where the run was; "" for a provider that isn't known here."""
    try:
        record = provider_named(run.provider).record
    except LabError:
        return ""
    return Rendered(with_box(plan, run.box), record.rendering).fingerprint


def _read_verdict(folder: Path, name: str) -> Mapping[str, Any] | None:
    """What `check` said, None where that can't be read: then it is judged again."""
    try:
        (verdict,) = json.loads((folder / VERDICT).read_text(encoding="utf-8"))
        return verdict if verdict["exercise"] == name else None
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None


def handed_in(plan: Plan, asked: Sequence[str], names: Sequence[str], folder: Path) -> list[Source]:
    """What somebody hands in: a folder of runs, or the captures of one exercise; UsageError where it isn't told which."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    if any(_is_run(folder / exercise.name) for exercise in plan.exercises):
        return of_runs(plan, names, folder, "name another --exercise, or another folder")
    if folder.name == "captures" and (folder.parent / OBSERVATIONS).is_file():
        folder = folder.parent
    observed, _ = read_observations(folder)
    told = [observed.exercise] if observed.exercise and not asked else list(names)
    if len(told) != 1:
        raise UsageError(
            "one folder of captures is of one exercise", f"--exercise, one of: {', '.join(told)}"
        )
    return [replace(_run_of(plan, told[0], folder), name=told[0])]


# --- the page


def document(
    plan: Plan, sources: Sequence[Source], progress: Progress, mapped: Sequence[str] = ()
) -> dict[str, Any]:
    """What the page is made of."""
    from srv6lab.capture.dissect import dissect
    from srv6lab.report.page.document import Page

    exercises = [*_shown(plan, sources, progress, mapped)]
    found = Page(plan, exercises)
    files = {(one.name, point): path for one in exercises for point, path in one.files.items()}
    progress("asking tshark where each field stands")
    frames = dissect(files, found.wanted())
    newest = max((one.run for one in sources if one.run), key=lambda run: run.when, default=None)
    made = {
        "version": version(),
        "provider": newest.provider if newest else None,
        "when": newest.when if newest else None,
    }
    return found.document(made, frames)


def _shown(
    plan: Plan, sources: Sequence[Source], progress: Progress, mapped: Sequence[str]
) -> Iterator[Shown]:
    """Each exercise with what was seen of it; those whose verdict holds are read together, and not judged again."""
    from srv6lab.judge.seen import Seen, seen
    from srv6lab.predict import predict
    from srv6lab.report.page.shown import Shown

    held = {one.name: one.folder for one in sources if one.folder and one.holds}
    if held:
        progress(f"reading the captures of {', '.join(held)}")
    known = seen(plan, held)
    for one in sources:
        if one.note:
            progress.line(f"{one.name}: {one.note}")
        about = Shown(one.name, (), note=one.note)
        if one.run and one.folder:
            about = replace(about, when=one.run.when, seconds=one.run.milliseconds / 1000)
        if one.folder and not one.holds:
            yield _judged(plan, one, about, progress, mapped)
        else:
            mine = known.get(one.name, Seen(Observations()))
            predictions = predict(plan, one.name)
            yield replace(
                about,
                predictions=predictions,
                verdict=one.verdict if one.holds else None,
                found=mine.found,
                observed=mine.observed,
                files=mine.files,
            )


def _judged(plan: Plan, one: Source, about: Shown, progress: Progress, mapped: Sequence[str]) -> Shown:
    """Judged again, from its files; where nothing else comes of it, the causes that nodes proved are kept."""
    from srv6lab.judge.grade import graded
    from srv6lab.predict import predict
    from srv6lab.report.json import verdict_json

    assert one.folder
    found = graded(plan, one.name, one.folder, progress, mapped=mapped)
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


def report(
    plan: Plan, home: Home, asked: Sequence[str], handed: Handed, out: str, progress: Progress
) -> Path | None:
    """Make the page, and write it; its path, None for stdout."""
    from srv6lab.report.page.html import page

    names = exercise_names(plan, asked)
    if handed.folder:
        sources = handed_in(plan, asked, names, Path(handed.folder))
    else:
        sources = of_runs(plan, names, home.runs, _mend(plan, home))
    otherwise = Path(f"{plan.name}.html") if handed.folder else home.runs / PAGE
    _refuse_folder(Path(out) if out and out != STDOUT else otherwise)
    return write(page(document(plan, sources, progress, handed.mapped)), out, otherwise)


def _mend(plan: Plan, home: Home) -> str:
    instance = "" if home.path.name == plan.name else f" --instance {home.path.name}"
    alone = f"invoke predict {plan.called} --format html shows its prediction alone"
    return f"invoke check {plan.called}{instance} runs it; {alone}"


def _refuse_folder(path: Path) -> None:
    """Now, and not when all is done."""
    if path.is_dir():
        raise UsageError(f"{shown(path)} is a folder", f"name a file: -o {path / PAGE}")


def write(text: str, out: str, otherwise: Path) -> Path | None:
    """Write a page where it is asked for, else where pages lie; its path, None for stdout."""
    if out == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return None
    path = Path(out) if out else otherwise
    if path.exists() and not path.is_file():  # a device or a pipe isn't replaced
        with path.open("w", encoding="utf-8") as target:
            target.write(text)
    else:
        write_whole(path.resolve(), text)
    return path
