"""Packages: the same bytes twice, in Debian's places, and srconf without srv6lab."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import make_packages, manual
from srv6lab.cli.program import all_forms
from tests.conftest import REPOSITORY

MANUAL = "usr/share/man/man8/srconf.8.gz"


def must(*words: str | Path) -> str:
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, f"{words} exited {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def srconf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_packages.srconf_deb(tmp_path_factory.mktemp("deb"))


def test_srconf_is_the_same_package_twice(srconf: Path, tmp_path: Path) -> None:
    again = make_packages.srconf_deb(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(srconf.read_bytes()).digest()


def test_srconf_has_what_it_needs_and_its_manual(srconf: Path) -> None:
    listed = must("dpkg-deb", "--contents", srconf)
    names = {line.split()[5].removeprefix("./") for line in listed.splitlines()}
    assert {"usr/sbin/srconf", "usr/lib/srconf/srproxy.bpf.o", "usr/lib/srconf/command.py", MANUAL} <= names
    assert not [name for name in names if "__pycache__" in name or "srv6lab" in name]
    assert {line.split()[1] for line in listed.splitlines()} == {"root/root"}


def test_srconf_needs_the_python_that_its_readme_names() -> None:
    readme = (REPOSITORY / "srv6lab/srconf/README.md").read_text("utf-8")
    project = (REPOSITORY / "packaging/srconf/pyproject.toml").read_text("utf-8")
    named = re.search(r"Python (3\.\d+) or\s+later", readme)
    assert named and f'requires-python = ">={named[1]}"' in project
    assert "dependencies = []" in project


def test_the_manual_has_each_task_in_words_that_roff_knows(tmp_path: Path) -> None:
    page = tmp_path / "srv6lab.1"
    page.write_text(must(sys.executable, "scripts/manual.py"), "ascii")
    read = ["groff", "-man", "-Tascii", "-ww", "-P-cbou", "-rLL=200n", page]
    done = subprocess.run(read, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for name, form in all_forms().items():
        assert f"srv6lab {name}{' ' if form.options else ''}" in done.stdout
    assert "invoke" not in done.stdout


def test_a_line_of_the_manual_is_no_command_of_roff() -> None:
    assert manual.escaped(".so /etc/shadow") == "\\&.so /etc/shadow"
    assert manual.escaped("'br \\n-") == "\\&'br \\en\\-"


def test_another_word_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["make_packages.py", "srconf-rpm"])
    assert make_packages.main() == 1
    assert "no srconf-rpm; there are srconf-wheel" in capsys.readouterr().err


@pytest.mark.prove
def test_srconf_is_installed_by_pip_alone(tmp_path: Path) -> None:
    wheel = make_packages.srconf_wheel(tmp_path)
    must(sys.executable, "-m", "venv", tmp_path / "venv")
    must(tmp_path / "venv/bin/pip", "install", "--no-index", "--quiet", wheel)
    assert "end.ad4" in must(tmp_path / "venv/bin/srconf", "localsid", "help")
    assert "end.ad4" in must(tmp_path / "venv/bin/python", "-Im", "srconf", "localsid", "help")
    assert must(tmp_path / "venv/bin/pip", "list", "--format=freeze").count("srv6lab") == 0
    assert (tmp_path / "venv/share/man/man8/srconf.8").exists()
