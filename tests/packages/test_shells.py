"""Tab in the three shells themselves: what somebody has typed, and what stands there after the key."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.small import SMALL

# The shell's line, and what it becomes: a task, a lab, an exercise, a node, a NIC, a value, and what is left of options.
LINES = [
    ("srv6lab destr", "srv6lab destroy"),
    ("srv6lab up sma", "srv6lab up small"),
    ("srv6lab up lab=sma", "srv6lab up lab=small"),
    ("srv6lab check --lab sma", "srv6lab check --lab small"),
    ("srv6lab check small acr", "srv6lab check small across"),
    ("srv6lab check small exercise=acr", "srv6lab check small exercise=across"),
    ("srv6lab connect small wes", "srv6lab connect small west"),
    ("srv6lab capture small --node gate --nic eth", "srv6lab capture small --node gate --nic eth"),
    ("srv6lab capture small nic=west:", "srv6lab capture small nic=west:eth1"),
    ("srv6lab up small --provider vir", "srv6lab up small --provider virtualbox"),
    ("srv6lab check small format=ju", "srv6lab check small format=junit"),
    ("srv6lab check small --verb", "srv6lab check small --verbose"),
    ("invoke destr", "invoke destroy"),
    ("invoke up lab=sma", "invoke up lab=small"),
]
PATIENCE = 60.0  # seconds until a shell shows what it was asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of labs of one's own, in which `invoke` is ours, too."""
    (tmp_path / "labs/small").mkdir(parents=True)
    (tmp_path / "labs/small/topology.yml").write_text(SMALL)
    (tmp_path / "tasks.py").write_text("from srv6lab.share.tasks import *\n")
    return tmp_path


def script(shell: str) -> str:
    """What the documents say: the shell sources what srv6lab prints."""
    ask = shlex.join([sys.executable, "-m", "srv6lab", "--print-completion-script", shell])
    return f"{ask} | source" if shell == "fish" else f"source <({ask})"


def environment(folder: Path) -> dict[str, str]:
    """Nothing of the settings of whoever runs this; srv6lab as it stands here."""
    kept = {"PYTHONPATH": str(REPOSITORY), "TERM": "dumb", "LANG": "C.UTF-8", "HOME": str(folder)}
    return {"PATH": os.environ["PATH"], **kept}


class Terminal:
    """A shell that somebody sits at."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.seen = ""
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
        os.close(theirs)

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def wait(self, pattern: str) -> str:
        """The first group of what is shown and wasn't seen yet."""
        until = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            ready, _, _ = select.select([self.ours], [], [], until - time.monotonic())
            assert ready, f"no {pattern} in {self.seen[-2000:]!r}"
            self.seen += os.read(self.ours, 65536).decode(errors="replace")
        self.seen = self.seen[found.end() :]
        return found[1]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


# A key which shows the line as it stands and leaves it empty; what the prompt is goes unseen.
ZSH = """\
PROMPT= RPROMPT= ; unsetopt prompt_cr prompt_sp
autoload -Uz compinit && compinit -u -D
{source}
shown() {{ print -r -- "<<$BUFFER>>"; BUFFER= }}
zle -N shown; bindkey '^X' shown
print rea''dy
"""
BASH = """\
PS1= ; bind 'set enable-bracketed-paste off'
{source}
shown() {{ printf '<<%s>>\\n' "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0; }}
bind -x '"\\C-x": shown'
echo rea''dy
"""


@pytest.mark.prove
@pytest.mark.parametrize(
    ("shell", "command", "begin"),
    [("bash", ["bash", "--norc", "--noprofile", "-i"], BASH), ("zsh", ["zsh", "-f", "-i"], ZSH)],
)
def test_tab(shell: str, command: list[str], begin: str, folder: Path) -> None:
    terminal = Terminal(command, folder)
    try:
        terminal.type(begin.format(source=script(shell)))
        terminal.wait("(ready)")
        for line, becomes in LINES:
            terminal.type(f"{line}\t\x18")
            assert terminal.wait("<<(.*?)>>").rstrip() == becomes
    finally:
        terminal.end()


@pytest.mark.prove
def test_tab_in_fish(folder: Path) -> None:
    asked = [f"complete --do-complete {shlex.quote(line)}; echo ===" for line, _ in LINES]
    command = ["fish", "--no-config", "--command", "; ".join([script("fish"), *asked])]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    offered = [block.split() for block in done.stdout.split("===\n")]
    for (line, becomes), found in zip(LINES, offered, strict=False):
        word = becomes.split()[-1]
        assert any(one.startswith(word) for one in found) and len(found) < 3, (line, found)
