"""Where the runs are that a page is made of: in an instance's folder, or in one that was handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srv6lab.errors import LabError, UsageError
from srv6lab.evidence.documents import read_json
from srv6lab.evidence.observations import OBSERVATIONS, read_observations
from srv6lab.evidence.runs import VERDICT, Run, digest, read_run
from srv6lab.host.files import shown
from srv6lab.plan.nodes import Plan

NOT_RUN = "not run yet: what is shown is predicted"
OTHER_LAB = "its run is of the lab as its file was before: what is shown is predicted"
OTHER_FILE = "the lab's file was changed since this run: it is judged by what the file says now"
OTHER_RUN = "what the run left was changed since: it is judged by what is there now"


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


def of_runs(plan: Plan, names: Sequence[str], runs: Path, mend: str, *, own: bool = True) -> list[Source]:
    """The newest run of each exercise, as `check` left it in a folder; UsageError if there is none of any of them. What a
    folder that isn't our `own` says came of it isn't believed."""
    found = [_run_of(plan, name, runs / name, own) for name in names]
    if all(one.folder is None for one in found):
        reasons = "; ".join(f"{one.name}: {one.note}" for one in found if one.note != NOT_RUN)
        which = (
            f" {', '.join(names)}"
            if len(names) < sum(one.like is None for one in plan.exercises)
            else " an exercise"
        )
        what = reasons or f"no run of{which} of {plan.name} is in {shown(runs)}"
        raise UsageError(what, mend)
    return found


def _run_of(plan: Plan, name: str, folder: Path, own: bool) -> Source:
    if not own and folder.is_symlink():
        raise UsageError(f"{folder} is a link to elsewhere", "hand in the folder itself")
    if not _is_run(folder):
        return Source(name, note=NOT_RUN)
    run, verdict = read_run(folder), _read_verdict(folder, name) if own else None
    if run is None or (own and verdict is None):
        return Source(name, folder, run, verdict)
    if run.topology != plan.digest:
        if run.built != _fingerprint(plan, run):
            return Source(name, note=OTHER_LAB)
        return Source(name, folder, run, verdict, note=OTHER_FILE)
    if not own:
        return Source(name, folder, run)
    if run.seen != digest(folder):
        return Source(name, folder, run, verdict, note=OTHER_RUN)
    return Source(name, folder, run, verdict, holds=True)


def _is_run(folder: Path) -> bool:
    return (folder / "captures").is_dir() or (folder / OBSERVATIONS).is_file()


def _fingerprint(plan: Plan, run: Run) -> str:
    """What the lab would be built from now, where the run was; "" for a provider that isn't known here."""
    from srv6lab.live.lifecycle import with_box
    from srv6lab.providers.registry import provider_named
    from srv6lab.providers.rendered import Rendered

    try:
        record = provider_named(run.provider).record
    except LabError:
        return ""
    return Rendered(with_box(plan, run.box), record.rendering).fingerprint


_TEXTS = (
    "kind",
    "status",
    "point",
    "direction",
    "field",
    "expected",
    "predicted",
    "captured",
    "alone",
    "note",
    "probe",
)


def _read_verdict(folder: Path, name: str) -> Mapping[str, Any] | None:
    """What `check` said, None where that isn't there as it was written: then it is judged again."""
    try:
        (verdict,) = read_json(folder / VERDICT)
        told = [one[text] for one in verdict["items"] for text in _TEXTS]
        told += [
            one[text] for one in verdict["suspects"] for text in ("cause", "node", "what", "command", "mend")
        ]
        sound = verdict["exercise"] == name and isinstance(verdict["status"], str)
        return verdict if sound and all(one is None or isinstance(one, str) for one in told) else None
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None


def handed_in(plan: Plan, asked: Sequence[str], names: Sequence[str], folder: Path) -> list[Source]:
    """What somebody hands in: a folder of runs, or the captures of one exercise; UsageError where it isn't told which."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    if any(_is_run(folder / exercise.name) for exercise in plan.exercises):
        return of_runs(plan, names, folder, "name another --exercise, or another folder", own=False)
    if folder.name == "captures" and (folder.parent / OBSERVATIONS).is_file():
        folder = folder.parent
    observed, _ = read_observations(folder)
    told = [observed.exercise] if observed.exercise and not asked else list(names)
    if len(told) != 1:
        raise UsageError(
            "one folder of captures is of one exercise", f"--exercise, one of: {', '.join(told)}"
        )
    found = _run_of(plan, told[0], folder, False) if _is_run(folder) else Source(told[0], folder)
    if found.folder is None:
        raise UsageError(f"{folder}: {found.note}", "hand in the topology that it ran with")
    return [found]
