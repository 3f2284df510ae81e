"""What Tab offers, for both programs; and that bash asks for it and shows it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from srv6lab.cli import complete
from srv6lab.cli.complete import Labs, candidates
from srv6lab.cli.places import Place
from srv6lab.cli.program import all_forms
from srv6lab.providers import registry
from srv6lab.render import targets
from srv6lab.report import formats
from srv6lab.tasks.classroom import submit
from tests.conftest import REPOSITORY, SITE
from tests.in_process import Typed
from tests.small import SMALL

FORMS = complete._forms()


@pytest.fixture
def labs(tmp_path: Path) -> Labs:
    (tmp_path / "labs/small").mkdir(parents=True)
    (tmp_path / "labs/small/topology.yml").write_text(SMALL)
    (tmp_path / "labs/broken").mkdir()
    (tmp_path / "labs/broken/topology.yml").write_text("nodes: [\n")
    (tmp_path / ".srv6lab/again").mkdir(parents=True)
    (tmp_path / ".srv6lab/again/state.json").write_text("{}")
    return Labs(Place(tmp_path))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("chec", ["check"]),
        ("check ", ["broken", "small"]),
        ("check lab=s", ["lab=small"]),
        ("check --lab=s", ["--lab=small"]),
        ("check --lab s", ["small"]),
        ("check small a", ["across"]),
        ("check small exercise=across exercise=", ["exercise=across"]),
        ("check small --ver", ["--verbose"]),
        ("connect small e", ["exit", "east"]),
        ("exec lab=small node=w", ["node=west"]),
        ("status small --instance ", ["again"]),
        ("destroy instance=", ["instance=again"]),
        ("capture small --node gate --nic ", ["eth1", "eth2"]),
        ("capture small nic=exit:", ["nic=exit:eth2", "nic=exit:eth1"]),
        ("walk small --from w", ["west"]),
        ("up small --provider v", ["virtualbox"]),
        ("check small format=", ["format=text", "format=json", "format=junit"]),
        ("class.grade here format=c", ["format=csv", "format=check50", "format=classroom50"]),
        ("up small --box v", []),
        ("nonsense ", []),
        ("check broken ex", ["exercise="]),
        ("check nowhere/at/all --exercise ", []),
    ],
)
def test_what_may_stand_there(labs: Labs, line: str, found: list[str]) -> None:
    *before, current = line.split(" ")
    offered = candidates(before, current, FORMS, labs)
    assert offered[: len(found)] == found
    assert not found or current == "" or offered == found
    assert all(one.startswith(current) for one in offered)


def test_all_tasks_are_offered(labs: Labs, typed: Typed) -> None:
    for name in FORMS:
        assert name in candidates([], "", FORMS, labs)
    assert typed("--complete", "--", "invoke", "chec").stdout == "check\n"


def test_each_option_of_few_values_has_them() -> None:
    """The formats that there are, as tasks refuse all others; and no word of a sentence."""
    found = {
        (name, option): values for name, form in FORMS.items() for option, values in form["values"].items()
    }
    for name, form in FORMS.items():
        for option in {"format", "color", "provider", "kernel", "target"} & form["options"].keys():
            assert len(found[name, option]) > 1, (name, option)
    assert found["check", "format"] == list(formats.VERDICTS)
    assert found["watch", "format"] == list(formats.EVENTS)
    assert found["up", "provider"] == list(registry.PROVIDERS)
    assert found["up", "kernel"] == list(registry.KERNELS)
    assert found["render", "target"] == list(targets.TARGETS)


def test_reading_what_tasks_take_leaves_them_their_words_of_help() -> None:
    before = dict(submit.help)
    assert all_forms()["submit"].options
    assert submit.help == before != {}


def test_nothing_is_said_to_a_line_that_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    complete.main(["srv6lab", "check", "/dev/null", "exercise="])
    assert capsys.readouterr() == ("", "")


BASH = """
source <({ask} --print-completion-script bash)
COMP_LINE={line} COMP_POINT=${{#COMP_LINE}}
compopt() {{ echo "option $2"; }}
_srv6lab_complete; printf '%s\\n' "${{COMPREPLY[@]}}"; complete -p invoke srv6lab
"""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("srv6lab destr", ["destroy"]),
        (f"invoke check lab={SITE.course()[0][0].name[:-1]}", [SITE.course()[0][0].name]),
        ("srv6lab destroy lab", ["option nospace", "lab="]),
    ],
)
def test_bash_shows_what_stands_behind_the_equals_sign(line: str, shown: list[str]) -> None:
    ask = shlex.join([sys.executable, "-m", "srv6lab"])
    script = BASH.format(ask=ask, line=shlex.quote(line))
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = ["bash", "--norc", "-c", script]
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True)
    assert done.stderr == ""
    *found, _, _ = done.stdout.splitlines()
    assert found == shown


@pytest.mark.parametrize(
    ("shell", "reads"),
    [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])],
)
def test_each_shell_reads_its_script(
    shell: str, reads: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    complete.print_script(shell)
    script = tmp_path / shell
    script.write_text(text := capsys.readouterr().out)
    assert "@ASK@" not in text
    assert sys.executable in text
    if shutil.which(reads[0]):
        assert subprocess.run([*reads, script]).returncode == 0


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="no completion for 'ksh'"):
        complete.print_script("ksh")
