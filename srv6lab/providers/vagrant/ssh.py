"""Commands in virtual machines, over the ssh that Vagrant describes: as root, with their own exit codes.

`vagrant ssh -c` would start Ruby for each. Vagrant is asked once, and `ssh` reads its answer from a file.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.errors import MachineError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST_SOCKET = 90  # the kernel's limit is 108, and ssh appends to the name while it connects
_UNREACHABLE = 255  # ssh's own failure
_KEPT = 60  # seconds that a connection waits for the next command


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to; its output as bytes."""

    exit_code: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Ssh:
    """The way into the machines of one lab: `config` is what `vagrant ssh-config` said."""

    config: Path

    def command(self, node: str, argv: Sequence[str], *, terminal: bool = False) -> list[str]:
        """The local command that runs `argv` as root in a node."""
        program = shutil.which("ssh")
        if program is None:
            raise MachineError("ssh is not on this machine", "apt-get install openssh-client")
        words = ["sudo", "-n", "env", f"PATH={PATH}", *argv]
        options = ["-F", str(self.config), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", *self._shared()]
        return [program, *options, "-t" if terminal else "-T", node, "--", shlex.join(words)]

    def run(self, node: str, argv: Sequence[str], given: bytes = b"", timeout: float | None = None) -> Answer:
        """Run `argv` as root in a node; MachineError if the node can't be reached or doesn't answer in time."""
        try:
            done = subprocess.run(
                self.command(node, argv),
                input=given,
                capture_output=True,
                timeout=timeout,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise MachineError(f"{node}: no answer in {timeout:g} s: {shlex.join(argv)[:200]}") from None
        said = done.stderr.decode(errors="replace")
        if done.returncode == _UNREACHABLE and not done.stdout:
            what = f"{node} can't be reached: {said.strip() or 'ssh says nothing'}"
            raise MachineError(
                what, f"{CALLED} status shows what runs; {CALLED} up brings back what is missing"
            )
        return Answer(done.returncode, done.stdout, said)

    def close(self, nodes: Sequence[str]) -> None:
        """End the connections that wait for a next command."""
        for node in nodes:
            if self.config.exists() and self._socket(node).exists():
                close = ["ssh", "-F", str(self.config), *self._shared(), "-O", "exit", node]
                subprocess.run(close, capture_output=True)

    def _shared(self) -> list[str]:
        """One connection for many commands, where the system has such sockets and their name fits."""
        pattern = str(self._socket("%n"))
        if os.name != "posix" or len(pattern) > _LONGEST_SOCKET or "%" in str(self.config):
            return []
        return ["-o", "ControlMaster=auto", "-o", f"ControlPath={pattern}", "-o", f"ControlPersist={_KEPT}"]

    def _socket(self, node: str) -> Path:
        return self.config.with_name(node)
