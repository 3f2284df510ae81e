"""The captures of some runs, each file at its NIC: all that can be read by one tshark is, since its start takes longest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.capture.ahead import Ahead, Waiting
from srv6lab.capture.asking import SRH_BYTES
from srv6lab.capture.assign import assign, by_name
from srv6lab.capture.folder import capture_files, place_of
from srv6lab.capture.reading import Capture, read_all
from srv6lab.evidence.packets import Point
from srv6lab.host.progress import Progress
from srv6lab.plan.nodes import Plan

_Key = tuple[int, str, str]  # the number of a lab, an exercise of it, a file of that one's run


@dataclass(frozen=True, slots=True)
class Captures:
    """Of one run: the file of each NIC, what is in it, and why other files of the folder are of no NIC."""

    files: Mapping[Point, Path]
    read: Mapping[Point, Capture]
    left: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Files:
    """Of one run, before they are read: names in a folder, those whose NIC is known and those that must be looked into."""

    folder: Path
    named: Mapping[Point, str]
    strange: tuple[str, ...]

    def names(self) -> Iterator[str]:
        yield from sorted(set(self.named.values()))
        yield from self.strange


def read_captures(
    plan: Plan,
    folders: Mapping[str, Path],
    progress: Progress,
    *,
    said: Mapping[str, Point] | None = None,
    control: bool = True,
    ahead: Ahead | Waiting | None = None,
) -> dict[str, Captures]:
    """Those in the folder of each exercise's run; `said` is of which NICs somebody says that files are. Messages of
    routing protocols are read where the exercise expects any, if `control`. `ahead` may read them. LabError where a
    file or tshark fails."""
    return read_several([(plan, folders)], progress, said=said, control=control, ahead=ahead)[0]


def read_several(
    labs: Sequence[tuple[Plan, Mapping[str, Path]]],
    progress: Progress,
    *,
    said: Mapping[str, Point] | None = None,
    control: bool = True,
    ahead: Ahead | Waiting | None = None,
) -> list[dict[str, Captures]]:
    """`read_captures` of several labs, read together."""
    found = {
        (number, name): _files(plan, folder, said or {})
        for number, (plan, folders) in enumerate(labs)
        for name, folder in folders.items()
    }
    alike: dict[tuple[str, ...], dict[_Key, Path]] = {}
    for (number, name), files in found.items():
        paths = {(number, name, file): files.folder / file for file in files.names()}
        progress(f"{name}: reading {len(paths)} captures")
        alike.setdefault(messages_of(labs[number][0], name, control=control), {}).update(paths)
    read: dict[_Key, Capture] = {}
    for messages, paths in alike.items():
        read |= read_all(paths, messages=messages, ahead=ahead, progress=progress)
    at_nics: list[dict[str, Captures]] = [{} for _ in labs]
    for (number, name), files in found.items():
        mine = {file: read[number, name, file] for file in files.names()}
        at_nics[number][name] = _at_nics(labs[number][0], files, mine)
    return at_nics


def messages_of(plan: Plan, name: str, *, control: bool = True) -> tuple[str, ...]:
    """What tshark is asked for beside packets."""
    protocols = {one.protocol for one in plan.exercise(name)[1].expect.control} if control else set()
    keyed = any(node.hmac_keys for node in plan.nodes)
    return (*sorted(protocols), *([SRH_BYTES] if keyed else []))


def _files(plan: Plan, folder: Path, said: Mapping[str, Point]) -> _Files:
    """Files with other names than the plan's are looked into, where points are left for them."""
    place = place_of(folder)
    present = {path.name for path in capture_files(place)}
    files = present | {*said}
    named = by_name(plan, files, said)
    strange = sorted(files - {*named.values()}) if len(named) < len(list(plan.traced())) else []
    return _Files(place, named, tuple(strange))


def _at_nics(plan: Plan, files: _Files, read: Mapping[str, Capture]) -> Captures:
    assigned = assign(plan, files.named, {file: read[file] for file in files.strange})
    return Captures(
        {point: files.folder / file for point, file in assigned.files.items()},
        {point: read[file] for point, file in assigned.files.items()},
        assigned.left,
    )
