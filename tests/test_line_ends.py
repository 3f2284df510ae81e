"""Files have Unix's line ends, also in a clone on Windows: Vagrant hands Day0 to a shell of Linux."""

from __future__ import annotations

import re
import subprocess

from tests.conftest import REPOSITORY

# How git lists a file: its line ends in the index and in the work tree, and what its attributes say.
LISTED = re.compile(r"i/(\S*) +w/(\S*) +attr/(.*?) *\t(.*)")


def listed() -> list[tuple[str, str, str, str]]:
    words = ["git", "ls-files", "--eol"]
    said = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return [match.groups() for match in map(LISTED.fullmatch, said.splitlines()) if match]  # type: ignore[misc]


def test_every_file_is_checked_out_with_unix_line_ends() -> None:
    files = listed()
    assert {name for *_, name in files} >= {"tasks.py", "Vagrantfile.j2", ".gitattributes"}
    assert {said for index, _, said, _ in files if index in ("lf", "none")} == {"text=auto eol=lf"}


def test_what_has_other_line_ends_is_left_as_it_is() -> None:
    assert {said for index, _, said, _ in listed() if index not in ("lf", "none")} == {"-text"}
