"""A machine booted, held and ended.

qemu runs in the PID namespace of a keeper (see ../keeper.py), so it ends with whoever booted it until the
keeper is told to stay, and with the keeper afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from srv6lab.errors import MachineError
from srv6lab.host.command import Completed, run
from srv6lab.host.files import cache
from srv6lab.host.lock import hold, is_free
from srv6lab.providers import rootless
from srv6lab.providers.keeping import Keeper, alive_file, let_go, wait_for_the_end
from srv6lab.providers.process import Process
from srv6lab.providers.state import Home
from srv6lab.providers.vm.agent import HungUp
from srv6lab.providers.vm.call import Call
from srv6lab.providers.vm.machine import Machine, calling

_PATIENCE = 180.0
_LOGS = ("qemu.log", "console.log")
_START = '( read -r pid rest </proc/self/stat; echo "$pid"; exec "$@" </dev/null >qemu.log 2>&1 ) &'


@dataclass(frozen=True, slots=True)
class Booted:
    """A machine that answers. `folder` holds its sockets."""

    folder: Path
    process: Process

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` in the machine."""
        return calling(self.folder, argv)

    def run(self, argv: Sequence[str], timeout: float | None = None, given: str | None = None) -> Completed:
        """Run a command in the machine; what outlives the timeout is killed there."""
        return run(self.command(argv), timeout, given, shown=argv)


def start(machine: Machine, keeper: Process, home: Home, progress: Callable[[str], None]) -> Booted:
    """Boot a machine below the keeper of an instance; it answers on return. MachineError with its last
    words if it doesn't."""
    home.own(home.machine.name)
    folder = home.machine.resolve()
    folder.mkdir(mode=0o700, exist_ok=True)
    argv = machine.command(folder)
    progress(f"booting Linux {machine.kernel.release}, {machine.how}")
    with alive_file(home) as alive:
        result = subprocess.run(
            [
                *rootless.within(keeper.pid),
                *("nsenter", f"--pid=/proc/{keeper.pid}/ns/pid", "sh", "-c", _START, "sh", *argv),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=folder,
            pass_fds=[alive.fileno()],
            start_new_session=True,  # Ctrl-C at the terminal is not meant for it
            check=False,
        )
    if result.returncode:
        raise MachineError(f"the machine can't be started: {result.stderr.strip()}")
    pid = int(result.stdout)
    booted = Booted(folder, Process.of(pid) or Process(pid, 0))
    _wait_until_up(booted)
    return booted


def _wait_until_up(booted: Booted) -> None:
    deadline = time.monotonic() + _PATIENCE
    while booted.process.alive() and time.monotonic() < deadline:
        try:
            Call(str(booted.folder), deadline - time.monotonic()).close()
            return
        except (OSError, HungUp):  # before qemu listens, or after its end
            time.sleep(0.02)
    raise MachineError("\n  ".join(["the machine didn't come up", *_last_words(booted.folder)]))


def _last_words(folder: Path) -> list[str]:
    """What qemu said, then what the machine's programs said, or its kernel when they said nothing."""
    texts = [path.read_text("utf-8", "replace") for name in _LOGS if (path := folder / name).exists()]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return ([line for line in lines if not line.startswith("[")] or lines)[-10:]


@contextmanager
def booted(machine: Machine, progress: Callable[[str], None]) -> Iterator[Booted]:
    """A machine for as long as the context lasts; it ends with this process, however that ends."""
    with _scratch() as folder:
        home = Home(folder)
        try:
            yield start(machine, Keeper(home, {}).process, home, progress)
        finally:
            let_go(home)
            wait_for_the_end(home)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A fresh folder; those of processes that were killed are swept away first."""
    parent = cache("machines")
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with (parent / ".lock").open("a") as lock:
            hold(lock, wait=True)
            for old in parent.glob("run-*"):
                if _is_free(old / "holder"):
                    shutil.rmtree(old)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
            holder = held.enter_context((folder / "holder").open("a"))
            hold(holder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _is_free(holder: Path) -> bool:
    with holder.open("a") as file:
        return is_free(file)
