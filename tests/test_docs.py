"""What the documents tell people to type works, in the order in which they tell it.

Run are the lines of ```sh blocks, the `invoke …` and `make …` in running text and tables, and ```console
blocks. There a line `$ COMMAND` is for this machine, `NODE# COMMAND` for a node of the lab, and any other
line is output for the reader. `invoke` gets an --instance of the document's own; `make` is asked what it
would do (-n), and of what it then hands to invoke the same is run. A word in capitals is a placeholder.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import LABS, REPOSITORY, SITE, tool

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "labs/*/README.md", "benchmarks/*.md")
    for path in REPOSITORY.glob(pattern)
)
# Their commands are those of the English ones, which tests/test_chinese.py holds; so they are run once.
FOLLOWED = [path for path in DOCUMENTS if not path.name.endswith(".zh-CN.md")]
TOLD = re.compile(r"^(?:sudo )?(?:\.venv/bin/)?(?:invoke|make|pytest|pre-commit)\b.*|^sudo .*")
PLACEHOLDER = re.compile(r"(?<![\w-])[A-Z]{2,}(?![\w-])|…")
PROMPT = re.compile(r"^(?P<who>[\w.@:~/\[\]-]*)(?P<sign>[$#%])(?: |$)(?P<command>.*)")

# Not run as they stand, each with the reason and what is run instead.
INSTEAD = {
    r"pytest (.*)": ("this is pytest already", r"python -m pytest --collect-only -q \1"),
    r"pre-commit (.*)": ("it would change the clone's hooks", r"test -e .pre-commit-config.yaml"),
    r"bash \.ci/run": ("it runs this test", r"bash -n .ci/run"),
    r"(invoke doctor --provider \S+)": ("it is there where not all is", r"\1 >&2 || test $? = 3"),
    r"(invoke wireshark (?!.*--files-only)[^A-Z]*)": ("it would open a window", r"\1 --files-only"),
    r"git clone .*": ("the clone is here", r"true"),
}
# The same, in `make test` alone.
INSTEAD_AT_FIRST = {
    r"invoke box\.build.*": ("it downloads and packs for minutes", r"invoke box.build --help"),
}


@dataclass(frozen=True)
class Told:
    """A command as a document tells it: `node` is "" for this machine; one that is only mentioned in a
    text or table isn't run again if it has been run."""

    line: int
    node: str
    command: str
    mentioned: bool = False


class BadDocument(AssertionError):
    """A document that can't be followed."""


def told(text: str, nodes: frozenset[str]) -> Iterator[Told]:
    """All commands of a document in their order; `nodes` are the prompts that it may have."""
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if fence := re.match(r"^\s*(`{3,}|~{3,})\s*(\w*)", line):
            yield from _block(lines, fence.group(1), fence.group(2), nodes)
        else:
            for span in re.findall(r"`([^`]+)`", line):
                if TOLD.match(span):
                    yield Told(number, "", span, True)


def _block(lines: Iterator[tuple[int, str]], fence: str, kind: str, nodes: frozenset[str]) -> Iterator[Told]:
    for number, line in lines:
        if line.strip().startswith(fence):
            return
        node, command = "", line
        if kind == "console":
            prompt = PROMPT.match(line)
            if not prompt:
                continue
            node, command = prompt["who"], prompt["command"]
            if node not in nodes if prompt["sign"] == "#" else bool(node) or prompt["sign"] != "$":
                raise BadDocument(f"line {number}: unknown prompt {prompt['who']}{prompt['sign']}")
        elif kind not in ("sh", "bash", "shell"):
            continue
        while command.endswith("\\"):
            command = command[:-1] + next(lines)[1]
        if command.strip() and not command.lstrip().startswith("#"):
            yield Told(number, node, command.strip())


TWO = frozenset({"gate", "exit"})


def test_commands_are_found_where_people_read_them() -> None:
    text = """\
Type `invoke labs`, and not `labs`.

| `make up lab=one` | does |

```sh
# a comment
invoke check \\
    lab=one

```

```yaml
invoke: no
```

```console
$ invoke status lab=one
one: ok
gate# ip -6 route | grep fc00
fc00::/64 dev eth1
```
"""
    assert [(one.line, one.node, one.command) for one in told(text, TWO)] == [
        (1, "", "invoke labs"),
        (3, "", "make up lab=one"),
        (7, "", "invoke check     lab=one"),
        (17, "", "invoke status lab=one"),
        (19, "gate", "ip -6 route | grep fc00"),
    ]


