"""The capture files of a folder that somebody hands in: which there are, and no look into them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path, PurePath

from srv6lab.errors import UsageError

MOST = 4000  # files: a large lab has some hundred NICs
SUFFIXES = frozenset({".pcap", ".pcapng", ".cap", ".ntar", ".dmp"})
_PACKED = frozenset({".gz", ".xz", ".bz2", ".zst"})


def trace_of(file: str) -> str | None:
    """A capture file's name without what says that it is one, None for any other file."""
    path = PurePath(file)
    path = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return path.stem if path.suffix.lower() in SUFFIXES else None


def place_of(folder: Path) -> Path:
    """Where a run's captures lie, or those that came alone. UsageError for a link to elsewhere."""
    inner = folder / "captures"
    if inner.is_symlink():
        raise UsageError(f"{inner} is a link to elsewhere", "hand in the folder itself")
    return inner if inner.is_dir() else folder


def capture_files(place: Path) -> list[Path]:
    """What is called as captures are, whatever it is: a pipe or a link is told when it is to be read. UsageError for more
    than anybody traces."""
    found = sorted(islice((path for path in place.iterdir() if trace_of(path.name) is not None), MOST + 1))
    if len(found) > MOST:
        raise UsageError(f"{place} holds more than {MOST} captures", "hand in the captures of one run")
    return found
