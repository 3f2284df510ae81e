"""What people install: one wheel, built from the sources and from an sdist of them, in an environment of its own.

Its dependencies are those of the environment that runs the tests, so nothing is downloaded but what builds a wheel. With
all that pip installs, and on other systems, it is in `packages/test_fresh_systems.py`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import LABS, REPOSITORY, SITE, need_root

FIRST = SITE.course()[0][0].name
Done = subprocess.CompletedProcess[str]


def run(*words: str | Path, cwd: Path, **env: str) -> Done:
    """A command as a user has it: nothing of this checkout is in its environment."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SOURCE_DATE_EPOCH")
    }
    return subprocess.run(words, cwd=cwd, env={**kept, **env}, capture_output=True, text=True)


def must(*words: str | Path, cwd: Path, **env: str) -> str:
    done = run(*words, cwd=cwd, **env)
    assert done.returncode == 0, f"{words} exited {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def sources(folder: Path) -> Path:
    """What is in the repository, as somebody with a strict umask has it, and what an earlier build left."""
    listed = must("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=REPOSITORY)
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file() and not name.startswith(".venv"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
            (folder / name).chmod(
                0o700 if os.access(folder / name, os.X_OK) and name != "README.md" else 0o600
            )
    stale = folder / "build/lib/srv6lab/left_over.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    return folder


@dataclass(frozen=True)
class Built:
    """The wheel of the sources, that of their sdist, and an environment in which the first is installed."""

    wheel: Path
    again: Path
    bin: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("wheel")
    venv, here = folder / "venv", sources(folder / "source")
    python = venv / "bin/python"
    must(sys.executable, "-m", "venv", venv, cwd=folder)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--no-input")
    must(*pip, "install", "--quiet", "--no-build-isolation", "--upgrade", build_requirement(), cwd=folder)
    wheel = (*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
    must(*wheel, folder / "one", here, cwd=folder)
    must(python, "-c", "from setuptools.build_meta import build_sdist; build_sdist('..')", cwd=here)
    (sdist,) = folder.glob("*.tar.gz")
    must("sh", "-c", f"umask 077; exec {' '.join(map(str, wheel))} two {sdist}", cwd=folder)
    (one,), (two,) = folder.glob("one/*.whl"), folder.glob("two/*.whl")
    must(*pip, "install", "--quiet", "--no-deps", "--no-index", one, cwd=folder)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return Built(one, two, venv / "bin")


def build_requirement() -> str:
    found = re.search(r'requires = \["(.*?)"', (REPOSITORY / "pyproject.toml").read_text())
    assert found
    return found[1]


def test_it_is_the_same_bytes_twice(built: Built) -> None:
    """From the sources and from their sdist, whatever the umask, the folder and the hour."""
    one, two = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (built.wheel, built.again))
    assert one == two, differing(built.wheel, built.again)


def differing(one: Path, two: Path) -> list[str]:
    with zipfile.ZipFile(one) as a, zipfile.ZipFile(two) as b:
        return [
            name
            for name in sorted({*a.namelist(), *b.namelist()})
            if name not in a.namelist()
            or name not in b.namelist()
            or a.read(name) != b.read(name)
            or a.getinfo(name).external_attr != b.getinfo(name).external_attr
        ]


def test_it_has_what_labs_need_and_no_test(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        modes = {one.filename: one.external_attr >> 16 & 0o777 for one in archive.infolist()}
    share = "srv6lab/share"
    assert {f"{share}/labs/{lab}/topology.yml" for lab in LABS} < modes.keys()
    tracked = must("git", "ls-files", "templates", "labs", cwd=REPOSITORY).split()
    assert {f"{share}/{name}" for name in tracked} < modes.keys()
    for name in ("share/tasks.py", "share/Vagrantfile.j2", "srconf/srproxy.bpf.o", "cli/completion/bash"):
        assert modes[f"srv6lab/{name}"] == 0o644
    assert modes["srv6lab/srconf/srconf"] == 0o755
    assert [
        name
        for name in modes
        if re.search(r"(^|/)(tests?|conftest\.py|test_[^/]*)(/|$)|left_over\.py|\.pyc$", name)
    ] == []
    assert built.wheel.stat().st_size < 2_000_000


@pytest.fixture
def srv6lab(built: Built, tmp_path: Path) -> str:
    assert (built.bin / "srv6lab").exists()
    return str(built.bin / "srv6lab")


def test_a_lab_runs_from_an_empty_folder(srv6lab: str, tmp_path: Path) -> None:
    """Nothing of a checkout is near, and nothing is left in the folder."""
    need_root()
    empty, state = (
        tmp_path / "empty",
        {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    empty.mkdir()
    try:
        said = must(srv6lab, "up", FIRST, cwd=empty, **state)
        assert f"srv6lab check lab={FIRST}" in said
        assert f"Its packets: {tmp_path}/state/srv6lab/labs/{FIRST}/captures" in said
        assert must(srv6lab, "check", FIRST, cwd=Path("/"), **state).rstrip().endswith("pass")
        own = tmp_path / "my-labs"
        must(srv6lab, "init", own, cwd=empty, **state)
        wrong = run(srv6lab, "check", FIRST, cwd=own, **state)
        assert (wrong.returncode, "elsewhere: cd /, and type" in wrong.stderr) == (3, True)
    finally:
        said = must(srv6lab, "destroy", FIRST, "--purge", cwd=empty, **state)
    assert said == f"{FIRST} is gone\n"
    assert list(empty.iterdir()) == []


def test_a_folder_of_ones_own_runs_by_both_programs(srv6lab: str, tmp_path: Path) -> None:
    need_root()
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    made = must(srv6lab, "init", "my-labs", cwd=tmp_path, **state).split()
    (lab,) = (Path(one).parent.name for one in made if one.endswith("topology.yml"))
    own = tmp_path / "my-labs"
    invoke = [srv6lab.replace("/srv6lab", "/python"), "-m", "invoke"]
    try:
        assert f"invoke check lab={lab}" in must(*invoke, "up", f"lab={lab}", cwd=own, **state)
        assert must(srv6lab, "check", lab, cwd=own / "labs", **state).rstrip().endswith("pass")
    finally:
        must(srv6lab, "destroy", lab, cwd=own, **state)
    assert (own / ".srv6lab" / lab / "runs").is_dir()
