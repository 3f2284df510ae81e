"""`invoke render`: what it writes, what it refuses, what `--check` says; the same bytes on any system."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check_rendered
from srv6lab.errors import DriftError, MachineError, UsageError
from srv6lab.render import files as rendered
from srv6lab.render.files import Files
from srv6lab.render.targets import TARGETS, target
from srv6lab.render.vagrant import VAGRANTFILE, vagrant
from tests.conftest import LABS, REPOSITORY, SITE
from tests.in_process import Typed
from tests.small import SMALL, planned

FILES: Files = {"day0/gate.sh": "one\ntwo\n", "srconf/bits.o": b"\0\xff", "top": "é→\n"}
NAME = LABS[0]


def differences(files: Files, folder: Path) -> str:
    return "".join(rendered.differences(files, folder))


def test_what_is_written_stands_there_byte_for_byte(tmp_path: Path) -> None:
    paths = rendered.write(FILES, tmp_path / "new" / "folder")
    assert [path.relative_to(tmp_path / "new" / "folder").as_posix() for path in paths] == list(FILES)
    assert [path.read_bytes() for path in paths] == [b"one\ntwo\n", b"\0\xff", "é→\n".encode()]
    assert differences(FILES, tmp_path / "new" / "folder") == ""


def test_writing_again_changes_nothing_and_leaves_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        rendered.write(FILES, tmp_path)
        assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
            "bits.o",
            "gate.sh",
            "top",
        ]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "day0").mkdir()
    (tmp_path / "day0" / "gone.sh").write_text("x")
    (tmp_path / "captures").mkdir()
    rendered.write(FILES, tmp_path)
    assert rendered.leftovers(FILES, tmp_path) == [tmp_path / "day0" / "gone.sh"]
    assert (tmp_path / "day0" / "gone.sh").read_text() == "x"


def test_a_folder_in_a_rendered_folder_is_no_leftover(tmp_path: Path) -> None:
    files = {"agent/one.py": "1\n", "agent/inside/two.py": "2\n"}
    rendered.write(files, tmp_path)
    assert rendered.leftovers(files, tmp_path) == [] == [*rendered.differences(files, tmp_path)]
    (tmp_path / "agent" / "else").mkdir()
    assert rendered.leftovers(files, tmp_path) == [tmp_path / "agent" / "else"]


@pytest.mark.parametrize("link", ["day0", "top"])
def test_a_symbolic_link_is_not_followed(link: str, tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    elsewhere.mkdir()
    folder.mkdir()
    (folder / link).symlink_to(elsewhere if link == "day0" else elsewhere / "file")
    with pytest.raises(UsageError, match="is a symbolic link"):
        rendered.write(FILES, folder)
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in folder.iterdir()] == [link], "nothing is written where one file can't be"


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    rendered.write(FILES, tmp_path / "folder")
    assert (tmp_path / "real" / "top").exists()


@pytest.mark.parametrize("name", ["../top", "/etc/top", "day0/../../top", "", "."])
def test_a_path_that_leads_outside_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies outside"):
        rendered.write({name: ""}, tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "day0").write_text("a file")
    with pytest.raises(MachineError, match=r"gate\.sh can't be written"):
        rendered.write(FILES, tmp_path)
    with pytest.raises(MachineError, match=r"top can't be read: is a directory"):
        (tmp_path / "top").mkdir()
        list(rendered.differences({"top": ""}, tmp_path))


def test_a_diff_leads_from_what_stands_there_to_what_is_rendered(tmp_path: Path) -> None:
    paths = rendered.write({**FILES, "day0/gate.sh": "one\n2\n"}, tmp_path)
    assert differences(FILES, tmp_path).splitlines() == [
        f"--- {paths[0]}", f"+++ {paths[0]} (rendered)", "@@ -1,3 +1,3 @@", " one", "-2", "+two", " ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("day0/gate.sh", None, "day0/gate.sh: missing\n"),
        ("day0/old.sh", b"", "day0/old.sh: no longer rendered\n"),
        ("day0/gate.sh", b"one\r\ntwo\r\n", "day0/gate.sh: differs in its line endings only\n"),
        ("srconf/bits.o", b"\0\xfe", "srconf/bits.o: differs, and is no text\n"),
        ("top", b"\xff", "top: differs, and is no text\n"),
    ],
)
def test_what_a_diff_can_not_show_is_said(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    rendered.write(FILES, tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    assert differences(FILES, tmp_path) == f"{tmp_path}/{said}"


def test_what_lies_beside_the_rendered_files_is_no_difference(tmp_path: Path) -> None:
    rendered.write(FILES, tmp_path)
    for name in (".vagrant", "captures"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert differences(FILES, tmp_path) == ""


def test_drift_is_counted(tmp_path: Path) -> None:
    shown: list[str] = []
    with pytest.raises(DriftError, match="3 files differ") as caught:
        check_rendered(FILES, tmp_path, shown.append)
    assert (len(shown), caught.value.exit_code) == (3, 2)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(UsageError, match="no target 'kathara'"):
        target("kathara")


class TestCommand:
    def test_writes_and_prints_what_it_wrote(self, typed: Typed, tmp_path: Path) -> None:
        done = typed("render", f"lab={NAME}", "--out", str(tmp_path))
        files = vagrant(SITE.load(SITE.refer(NAME))[0])
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == [str(tmp_path / name) for name in files]
        assert differences(files, tmp_path) == ""

    def test_check_is_content_with_what_it_wrote(self, typed: Typed, tmp_path: Path) -> None:
        typed("render", NAME, "--out", str(tmp_path))
        done = typed("render", NAME, "--out", str(tmp_path), "--check")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_check_shows_a_diff_and_writes_nothing(self, typed: Typed, tmp_path: Path) -> None:
        typed("render", NAME, "--out", str(tmp_path))
        path = tmp_path / VAGRANTFILE
        path.write_text(path.read_text().replace("vb.cpus = 1", "vb.cpus = 4", 1))
        before = path.read_bytes()
        done = typed("render", NAME, "--out", str(tmp_path), "--check")
        assert done.returncode == 2
        assert "\n-      vb.cpus = 4\n+      vb.cpus = 1\n" in done.stdout
        assert "error: 1 file differs" in done.stderr
        assert path.read_bytes() == before

    def test_check_of_a_folder_that_is_not_there(self, typed: Typed, tmp_path: Path) -> None:
        done = typed("render", NAME, "--out", str(tmp_path / "none"), "--check")
        assert done.returncode == 2
        assert f"{tmp_path / 'none' / VAGRANTFILE}: missing" in done.stdout
        assert not (tmp_path / "none").exists()

    def test_a_script_of_a_node_that_is_gone_is_left_and_named(self, typed: Typed, tmp_path: Path) -> None:
        (tmp_path / "day0").mkdir()
        (tmp_path / "day0" / "gone.sh").write_text("x")
        done = typed("render", NAME, "--out", str(tmp_path))
        assert done.returncode == 0
        assert done.stderr == f"{tmp_path / 'day0' / 'gone.sh'} is not of this lab: left as it is\n"

    def test_without_a_folder_it_says_what_to_type(self, typed: Typed) -> None:
        done = typed("render", NAME)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"mend: invoke render lab={NAME} --out DIR" in done.stderr

    def test_an_unknown_target_is_refused(self, typed: Typed, tmp_path: Path) -> None:
        done = typed("render", NAME, "--out", str(tmp_path), "--target", "gns3")
        assert (done.returncode, done.stdout) == (1, "")
        assert ", ".join(TARGETS) in done.stderr

    def test_a_wrong_file_renders_nothing(self, typed: Typed, tmp_path: Path) -> None:
        topology = tmp_path / "wrong.yml"
        topology.write_text(SMALL.replace("role: host", "role: hots", 1))
        done = typed("render", str(topology), "--out", str(tmp_path / "out"))
        assert done.returncode == 2
        assert "did you mean `host`" in done.stderr
        assert not (tmp_path / "out").exists()


# What a system other than Linux doesn't have, and what no part of rendering may ask for.
ANYWHERE = """\
import hashlib, json, sys
BLOCKED = {"fcntl", "pwd", "grp", "termios", "tty", "pty", "resource", "syslog", "invoke", "pyshark", "vagrant"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked")
for name in BLOCKED & sys.modules.keys():
    del sys.modules[name]
sys.meta_path.insert(0, Blocker())
from pathlib import Path
from srv6lab.cli import tasks
from srv6lab.cli.labs import LabsFolder
from srv6lab.live import lifecycle
from srv6lab.render.targets import target
from srv6lab.render import files as rendered
site = LabsFolder(Path(sys.argv[1]))
digests = {}
for name in site.names():
    plan, _ = site.load(site.refer(name))
    files = target("vagrant")(plan)
    for path in rendered.write(files, Path(sys.argv[2]) / name):
        digests[path.relative_to(sys.argv[2]).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
print(json.dumps(digests))
late = {"srv6lab.providers.netns", "srv6lab.providers.tcpdump", "srv6lab.capture"} & sys.modules.keys()
assert not late, late
"""


def elsewhere(folder: Path, **env: str) -> dict[str, str]:
    """The digests of all labs' files, rendered by a process of its own without Unix's modules."""
    done = subprocess.run(
        [sys.executable, "-c", ANYWHERE, str(REPOSITORY), str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_same_bytes_without_unix_in_any_folder_and_with_any_hash_seed(tmp_path: Path) -> None:
    here = {
        f"{name}/{path}": hashlib.sha256(
            content if isinstance(content, bytes) else content.encode()
        ).hexdigest()
        for name in LABS
        for path, content in vagrant(SITE.load(SITE.refer(name))[0]).items()
    }
    for number, locale in enumerate(["C", "C.UTF-8", "POSIX"]):
        there = elsewhere(tmp_path / str(number), PYTHONHASHSEED=str(number), LC_ALL=locale, PYTHONUTF8="0")
        assert there == here


def test_no_line_ends_as_on_windows() -> None:
    assert not any("\r" in content for content in vagrant(planned()).values() if isinstance(content, str))
