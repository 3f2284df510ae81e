"""The `vagrant` command: run within a time, with a log that keeps all it says, its answer read as events.

The only importer of python-vagrant, which knows the commands' words and how their answers are read. What it
lacks is here: a time limit, stderr kept, an error's name. Vagrant names each of its errors in its
machine-readable output, so no prose of Vagrant's is read to find out what happened.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vagrant

from srv6lab.errors import MachineError

_PATIENCE = 60.0  # for the cleaning up that Vagrant does when it is interrupted
_KEY_COMMENT = "vagrant insecure public key"  # Vagrant takes the key away again by its whole line
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Event:
    """A line of machine-readable output: whose machine, what kind, and its values."""

    machine: str
    kind: str
    values: tuple[str, ...]

    @classmethod
    def read(cls, line: str) -> Event | None:
        parts = line.rstrip("\n").split(",")
        if len(parts) < 3 or not parts[0].isdigit():
            return None
        values = (
            part.replace("%!(VAGRANT_COMMA)", ",").replace("\\n", "\n").replace("\\r", "")
            for part in parts[3:]
        )
        return cls(parts[1], parts[2], tuple(_COLOR.sub("", value) for value in values))


class Failure(Exception):
    """A command that failed: Vagrant's name for the error ("" if it gave none), its words, what it and its
    provisioners printed before, its log, and the seconds after which it was ended (0: it ended by itself)."""

    def __init__(self, error: str, words: str, printed: str, log: Path, late: float = 0.0) -> None:
        super().__init__(words)
        self.error, self.words, self.printed, self.log, self.late = error, words, printed, log, late


class Vagrant:
    """Commands of one folder with a Vagrantfile, each ended after `limit` seconds; every event goes to
    `heard` as it comes, and all that is said to `log`. A command that fails is a Failure."""

    def __init__(
        self, folder: Path, log: Path, limit: float, heard: Callable[[Event], None] = lambda _: None
    ) -> None:
        self._tool: Any = _Tool(folder, log, limit, heard)

    def up(self, machine: str, provider: str) -> None:
        self._tool.up(machine, provider=provider)

    def end(self) -> None:
        """Interrupt what it is at, and let it clean up; for another thread. It begins nothing more."""
        self._tool.end()

    def halt(self, machine: str) -> None:
        self._tool.halt(machine)

    def destroy(self) -> None:
        """All machines of the folder."""
        self._tool.destroy()

    def running(self) -> set[str]:
        """The names of the machines that run."""
        return {one.name for one in self._tool.status() if one.state == vagrant.Vagrant.RUNNING}

    def boxes(self) -> None:
        """Ask for the boxes that are here."""
        self._tool.box_list()

    def add_box(self, name: str, file: str) -> None:
        self._tool.box_add(name, file, force=True)

    def ssh_config(self) -> str:
        """How ssh gets into every machine, as one of its configuration files."""
        return str(self._tool.ssh_config())


def add_box(name: str, file: str) -> None:
    """Let Vagrant have a box under a name; one that it has under that name is replaced."""
    _anywhere(lambda vagrant: vagrant.add_box(name, file))


def _anywhere(work: Callable[[Vagrant], None]) -> None:
    """What concerns no lab."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        try:
            work(Vagrant(Path(folder), log, 600.0))
        except Failure as failure:
            said = failure.words or log.read_text(encoding="utf-8", errors="replace")
            raise MachineError(f"vagrant failed: {said.strip()}", "mend what it says") from None


def public_key() -> str:
    """The public half of the key that every box has, and that Vagrant replaces in each new machine."""
    _anywhere(lambda vagrant: vagrant.boxes())  # at its first command Vagrant lays its key down
    home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    command = ["ssh-keygen", "-y", "-f", str(home / "insecure_private_key")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise MachineError(
            f"Vagrant's key can't be read: {done.stderr.strip()}", "vagrant box list writes it"
        )
    return f"{' '.join(done.stdout.split()[:2])} {_KEY_COMMENT}\n"


class _Tool(vagrant.Vagrant):
    """python-vagrant with commands that are run in our way."""

    def __init__(self, folder: Path, log: Path, limit: float, heard: Callable[[Event], None]) -> None:
        quiet = {**os.environ, "VAGRANT_CHECKPOINT_DISABLE": "1"}
        super().__init__(str(folder), env=quiet)  # type: ignore[no-untyped-call]
        self._log, self._limit, self._heard = log, limit, heard
        self._run: _Run | None = None
        self._ended = False

    def end(self) -> None:
        self._ended = True
        if self._run:
            self._run.end()

    def _make_vagrant_command(self, args: Sequence[str | None]) -> list[str]:
        program = shutil.which("vagrant")
        if program is None:
            raise MachineError("vagrant is not on this machine", "apt-get install vagrant, or its installer")
        return [program, *(word for word in args if word is not None)]

    # The two ways in which python-vagrant starts a command: for what it does, and for what it says.

    def _call_vagrant_command(self, args: Sequence[str | None]) -> None:
        self._run_vagrant_command([*args, "--machine-readable"])

    def _run_vagrant_command(self, args: Sequence[str | None]) -> str:
        command = self._make_vagrant_command(args)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            self._run = run = _Run(command, Path(self.root), self.env, log, self._limit, self._heard)
            if self._ended:
                run.end()
            run.to_the_end()
        if run.code:
            name, words = run.error
            printed = "\n".join(run.printed)
            raise Failure(name, words, printed, self._log, self._limit if run.late else 0.0)
        return "".join(run.lines)


class _Run:
    """One command under way."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        env: dict[str, str],
        log: Any,
        limit: float,
        heard: Callable[[Event], None],
    ) -> None:
        self.log, self.heard, self.limit = log, heard, limit
        self.lines: list[str] = []
        self.printed: list[str] = []
        self.error = ("", "")
        self.late = False
        self.code = 0
        self._popen = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C at the terminal comes to us, and we tell Vagrant once
        )

    def to_the_end(self) -> None:
        timer = threading.Timer(self.limit, self._too_late)
        timer.daemon = True
        timer.start()
        try:
            self._listen()
        except BaseException:
            self.end()
            raise
        finally:
            timer.cancel()
        self.code = self._popen.wait()

    def _listen(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.lines.append(line)
            event = Event.read(line)
            if event is None:
                self.log.write(line)
            else:
                self._note(event)
            self.log.flush()

    def _note(self, event: Event) -> None:
        if event.kind == "error-exit":
            self.error = event.values[0].rpartition("::")[2], "\n".join(event.values[1:]).strip()
            self.log.write(f"{event.values[0]}: {self.error[1]}\n")
        elif event.kind == "ui" and len(event.values) > 1:
            text = event.values[1].strip().removeprefix("==> ").removeprefix(f"{event.machine}: ")
            if event.machine:  # not Vagrant's own last words
                self.printed.append(text)
            self.log.write(f"{event.machine or 'vagrant'}: {text}\n")
        self.heard(event)

    def _too_late(self) -> None:
        self.late = True
        self.end()

    def end(self) -> None:
        """Interrupt Vagrant and let it clean up; only its own process is signalled, for VirtualBox's
        service may be a child of its, and other labs' machines are that one's."""
        for number, patience in ((signal.SIGINT, _PATIENCE), (signal.SIGTERM, 5.0)):
            if os.name == "posix" or number is signal.SIGTERM:  # Windows tells Vagrant of a Ctrl-C itself
                self._popen.send_signal(number)
            try:
                self._popen.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue
        self._popen.kill()
