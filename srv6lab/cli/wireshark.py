"""`invoke wireshark`: a lab's captures as one file with a profile, opened where Wireshark is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.capture.records import fine, records
from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.tasks import collect, exercise_names
from srv6lab.errors import UsageError
from srv6lab.host.files import shown, write_whole, writing_whole
from srv6lab.host.progress import Progress
from srv6lab.host.scratch import Scratch, below
from srv6lab.host.version import version
from srv6lab.live.instance import Reference, another
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.wireshark import merge, names, profile, runs, start

FOLDER = "wireshark"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for."""

    exercises: Sequence[str]
    captures: str
    mapped: Sequence[str]
    out: str


@dataclass(frozen=True, slots=True)
class Written:
    """The files, how many packets are in the capture, and what there is to say of them. `made` are the files and folders
    that are ours: of a folder that was there before nothing else is touched."""

    folder: Path
    opening: start.Opening
    packets: int
    words: tuple[str, ...]
    made: tuple[Path, ...]


def write(site: LabsFolder, reference: Reference, instance: str, asked: Asked, progress: Progress) -> Written:
    """Put the captures together and write the profile beside them."""
    plan, _warnings = site.load(reference, instance)
    home = site.home(reference, instance)
    folder = Path(asked.out) if asked.out else home.path / FOLDER
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown(folder)} is no folder", "--out takes a folder")
    with below(home.scratch), Scratch() as scratch:
        plan, chosen = _chosen(site, reference, instance, plan, asked, Path(scratch))
        told = list(runs.tell(plan, chosen, Path(scratch), progress, asked.mapped))
        try:
            if not asked.out and home.begun:
                home.own(FOLDER)
            return _written(plan, told, folder, progress, own=not asked.out)
        except PermissionError as error:
            raise UsageError(f"{error.filename} can't be written: {error.strerror}", "--out DIR names another folder") from None  # fmt: skip


def _chosen(
    site: LabsFolder, reference: Reference, instance: str, plan: Plan, asked: Asked, scratch: Path
) -> tuple[Plan, list[runs.Run]]:
    """The captures that were asked for: those of a folder, of checked runs, or all that was traced so far."""
    named = exercise_names(plan, asked.exercises) if asked.exercises else []
    if asked.captures:
        plan, run = runs.of_folder(plan, Path(asked.captures), named)
        return plan, [run]
    if (one := site.running_if_up(reference, instance)) and one.state.lab != plan.name:
        raise another(one, plan.name)
    found = list(_checked(site.home(reference, instance), named or [one.name for one in plan.exercises]))
    missing = sorted({*named} - {run.exercise for run in found})
    if missing:
        raise UsageError(
            f"no check of {', '.join(missing)} has left captures",
            f"{CALLED} check {plan.running} exercise={missing[0]}",
        )
    if found:
        return plan, found
    collect(site.running(reference, instance), scratch / "traced")
    plan, run = runs.of_folder(plan, scratch / "traced", ())
    return plan, [run]


def _checked(home: Home, exercises: Sequence[str]) -> Iterator[runs.Run]:
    for name in exercises:
        if (home.run(name) / "captures").is_dir():
            yield runs.Run(name, home.run(name), judged=True)


def _written(
    plan: Plan, told: Sequence[runs.Told], folder: Path, progress: Progress, *, own: bool
) -> Written:
    called = f"srv6lab-{plan.name}"
    folders = [folder, folder / "profiles", folder / "profiles" / called]
    folders = [one for one in folders if own or not one.exists()]
    sources = [source for one in told for source in one.sources]
    predictions = {one.run.exercise: one.predictions for one in told}
    known = names.names(plan, [one for those in predictions.values() for one in those])
    words = [word for one in told for word in one.words]
    name = f"{plan.name}-{told[0].run.exercise}" if len(told) == 1 else plan.name
    capture = folder / f"{name}.pcapng"
    links = list(dict.fromkeys((one.point, link) for one in sources for link in _links(one)))
    digits = 9 if any(fine(path) for path in {one.path for one in sources}) else 6
    progress(f"writing {shown(capture)}")
    with writing_whole(capture) as target:
        count = merge.write(target, _header(plan, told, words, known), sources, links, digits)
    files = _profile(folder, called, profile.files(names.hosts(known), profile.filters(predictions)))
    opening = start.Opening(capture, folder, called)
    return Written(folder, opening, count, tuple(words), (*folders, capture, *files))


def _profile(config: Path, called: str, files: Mapping[str, str]) -> list[Path]:
    """Write the profile; what Wireshark remembers of the last time stays as it is. The paths of all of it."""
    place = config / "profiles" / called
    for file, text in files.items():
        write_whole(place / file, text)
    first = {place / file: text for file, text in profile.remembered().items()}
    first |= {config / file: text for file, text in profile.REMEMBERED.items()}
    for path, text in first.items():
        if not path.exists():
            write_whole(path, text)
    return [*(place / file for file in files), *first]


def _links(source: merge.Source) -> Iterator[int]:
    yield from dict.fromkeys(record.link for record in records(source.path))


def _header(
    plan: Plan, told: Sequence[runs.Told], words: Sequence[str], known: Sequence[tuple[names.Address, str]]
) -> merge.Header:
    exercises = ", ".join(one.run.exercise for one in told)
    comment = "\n".join([f"lab {plan.name}: {plan.description}", f"exercises: {exercises}", *words])
    nics = {nic.point: merge.NicWords(names.about(nic)) for nic in plan.traced()}
    return merge.Header(f"srv6lab {version()}".strip(), comment, nics, known)


def paths(written: Written) -> Iterator[Path]:
    """The files, for whoever goes on with them."""
    yield written.opening.capture
    yield written.opening.config / "profiles" / written.opening.profile


def opened(written: Written) -> str:
    """Open them in Wireshark if that is here: what came of it, or the command that does so."""
    wireshark, to = start.program(), start.person()
    if wireshark and start.display():
        if to:
            start.give(written.made, to)
        why = start.start(wireshark, written.opening, to)
        if not why:
            return f"Wireshark shows it, as {to.name}" if to else "Wireshark shows it"
        why = f"Wireshark didn't start: {why}"
    else:
        why = "there is no display here" if wireshark else "Wireshark isn't installed here"
    return (
        f"{why}; to open it here or where {shown(written.folder)} was copied to:\n{written.opening.typed()}"
    )