@pytest.mark.parametrize("prompt", ["gaet# ls", "# ls", "me@here$ ls", "gate$ ls", "% ls"])
def test_an_unknown_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(BadDocument, match="line 2: unknown prompt"):
        list(told(f"```console\n{prompt}\n```\n", TWO))


def test_output_is_not_taken_for_a_prompt() -> None:
    assert list(told("```console\n64 bytes from fc00::1: seq=1\n#1 and 100% packet loss\n```\n", TWO)) == []


@cache
def tasks() -> dict[str, set[str]]:
    """Each task's options."""
    module = importlib.import_module("tasks")
    return {
        name: {one.rstrip("_") for one in inspect.signature(module.namespace[name].body).parameters}
        for name in module.namespace.task_names
    }


@cache
def machines() -> dict[str, frozenset[str]]:
    """Each lab's nodes."""
    return {name: frozenset(one.name for one in SITE.load(SITE.refer(name))[0].nodes) for name in LABS}


class Follower:
    """Does what a document says, with instances of its own."""

    def __init__(self, folder: Path, full: bool = False) -> None:
        self.folder = folder
        self.instead = INSTEAD if full else INSTEAD | INSTEAD_AT_FIRST
        self.instance = f"docs-{uuid.uuid4().hex[:8]}"
        self.begun: set[str] = set()
        self.lab = LABS[0]
        self.done: set[str] = set()
        (folder / "bin").mkdir()
        self._script(
            "invoke", INVOKE.format(python=sys.executable, tasks=self._instanced(), prefix=self.instance)
        )
        self._script("make", MAKE.format(make=tool("make")))
        self._script("python", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        self._script("sudo", '#!/bin/sh\nexec "$@"\n')

    def follow(self, one: Told) -> None:
        plain = " ".join(one.command.replace(".venv/bin/", "").replace("make ", "invoke ").split())
        if one.mentioned and plain in self.done:
            return
        self.done.add(plain)
        result = self._run_in(one.node, one.command) if one.node else self._run(one.command)
        assert result.returncode == 0, (
            f"line {one.line}: {one.command}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
        )

    def leave(self) -> None:
        for lab in LABS:
            if SITE.home(SITE.refer(lab), self._instance_of(lab)).path.exists():
                self._bash(f"invoke destroy lab={lab} --purge")

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        command = command.replace(".venv/bin/", "").removeprefix("sudo ")
        if named := re.search(r"lab=([a-z0-9-]+)", command):
            self.lab = named.group(1)
        for pattern, (_, instead) in self.instead.items():
            if re.fullmatch(pattern, command):
                return self._bash(re.sub(pattern, instead, command))
        command = self._filled(command)
        if command.startswith("make "):
            command = command.replace("lab=NAME", f"lab={self.lab}")
        if PLACEHOLDER.search(command) or re.fullmatch(r"invoke( [a-z.]+)?", command):
            return self._check_syntax(command)
        if re.fullmatch(r"make [a-z0-9-]+( lab=\S+)?", command) and command.split()[1] not in tasks():
            return self._bash(f"{tool('make')} -n lab={self.lab} {command.removeprefix('make ')}")
        for lab in LABS:
            command = command.replace(f".srv6lab/{lab}/", f".srv6lab/{self._instance_of(lab)}/")
        if " up " in command:
            self.begun.add(self.lab)
        if " destroy " in command:
            self.begun.discard(self.lab)
        return self._bash(command)

    def _run_in(self, node: str, command: str) -> subprocess.CompletedProcess[str]:
        if self.lab not in self.begun:
            self._run(f"invoke up lab={self.lab}")
        # What `invoke exec` does, without a second of its start for each line.
        one = SITE.running(SITE.refer(self.lab), self._instance_of(self.lab))
        result = one.exec(node, ["bash", "-c", command], 60)
        return subprocess.CompletedProcess(command, result.exit_code, result.stdout, result.stderr)

    def _filled(self, command: str) -> str:
        """PATH stands for a lab's file, DIR for a folder of captures."""
        command = command.replace("lab=PATH", f"lab={SITE.refer(self.lab).path}")
        if exercise := re.search(r"--exercise (\S+) --captures DIR", command):
            runs = REPOSITORY / ".srv6lab" / self._instance_of(self.lab) / "runs"
            command = command.replace("DIR", shlex.quote(str(runs / exercise.group(1) / "captures")))
        return command

    def _check_syntax(self, command: str) -> subprocess.CompletedProcess[str]:
        """A form with placeholders, or a task's mere name: the task and the options are there."""
        words = command.split(" -- ")[0].split()
        if len(words) == 1 or words[1] == "TASK":
            return subprocess.CompletedProcess(words, 0)
        known = tasks().get(words[1], set())
        unknown = [
            word for word in words if word.startswith("--") and word[2:].replace("-", "_") not in known
        ]
        wrong = f"no task {words[1]}" if not known else f"no option {unknown}" if unknown else ""
        return subprocess.CompletedProcess(words, bool(wrong), "", wrong)

    def _bash(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "VAGRANT_HOME": str(self.folder / "vagrant"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
        )

    def _instance_of(self, lab: str) -> str:
        return f"{self.instance}-{lab}"

    @staticmethod
    def _instanced() -> list[str]:
        return [name for name, options in tasks().items() if "instance" in options]

    def _script(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)


INVOKE = """\
#!{python}
import os, re, sys
words = sys.argv[1:]
task = next((word for word in words if not word.startswith("-")), "")
named = re.search(r"lab=(?:.*/labs/)?([a-z0-9-]+)", " ".join(words))
if task in {tasks} and named and "--help" not in words:
    at = words.index(task) + 1
    words[at:at] = ["--instance", "{prefix}-" + named.group(1)]
os.execv("{python}", ["{python}", "-m", "invoke", *words])
"""

MAKE = """\
#!/bin/sh
{make} -n "$@" || exit
case $1 in up|check|destroy) exec invoke "$@" ;; esac
"""


# Their commands boot emulated machines, wait for routing protocols again and again, are those that the README's are, or
# are a whole lab's.
SLOW = {"kernels.md", "srv6-primer.md", "CONTRIBUTING.md", "report.md"} | {
    one.name for one in SITE.course()[0][1:]
}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.prove] if SLOW & {path.name, path.parent.name} else [])
        for path in FOLLOWED
    ],
    ids=[str(path.relative_to(REPOSITORY)) for path in FOLLOWED],
)
def test_what_a_document_tells_works(path: Path, tmp_path: Path) -> None:
    follow(path, Follower(tmp_path))


