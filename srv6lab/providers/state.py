"""What is written down about a running lab: one folder an instance, one `state.json` in it.

The file is replaced in one step, so that a crash leaves the old or the new one, never half.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from srv6lab.errors import LabError, UsageError
from srv6lab.host.files import write_whole

SCHEMA = 1


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
        return self.path / "runs"

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

    def write(self, state: State) -> None:
        write_whole(self._file, json.dumps(asdict(state), indent=1) + "\n")

    def forget(self, *, keep_runs: bool, keep_lock: bool = False) -> None:
        """Remove what `up` and `check` wrote, and nothing that somebody else put there; the results of
        checks stay if `keep_runs`."""
        kept = {self.runs.name} if keep_runs else set()
        kept |= {self._lock.name} if keep_lock or _open_files_stay() else set()
        for entry in self._ours():
            if entry.name in kept:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for folder in (self.path, self.path.parent):
            with suppress(OSError):  # it holds something still, or is a mount of its own
                folder.rmdir()

    def _ours(self) -> list[Path]:
        if self.path.is_symlink() or not self.path.is_dir():
            return []
        names = {
            ".vagrant",
            "Vagrantfile",
            "alive",
            "applied.json",
            "captures",
            "collected",
            "cut",
            "day0",
            "keeper.log",
            "lock",
            "logs",
            "runs",
            "scratch",
            "vm",
            "srconf",
            "ssh",
        }
        names.add(self._file.name)
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
            yield
        finally:
            self._forget_a_lone_lock()
            os.close(descriptor)
            if _open_files_stay():
                self._forget_a_lone_lock()

    def _forget_a_lone_lock(self) -> None:
        """A command that did nothing, or was interrupted before it did, leaves no folder behind."""
        with suppress(OSError):
            if [entry.name for entry in self.path.iterdir()] == [self._lock.name]:
                self._lock.unlink()
                self.path.rmdir()
                self.path.parent.rmdir()

    def _take_lock(self) -> int:
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            except FileNotFoundError:
                continue  # a `destroy` removed the folder that was there a moment ago
            try:
                _hold(descriptor)
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
        alive = shlex.quote(str(self.path / "alive"))
        return f"fuser -k {alive} ends what may still run of it; then remove {self.path}"

    @property
    def _lock(self) -> Path:
        return self.path / "lock"

    @property
    def _file(self) -> Path:
        return self.path / "state.json"


def _open_files_stay() -> bool:
    """Whether a file can't be removed while it is open: so it is on Windows, where nobody else can have the
    lock then either."""
    return sys.platform == "win32"


def _hold(descriptor: int) -> None:
    """Lock an open file until it is closed; BlockingIOError if somebody else has it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            raise BlockingIOError from None
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
