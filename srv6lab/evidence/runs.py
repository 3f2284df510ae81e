"""What is written down about a run beside what it saw: when, by what, and by which it can be told later whether its
verdict still holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from srv6lab.evidence.documents import from_json, read_json, to_json
from srv6lab.evidence.observations import OBSERVATIONS
from srv6lab.host.files import write_whole

SCHEMA = 1
RUN = "run.json"
VERDICT = "verdict.json"
_CHUNK = 1 << 20  # bytes
_LONGEST = 10**12  # milliseconds: some thirty years


@dataclass(frozen=True, slots=True)
class Run:
    """`when` it was judged (ISO 8601, UTC), how many `milliseconds` the run took; `built` is the fingerprint of
    what the lab was up from, on machines with that `box` ("" for the file's), `topology` the digest of its file, `seen`
    that of captures, observations and verdict."""

    lab: str
    exercise: str
    provider: str
    version: str
    when: str
    milliseconds: int
    built: str
    box: str
    topology: str
    seen: str


def write_run(folder: Path, run: Run) -> None:
    write_whole(folder / RUN, json.dumps({"schema": SCHEMA, **to_json(run)}, indent=1) + "\n")


def read_run(folder: Path) -> Run | None:
    """None where nothing is written down, or not by this version: then it is judged again."""
    try:
        document = read_json(folder / RUN)
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            return None
        run: Run = from_json(Run, document, "")
    except (OSError, ValueError):
        return None
    return run if 0 <= run.milliseconds < _LONGEST else None


def digest(folder: Path) -> str:
    """Of all that a run saw and came to, as it lies in its folder; OSError where that can't be read."""
    found = blake2b(digest_size=16)
    for path in _files(folder):
        found.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                found.update(chunk)
    return found.hexdigest()


def _files(folder: Path) -> Iterable[Path]:
    captures = sorted((folder / "captures").glob("*"))
    return [path for path in (*captures, folder / OBSERVATIONS, folder / VERDICT) if path.is_file()]
