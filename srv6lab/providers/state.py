"""What is written down about a running lab: one folder an instance, one `state.json` in it.

The file is replaced in one step, so that a crash leaves the old or the new one, never half.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from srv6lab.errors import LabError, UsageError
from srv6lab.host.files import exchanged, write_whole
from srv6lab.host.lock import hold, is_held
from srv6lab.host.scratch import sweep

SCHEMA = 2
Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class State:
    """`phase` is "starting" until the lab is ready; `fingerprint` is that of the plan it was built
    from; `box` is one that stands for the file's; `provider_data` is the provider's own."""

    lab: str
    instance: str
    provider: str
    topology: str
    phase: str
    fingerprint: str = ""
    box: str = ""
    provider_data: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def read_data(self, read: Callable[[Mapping[str, Any]], Data], mend: str) -> Data:
        """The provider's own part as `read` takes it; LabError where it isn't as it was written."""
        try:
            return read(self.provider_data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"the state of {self.instance} isn't as it was written: {error!r}"
            raise LabError(what, mend) from None


def _text(state: State) -> str:
    return json.dumps(asdict(state), indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one instance: `.srv6lab/<instance>/`."""

    path: Path

    @property
    def captures(self) -> Path:
        return self.path / "captures"

    @property
    def machine(self) -> Path:
        """What a micro-VM leaves: sockets, logs, its initramfs."""
        return self.path / "vm"

    @property
    def runs(self) -> Path:
        """The results of checks."""
        return self.path / "runs"

    @property
    def running(self) -> Path:
        """What a check has seen of exercises that it hasn't judged yet: only then they take the place of earlier runs."""
        return self.path / "running"

    @property
    def scratch(self) -> Path:
        """Where commands put what they need no longer when they are done."""
        return self.path / "scratch"

    @property
    def collected(self) -> Path:
        """Where `invoke capture` writes what it isn't told to write elsewhere."""
        return self.path / "collected"

    @property
    def cut(self) -> Path:
        """What a machine cuts out of its captures, to be fetched."""
        return self.path / "cut"

    @property
    def applied(self) -> Path:
        """What a check has changed, and how to take it back."""
        return self.path / "applied.json"

    @property
    def task(self) -> Path:
        """Which task a learner is at."""
        return self.path / "task.json"

    @property
    def progress(self) -> Path:
        """What a learner has reached in it; outside the folder, so it outlasts `destroy`."""
        return self.path.parent / ".progress" / f"{self.path.name}.json"

    @property
    def sending(self) -> Path:
        """Which probes run in which nodes."""
        return self.path / "sending.json"

    @property
    def alive(self) -> Path:
        """Locked as long as a process of the lab lives."""
        return self.path / "alive"

    @property
    def written(self) -> Path:
        """What is written down about the lab."""
        return self._file

    def run(self, exercise: str) -> Path:
        return self.runs / exercise

    def read(self) -> State | None:
        """The state, or None where no lab was begun here; LabError for a file that isn't ours."""
        try:
            document = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LabError(f"{self._file} can't be read: {error}", self._by_hand) from error
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise LabError(
                f"{self._file} was written by another version of srv6lab",
                "destroy the lab with the version that made it",
            )
        try:
            return State(**document)
        except TypeError as error:
            raise LabError(f"{self._file} isn't as srv6lab wrote it: {error}", self._by_hand) from error

    def holds(self, state: State) -> bool:
        """Whether that is the state which is written here."""
        now = self.read()
        return now is not None and _text(now) == _text(state)

    def write(self, state: State) -> None:
        write_whole(self._file, _text(state))

    def forget(self, *, keep_runs: bool, keep_lock: bool = False) -> None:
        """Remove what `up` and `check` wrote, and nothing that somebody else put there; the results of
        checks stay if `keep_runs`."""
        kept = {self.runs.name} if keep_runs else set()
        sweep(self.scratch)
        kept |= {self.scratch.name}  # who reads results may still be at work in there
        kept |= {self._lock.name} if keep_lock or _open_files_stay() else set()
        for entry in sorted(self._ours(), key=self._record.__eq__):  # what says which are ours goes last
            if entry.name in kept:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for folder in (self.path, self.path.parent):
            with suppress(OSError):  # it holds something still, or is a mount of its own
                folder.rmdir()

    def own(self, *names: str) -> None:
        """Write down that these entries of the folder are ours, before they are made: `forget` removes them."""
        if new := set(names) - (known := self._owned()):
            write_whole(self._record, json.dumps(sorted(known | new)) + "\n")

    def _owned(self) -> set[str]:
        try:
            return set(json.loads(self._record.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, TypeError) as error:
            raise LabError(f"{self._record} can't be read: {error}", self._by_hand) from error

    def _ours(self) -> list[Path]:
        if self.path.is_symlink() or not self.path.is_dir():
            return []
        own = (self._file, self._lock, self._record, self.alive, self.captures, self.cut, self.runs)
        names = {
            path.name
            for path in (
                *own,
                self.applied,
                self.sending,
                self.running,
                self.collected,
                self.task,
                self.scratch,
            )
        } | self._owned()
        half_written = tuple(f".{name}." for name in names)
        return [one for one in self.path.iterdir() if one.name in names or one.name.startswith(half_written)]

    @property
    def begun(self) -> bool:
        """Whether anything of ours lies here."""
        return bool(self._ours())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time changes an instance; another one is told so at once."""
        descriptor = self._take_lock()
        try:
            sweep(self.scratch)
            self._put_back()
            yield
        finally:
            self._forget_a_lone_lock()
            os.close(descriptor)
            if _open_files_stay():
                self._forget_a_lone_lock()

    def keep_run(self, exercise: str) -> Path:
        """What is `running` takes the place of the run before it, which is there until then: whoever is killed before loses
        none."""
        place, fresh = self.run(exercise), self.running / exercise
        before = self.running / f".{exercise}"
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            fresh.rename(place)
        elif exchanged(fresh, place):
            shutil.rmtree(fresh)
        else:  # where a file system can't: `_put_back` knows the one before
            place.rename(before)
            fresh.rename(place)
            shutil.rmtree(before)
        with suppress(OSError):  # another one is in it
            self.running.rmdir()
        return place

    def _put_back(self) -> None:
        """A run whose place another was about to take, when that was killed."""
        for before in self.running.glob(".*"):
            place = self.run(before.name[1:])
            if place.exists():
                shutil.rmtree(before, ignore_errors=True)
            else:
                before.rename(place)

    @property
    def busy(self) -> bool:
        """Whether a command is at work on it, found out without standing in anybody's way."""
        return is_held(self._lock)

    def _forget_a_lone_lock(self) -> None:
        """A command that did nothing, or was interrupted before it did, leaves nothing behind: no folder, or beside results of
        checks no lock."""
        with suppress(OSError):
            if {entry.name for entry in self.path.iterdir()} <= {self._lock.name, self.runs.name}:
                self._lock.unlink()
                self.path.rmdir()
                self.path.parent.rmdir()

    def _refuse_what_others_made(self) -> None:
        """What lies in a folder of somebody else's, or behind a link, is his to change while it is worked on."""
        for folder in filter(os.path.lexists, (self.path.parent, self.path)):
            seen = folder.lstat()
            if stat.S_ISLNK(seen.st_mode):
                raise UsageError(f"{folder} is a link, and labs are kept in folders only", f"remove {folder}")
            if hasattr(os, "geteuid") and seen.st_uid != os.geteuid():
                what = f"{folder} is of another user (number {seen.st_uid}), and so is what runs there"
                mend = f"go on as that user, or in a folder of your own; or, when nothing of it runs, remove {folder}"
                raise UsageError(what, mend)

    def _take_lock(self) -> int:
        while True:
            self._refuse_what_others_made()
            self.path.mkdir(parents=True, exist_ok=True)
            self._refuse_what_others_made()
            try:
                descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:
                continue  # a `destroy` removed the folder that was there a moment ago
            try:
                hold(descriptor)
                if os.path.samestat(os.fstat(descriptor), self._lock.stat()):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                mend = "wait until it is done"
                raise UsageError(f"another command is at work on {self.path.name}", mend) from None
            except FileNotFoundError:
                pass
            os.close(descriptor)  # a `destroy` removed the file between our two looks at it

    @property
    def _by_hand(self) -> str:
        alive = shlex.quote(str(self.alive))
        return f"fuser -k {alive} ends what may still run of it; then remove {self.path}"

    @property
    def _lock(self) -> Path:
        return self.path / "lock"

    @property
    def _file(self) -> Path:
        return self.path / "state.json"

    @property
    def _record(self) -> Path:
        return self.path / "ours.json"


def _open_files_stay() -> bool:
    """Whether a file can't be removed while it is open: so it is on Windows, where nobody else can have the
    lock then either."""
    return sys.platform == "win32"
