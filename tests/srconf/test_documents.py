"""The README and the man page say what is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from srv6lab.srconf import command
from srv6lab.srconf.behaviors import BEHAVIORS
from srv6lab.srconf.parameters import form

from .chain import ROOM

README = (ROOM / "README.md").read_text(encoding="utf-8")
MANUAL = ROOM / "srconf.8"


def plain(page: Path) -> tuple[str, str]:
    """A man page as it is read, and what was complained about."""
    assert shutil.which("groff"), "groff is missing: apt-get install groff-base"
    words = ["groff", "-man", "-ww", "-Tascii", "-P-cbou", "-rLL=500n", str(page)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def test_every_behavior_and_command_is_in_the_man_page() -> None:
    text, complaints = plain(MANUAL)
    assert complaints == ""
    page = re.sub(r"\s+", " ", text)
    for behavior in BEHAVIORS:
        grammar = re.sub(r"\{.*?\}", "NEXTHOP", form(behavior))
        grammar = grammar.replace("SEGMENTSLEFT", "N").replace("SID[,SID...]", "SID[,SID...]")
        assert f" {grammar} " in page, behavior.word
    for word in command.COMMANDS:
        assert re.search(rf"\b{word}\b", page), word


def test_a_broken_man_page_is_complained_about(tmp_path: Path) -> None:
    broken = tmp_path / "broken.8"
    broken.write_text(MANUAL.read_text(encoding="utf-8") + ".XX nonsense\n", encoding="utf-8")
    assert "XX" in plain(broken)[1]


@pytest.mark.parametrize("document", ["README.md", "srconf.8"])
def test_no_document_names_a_behavior_that_is_not_there(document: str) -> None:
    text = (ROOM / document).read_text(encoding="utf-8")
    words = set(re.findall(r"\bend\.[a-z]+[0-9]?\b", text))
    assert words <= {behavior.word for behavior in BEHAVIORS}
    assert document == "srconf.8" or words == {behavior.word for behavior in BEHAVIORS} - {"end"}


def test_every_test_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    there = {
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - there == set()
    assert len(named) > 20


def test_readme_commands_are_those_of_the_program() -> None:
    listed = set(re.findall(r"^\| `srconf localsid ([a-z-]+)", README, re.MULTILINE))
    assert listed == set(command.COMMANDS)