def at_length(path: Path) -> bool:
    """Whether a document tells something that `make test` doesn't do."""
    return any(re.search(slow, path.read_text("utf-8")) for slow in INSTEAD_AT_FIRST)


@pytest.mark.prove
@pytest.mark.parametrize("path", list(filter(at_length, FOLLOWED)), ids=lambda path: path.name)
def test_what_a_document_tells_works_at_length(path: Path, tmp_path: Path) -> None:
    follow(path, Follower(tmp_path, full=True))


def follow(path: Path, follower: Follower) -> None:
    owner = path.parent.name if path.parent.parent.name == "labs" else None
    nodes = machines()[owner] if owner else frozenset().union(*machines().values())
    follower.lab = owner or LABS[0]
    try:
        for one in told(path.read_text("utf-8"), nodes):
            follower.follow(one)
    finally:
        follower.leave()


def test_a_command_that_fails_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="line 7: invoke no-such-task: exit code 1"):
        Follower(tmp_path).follow(Told(7, "", "invoke no-such-task"))


@pytest.mark.parametrize("command", ["invoke exec lab=NAME --nod NODE", "invoke exce lab=NAME"])
def test_a_form_with_a_wrong_word_is_refused(command: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Follower(tmp_path).follow(Told(1, "", command))


def test_a_form_is_checked_by_its_words(tmp_path: Path) -> None:
    Follower(tmp_path).follow(Told(1, "", "invoke exec lab=NAME --node NODE -- COMMAND ARGUMENTS"))


def headings(text: str) -> set[str]:
    """GitHub's anchors."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]+`", "", path.read_text("utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        if not there.exists() or (anchor and anchor not in headings(there.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


def test_every_task_of_the_readme_is_there() -> None:
    named = set(
        re.findall(r"`(?:\.venv/bin/)?invoke ([a-z.]+)", (REPOSITORY / "README.md").read_text("utf-8"))
    )
    assert named <= set(tasks())


def test_the_readme_names_every_task() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert [name for name in tasks() if f"invoke {name}" not in text] == []
