"""What a learner hands in, read and typed once: whoever works with it afterwards needs to guard himself no more.

    manifest.json                        whose it is, when, and the SHA-256 of each other file
    runs/<exercise>/observations.json    what the run saw beside its packets
    runs/<exercise>/run.json             when it was judged, by what
    runs/<exercise>/captures/<nic>.pcap
    state/<node>.txt                     routes, SIDs, configuration: for people, nothing is judged by it
    progress.json                        hints, tries and answers, as the learner's machine counted them
    log.ndjson                           what was done when

Nothing in it is believed: `forged` looks at how it fits together, and plans come from the trainer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from srv6lab.called import CALLED
from srv6lab.classroom import archive
from srv6lab.errors import UsageError
from srv6lab.evidence.documents import from_json, parsed, to_json
from srv6lab.teach.learned import Entry

SCHEMA = 1
MANIFEST, PROGRESS, LOG = "manifest.json", "progress.json", "log.ndjson"
MOST_DOCUMENT = 4 << 20  # bytes of a JSON document
_MOST_LINES = 10_000  # of the log
_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_OURS = re.compile(
    rf"manifest\.json|progress\.json|log\.ndjson|state/{_NAME}\.txt"
    rf"|runs/{_NAME}/(observations\.json|run\.json|captures/{_NAME}\.pcap)"
)
_RUN = re.compile(rf"runs/({_NAME})/")
_CAPTURE = re.compile(rf"runs/({_NAME})/captures/({_NAME}\.pcap)")
_MEND = f"ask for the file that {CALLED} submit wrote, as it was written"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Whose it is: `learner` and `group` (the class) are "" for a lab that is nobody's. Times are ISO 8601 in UTC; `files`
    has the SHA-256 of each, in hex, by its path."""

    version: str
    lab: str
    learner: str
    group: str
    instance: str
    started: str
    written: str
    exercises: tuple[str, ...]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log: what was done in which exercise, and when (ISO 8601, UTC)."""

    when: str
    what: str
    exercise: str = ""


@dataclass(frozen=True, slots=True)
class HandIn:
    """All of it: bytes by path, the entries of `progress.json` by exercise, the log, and the names that were `left` out,
    since no hand-in has them. `digest` is that of the file itself."""

    manifest: Manifest
    files: Mapping[str, bytes]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    log: tuple[Event, ...] = ()
    left: tuple[str, ...] = ()
    digest: str = ""

    @property
    def exercises(self) -> tuple[str, ...]:
        """Those of which a run is in it."""
        return tuple(dict.fromkeys(found[1] for name in self.files if (found := _RUN.match(name))))

    def run(self, exercise: str) -> dict[str, bytes]:
        """The files of a run, by their path in its folder."""
        begin = f"runs/{exercise}/"
        return {name.removeprefix(begin): data for name, data in self.files.items() if name.startswith(begin)}

    def captures(self) -> Iterator[tuple[str, str, bytes]]:
        """(exercise, file, content) of each."""
        for name, data in self.files.items():
            if found := _CAPTURE.fullmatch(name):
                yield found[1], found[2], data


def read_hand_in(path: Path) -> HandIn:
    """UsageError, which says what is wrong, for a file that is none."""
    packed, left = archive.read(path, _may_be_ours)
    files, strange = _below_a_folder(packed)
    if MANIFEST not in files:
        raise UsageError(f"it holds no {MANIFEST}", _MEND)
    manifest = _manifest(document(files[MANIFEST], MANIFEST))
    entries = _entries(files.get(PROGRESS))
    log = _log(files.get(LOG, b""))
    digest = sha256(archive.read_file(path)).hexdigest()
    return HandIn(manifest, files, entries, log, tuple(sorted([*left, *strange])), digest)


def to_document(manifest: Manifest) -> dict[str, Any]:
    """As it stands in manifest.json, where the class is called so."""
    found = to_json(manifest)
    return {"schema": SCHEMA, **{("class" if key == "group" else key): value for key, value in found.items()}}


def document(data: bytes, name: str, most: int = MOST_DOCUMENT) -> dict[str, Any]:
    """A JSON object of somebody else's; UsageError for what is none, too large, too deep, or says a thing twice."""
    if len(data) > most:
        raise UsageError(f"{name} is larger than {most >> 20} MiB", _MEND)
    try:
        found = parsed(data.decode())
    except ValueError as error:
        raise UsageError(f"{name} can't be read: {error}", _MEND) from None
    if not isinstance(found, dict):
        raise UsageError(f"{name} is no JSON object", _MEND)
    return found


def typed(kind: Any, value: Any, name: str) -> Any:
    """A value of that type; UsageError that says what is otherwise."""
    try:
        return from_json(kind, value, "")
    except ValueError as error:
        raise UsageError(f"{name}: {error}", _MEND) from None


def _may_be_ours(name: str) -> bool:
    return bool(_OURS.fullmatch(name) or _OURS.fullmatch(name.partition("/")[2]))


def _below_a_folder(packed: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """What was unpacked and packed again stands below a folder: then of that; and the names of other files."""
    tops = sorted({name.partition("/")[0] for name in packed if name.endswith(f"/{MANIFEST}")})
    if MANIFEST not in packed and len(tops) == 1:
        packed = {name.removeprefix(f"{tops[0]}/"): data for name, data in packed.items()}
    return (
        {name: data for name, data in sorted(packed.items()) if _OURS.fullmatch(name)},
        [name for name in packed if not _OURS.fullmatch(name)],
    )


def _manifest(found: dict[str, Any]) -> Manifest:
    if found.pop("schema", None) != SCHEMA:
        raise UsageError(f"{MANIFEST} is of another version of srv6lab", "hand in with the class's version")
    if "class" in found:
        found["group"] = found.pop("class")
    manifest: Manifest = typed(Manifest, found, MANIFEST)
    return manifest


def _entries(data: bytes | None) -> Mapping[str, Entry]:
    if data is None:
        return {}
    found = document(data, PROGRESS)
    entries: Mapping[str, Entry] = typed(Mapping[str, Entry], found, PROGRESS)
    for name, one in entries.items():
        if min(one.checks, one.hints, one.causes, *one.wrong.values(), *one.helped.values()) < 0:
            raise UsageError(f"{PROGRESS}: a number of {name!a} is below 0", _MEND)
    return entries


def _log(data: bytes) -> tuple[Event, ...]:
    lines = data.splitlines()
    if len(lines) > _MOST_LINES:
        raise UsageError(f"{LOG} has more than {_MOST_LINES} lines", _MEND)
    return tuple(
        typed(Event, document(line, f"{LOG}, line {number}"), f"{LOG}, line {number}")
        for number, line in enumerate(lines, 1)
    )
