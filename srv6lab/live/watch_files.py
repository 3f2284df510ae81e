"""What other commands write into an instance's folder, read without a lock: results of checks, and which probes are being
sent now. A folder tells by inotify(7) when a file in it is replaced."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from srv6lab.errors import LabError
from srv6lab.evidence.documents import read_json
from srv6lab.evidence.observations import read_observations
from srv6lab.evidence.runs import VERDICT
from srv6lab.live.watch_state import Outcome
from srv6lab.providers.state import Home

_MOVED_TO, _CREATE, _DELETE = 0x80, 0x100, 0x200
_NONBLOCK, _CLOEXEC = 0o4000, 0o2000000
Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """Changes when a file is replaced; None where none is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def when(path: Path) -> str:
    """When a file was written, in ISO 8601."""
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone().isoformat(timespec="seconds")


class Folder:
    """A folder of which is told when an entry comes or goes."""

    def __init__(self, path: Path) -> None:
        """OSError where it isn't there, or nothing can be told of it."""
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor: int = libc.inotify_init1(_NONBLOCK | _CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        if libc.inotify_add_watch(self.descriptor, os.fsencode(path), _MOVED_TO | _CREATE | _DELETE) < 0:
            number = ctypes.get_errno()
            os.close(self.descriptor)
            raise OSError(number, os.strerror(number), str(path))

    def drain(self) -> None:
        with suppress(OSError):
            while os.read(self.descriptor, 1 << 14):
                pass

    def close(self) -> None:
        os.close(self.descriptor)


@dataclass(slots=True)
class Runs:
    """The results of checks, each read once."""

    home: Home
    read: dict[str, tuple[Stamp, Outcome]] = field(default_factory=dict)

    def look(self) -> tuple[dict[str, Outcome], dict[str, str]]:
        """What came of each exercise, the latest last; and of which that can't be read, with why."""
        troubles = {}
        for name in self._names():
            path = self.home.run(name) / VERDICT
            found = stamp(path)
            if found is None:
                self.read.pop(name, None)
            elif name not in self.read or self.read[name][0] != found:
                try:
                    self.read[name] = found, outcome(read_json(path), when(path))
                except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
                    troubles[f"the verdict of {name}"] = f"{type(error).__name__}: {error}"
        ordered = sorted(self.read.items(), key=lambda one: one[1][0][1])
        return {name: one for name, (_, one) in ordered}, troubles

    def _names(self) -> list[str]:
        with suppress(OSError):
            there = sorted(path.name for path in self.home.runs.iterdir())
            for gone in self.read.keys() - {*there}:
                del self.read[gone]
            return there
        self.read.clear()
        return []


def outcome(document: Any, written: str) -> Outcome:
    """A verdict's JSON in a few words; ValueError and the like for what is none."""
    verdict = document[-1]
    items, suspects = verdict["items"], verdict["suspects"]
    said: dict[str, Any] = {}
    if suspects:
        first = suspects[0]
        said = {"gist": str(first["what"]), "cause": str(first["cause"]), "mend": str(first["mend"] or "")}
    elif wrong := [one for one in items if one["status"] != "pass"]:
        said = {"gist": _gist(wrong[0])}
    passed = sum(one["status"] == "pass" for one in items)
    proven = bool(suspects) and bool(suspects[0]["proven"])
    return Outcome(str(verdict["status"]), written, passed, len(items), proven=proven, **said)


def _gist(item: Mapping[str, Any]) -> str:
    words = [str(item["point"] or ""), str(item["direction"] or ""), str(item["field"] or item["kind"] or "")]
    place = " ".join(filter(None, words))
    if item["expected"] and item["captured"]:
        return f"{place}: {item['captured']} instead of {item['expected']}"
    return f"{place}: {item['note']}" if item["note"] else place


def sent_now(home: Home) -> dict[str, str]:
    """The tokens of probes that are being sent, each with its probe where that is told."""
    with suppress(OSError, ValueError, TypeError, IndexError):
        entries = json.loads(home.sending.read_text("utf-8"))
        return {str(one[1]): str(one[2]) if len(one) > 2 else "" for one in entries}
    return {}


def sent_then(folder: Path) -> Iterator[tuple[str, str]]:
    """The token and the name of each probe of a run that has ended."""
    with suppress(LabError):
        observed, _ = read_observations(folder)
        yield from ((one.token, one.probe) for one in observed.probes if one.token)
