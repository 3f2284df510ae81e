"""The Makefile and the setup script, where nothing has to be installed: a clone whose .venv looks ready.

What they do on a machine that lacks everything is in test_first_run.py.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

Done = subprocess.CompletedProcess[str]

REPO = Path(__file__).resolve().parents[1]


def run(*command: str | Path, cwd: Path = REPO, env: dict[str, str] | None = None) -> Done:
    """Runs a command to its end, its output and errors in one text."""
    null, pipe, one = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
    return subprocess.run(command, cwd=cwd, env=env, text=True, stdin=null, stdout=pipe, stderr=one)


@pytest.fixture
def ready_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SRV6LAB_VERSIONS", raising=False)
    clone = tmp_path / "a clone"
    (clone / "scripts").mkdir(parents=True)
    (clone / ".venv/bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "scripts/setup", "scripts/apt-suite"):
        shutil.copy(REPO / name, clone / name)
    shutil.copytree(REPO / "locks", clone / "locks")
    (clone / ".venv/bin/python").symlink_to(sys.executable)
    invoke = clone / ".venv/bin/invoke"
    invoke.write_text("""#!/bin/sh\nfor word; do printf '<%s>' "$word"; done\n""")
    invoke.chmod(0o755)
    requirements = re.split(r"^\[tool\.", (clone / "pyproject.toml").read_text(), flags=re.MULTILINE)[0]
    versions = "".join(path.read_text() for path in sorted(clone.glob("locks/*.txt")))
    (clone / ".venv/.ready-lab").write_text(f"{clone}\n{requirements}{versions}")
    return clone


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip, to copy: nothing may be installed into the one that runs the tests."""
    path = tmp_path_factory.mktemp("venv") / "venv"
    assert run(sys.executable, "-m", "venv", path).returncode == 0
    return path


def made_already(venv: Path) -> str:
    """A Python whose `-m venv --clear .venv` is a copy: making one anew takes seconds, and is in test_first_run.py."""
    python, real = venv.with_name("python"), shlex.quote(sys.executable)
    copy = f"rm -rf .venv; exec cp -a {shlex.quote(str(venv))} .venv"
    shell_stub(python, f'[ "$*" != "-m venv --clear .venv" ] || {{ {copy}; }}\nexec {real} "$@"')
    return str(python)


def make_stale(clone: Path) -> None:
    """The stamp is older than pyproject.toml, as after a checkout."""
    os.utime(clone / ".venv/.ready-lab", (1e9, 1e9))


def make(clone: Path, *words: str, **env: str) -> Done:
    return run("make", *words, cwd=clone, env=os.environ | env)


@pytest.mark.parametrize("task", ["up", "check", "destroy"])
@pytest.mark.parametrize(
    "lab",
    [
        "plain",
        "two words",
        "a; touch injected",
        "$(touch injected) `touch injected`",
        "$(shell touch injected)",
        "$(error injected)",
        "'\"; touch injected #",
        "--help",
        "$$ $HOME \\ *",
    ],
)
def test_make_hands_on_the_name_and_runs_nothing_of_it(ready_clone: Path, task: str, lab: str) -> None:
    done = make(ready_clone, task, f"lab={lab}")
    assert (done.returncode, done.stdout) == (0, f"<{task}><lab={lab}>")
    assert not (ready_clone / "injected").exists()


def test_make_runs_nothing_of_a_name_in_the_environment(ready_clone: Path) -> None:
    done = make(ready_clone, "up", lab="$(shell touch injected)`touch injected`")
    assert done.stdout == "<up><lab=$(shell touch injected)`touch injected`>"
    assert not (ready_clone / "injected").exists()


@pytest.mark.parametrize(
    ("target", "option"), [("prove", "part"), ("e2e-vagrant", "provider")], ids=["prove", "e2e-vagrant"]
)
@pytest.mark.parametrize(
    "text", ["$(touch injected)", "$(shell touch injected)", "a; touch injected", "'\"`touch injected`"]
)
def test_make_runs_nothing_of_its_other_options(
    ready_clone: Path, target: str, option: str, text: str
) -> None:
    told = ready_clone / "told"
    (ready_clone / ".venv/bin/python").unlink()
    (ready_clone / ".venv/bin/python").write_text(
        f'#!/bin/sh\nfor word; do :; done; printf %s "$word" >"{told}"\n'
    )
    (ready_clone / ".venv/bin/python").chmod(0o755)
    for kind in ("test", "prove", "e2e"):
        shutil.copy(ready_clone / ".venv/.ready-lab", ready_clone / f".venv/.ready-{kind}")
    assert make(ready_clone, target, f"{option}={text}", "lab=x").returncode == 0
    assert told.read_text() == text
    assert not (ready_clone / "injected").exists()


def test_make_without_a_name_says_which_there_are(ready_clone: Path) -> None:
    (ready_clone / "labs/mine").mkdir(parents=True)
    (ready_clone / "labs/mine/topology.yml").touch()
    done = make(ready_clone, "up")
    assert done.returncode != 0
    assert done.stdout.startswith("Which lab? Add lab=NAME, one of: mine\n")


def test_make_alone_lists_every_target(ready_clone: Path) -> None:
    listed = re.findall(r"^  make ([\w-]+)", make(ready_clone).stdout, re.MULTILINE)
    assert listed == [
        "help",
        "setup",
        "up",
        "check",
        "destroy",
        "test",
        "lint",
        "prove",
        "site",
        "packages",
        "image",
        "sbom",
        "e2e-vagrant",
    ]


def test_a_second_make_does_nothing_but_the_task(ready_clone: Path) -> None:
    for _ in range(2):
        assert make(ready_clone, "up", "lab=x").stdout == "<up><lab=x>"


def test_touched_pyproject_installs_nothing(ready_clone: Path) -> None:
    """A checkout touches files; with no network that must not matter."""
    make_stale(ready_clone)
    done = make(ready_clone, "up", "lab=x", PIP_INDEX_URL="http://127.0.0.1:1/", PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stdout
    assert "setup: Python packages: all there" in done.stdout
    assert "pip install" not in done.stdout


@pytest.mark.parametrize("damage", ["requirement", "version", "moved", "python", "interrupted"])
def test_setup_notices_what_it_has_to_mend(ready_clone: Path, venv: Path, damage: str) -> None:
    """Each is mended by an installation, which is seen here by its refusal to run without a package index."""
    (ready_clone / ".venv/bin/python").unlink()
    shutil.copytree(venv, ready_clone / ".venv", symlinks=True, dirs_exist_ok=True)
    if damage == "requirement":
        pyproject = ready_clone / "pyproject.toml"
        pyproject.write_text(pyproject.read_text().replace('"invoke', '"no-such-package", "invoke'))
        make_stale(ready_clone)
    elif damage == "version":
        (ready_clone / "locks/lab.txt").write_text(f"invoke==0.0 --hash=sha256:{'0' * 64}\n")
        make_stale(ready_clone)
    elif damage == "moved":
        ready_clone = ready_clone.rename(ready_clone.with_name("elsewhere"))
    elif damage == "python":
        (ready_clone / ".venv/bin/python").unlink()
        (ready_clone / ".venv/bin/python").symlink_to("/nonexistent/python3")
    else:
        (ready_clone / ".venv/.ready-lab").unlink()
        (ready_clone / ".venv/.unfinished").touch()
    python = made_already(venv)
    nothing = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}
    done = make(ready_clone, "up", "lab=x", PYTHON=python, **nothing)
    assert done.returncode != 0
    assert "<up>" not in done.stdout
    assert "setup: pip could not install them (above)" in done.stdout
    assert (ready_clone / ".venv/.unfinished").exists()
    assert not (ready_clone / ".venv/.ready-lab").exists()
    assert ("making .venv" in done.stdout) == (damage in ("python", "interrupted"))


PIP = """#!/bin/sh
case "$*" in
*"pip install"*) echo "installs $*"; cat .venv/.constraints 2>/dev/null || true ;;
esac
"""


def installs(clone: Path, **env: str) -> list[str]:
    """The words with which pip is called, and its constraints, in lines."""
    (clone / ".venv/bin/python").unlink()
    (clone / ".venv/bin/python").write_text(PIP)
    (clone / ".venv/bin/python").chmod(0o755)
    (clone / ".venv/.ready-lab").unlink()
    done = run("scripts/setup", "lab", cwd=clone, env=os.environ | env)
    assert done.returncode == 0, done.stdout
    return done.stdout[done.stdout.index("installs ") :].splitlines()[:-1]


def test_pip_is_held_to_the_hashes_of_the_locks(ready_clone: Path) -> None:
    locked, ours = installs(ready_clone)
    assert locked.endswith("--require-hashes -r locks/build.txt -r locks/lab.txt")
    assert ours.endswith("--no-deps --no-build-isolation -e .")


LOCKS = {path.stem: path.read_text() for path in REPO.glob("locks/*.txt")}
HASHES = re.compile(r"(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n")


def locked(text: str) -> list[Requirement]:
    """A lock's packages; each has the hashes of its files."""
    packages = HASHES.split(text)
    assert packages.pop() == ""
    return [Requirement(one) for one in packages]


def test_every_dependency_has_both_bounds_and_locked_versions_between_them() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    for name, texts in {"lab": project["dependencies"], **project["optional-dependencies"]}.items():
        listed = [*locked(LOCKS["lab"]), *locked(LOCKS[name])]
        for text in texts:
            requirement = Requirement(text)
            assert {one.operator for one in requirement.specifier} == {">=", "<"}, text
            mine = [
                one for one in listed if canonicalize_name(one.name) == canonicalize_name(requirement.name)
            ]
            assert mine, f"{text}: scripts/lock"
            assert all(str(one.specifier)[2:] in requirement.specifier for one in mine), text


def test_locks_agree_and_name_no_index() -> None:
    """And whatever two groups have in common is the same in both, so that they go into one .venv."""
    assert not re.search("://|index-url|@", "".join(LOCKS.values()))
    versions: dict[tuple[str, str], set[str]] = {}
    for one in chain(*map(locked, LOCKS.values())):
        versions.setdefault((one.name, str(one.marker)), set()).add(str(one.specifier))
    assert {name: some for name, some in versions.items() if len(some) > 1} == {}


def a_wheel(folder: Path) -> Path:
    """A package that pip can install: `small` 1."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "small-1-py3-none-any.whl", "w") as out:
        out.writestr("small.py", "")
        out.writestr("small-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1\n")
        out.writestr(
            "small-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        out.writestr("small-1.dist-info/RECORD", "")
    return folder / "small-1-py3-none-any.whl"


@pytest.mark.parametrize("changed", [False, True], ids=["as it was locked", "changed since"])
def test_a_file_with_another_hash_is_refused(
    ready_clone: Path, venv: Path, tmp_path: Path, changed: bool
) -> None:
    wheel = a_wheel(tmp_path / "wheels")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (ready_clone / "locks/build.txt").write_text("")
    (ready_clone / "locks/lab.txt").write_text(f"small==1 --hash=sha256:{digest}\n")
    if changed:
        with zipfile.ZipFile(wheel, "a") as out:
            out.writestr("more.py", "")
    (ready_clone / ".venv/bin/python").unlink()
    shutil.copytree(venv, ready_clone / ".venv", symlinks=True, dirs_exist_ok=True)
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent), "PIP_CONFIG_FILE": "/dev/null"}
    done = run("scripts/setup", "lab", cwd=ready_clone, env=os.environ | env)
    assert done.returncode == 3  # this clone has nothing of srv6lab to be installed
    assert ("DO NOT MATCH THE HASHES" in done.stdout) == changed
    assert ("Successfully installed small-1" in done.stdout) != changed


def test_the_oldest_are_the_lower_bounds(ready_clone: Path) -> None:
    _, *versions = installs(ready_clone, SRV6LAB_VERSIONS="oldest")
    listed = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["dependencies"]
    assert versions == [re.sub(">=(.*),.*", r"==\1", text) for text in listed]


def test_the_newest_are_asked_for(ready_clone: Path) -> None:
    words, *versions = installs(ready_clone, SRV6LAB_VERSIONS="newest")
    assert "--upgrade --upgrade-strategy eager -e ." in words
    assert versions == ["# the newest that pyproject.toml allows"]


def test_other_versions_are_refused(ready_clone: Path) -> None:
    done = run("scripts/setup", "lab", cwd=ready_clone, env=os.environ | {"SRV6LAB_VERSIONS": "latest"})
    assert done.returncode == 1
    assert done.stdout == "setup: SRV6LAB_VERSIONS is newest, oldest or nothing, not latest\n"


def tools(folder: Path, *names: str) -> str:
    """A PATH with only the named tools and what the setup script itself is made of."""
    folder.mkdir()
    for name in ("sh", "sed", "dirname", "id", "cut", "tr", "cmp", "touch", "cat", "rm", "grep", *names):
        (folder / name).symlink_to(shutil.which(name) or "/bin/true")
    return str(folder)


def shell_stub(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def setup_with(clone: Path, path: str, *words: str) -> Done:
    """scripts/setup where PATH is all there is: the folders of root's tools, which it adds, are taken out."""
    script = clone / "scripts/setup"
    script.write_text(script.read_text().replace("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n", ""))
    return run("/bin/sh", script, *(words or ["lab"]), cwd=clone, env={"PATH": path})


def test_old_python_is_refused_with_its_version(ready_clone: Path, tmp_path: Path) -> None:
    path = tools(tmp_path / "bin")
    shell_stub(tmp_path / "bin/python3", 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    done = setup_with(ready_clone, path)
    assert done.returncode == 3
    assert "srv6lab needs Python 3.11 or newer; here is only: python3 (Python 3.9.2)" in done.stdout


def test_named_python_that_is_absent_is_refused(ready_clone: Path) -> None:
    done = run("scripts/setup", "lab", cwd=ready_clone, env=os.environ | {"PYTHON": "python0.1"})
    assert done.returncode == 3
    assert "here is only: no python0.1" in done.stdout


# What a lab needs but for tcpdump and tshark.
OTHERS = ("bash", "nsenter", "ip", "tc", "ping", "nft", "iptables", "suricata")


def test_without_apt_each_package_is_named_with_its_purpose(ready_clone: Path, tmp_path: Path) -> None:
    path = tools(tmp_path / "bin", *OTHERS)
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    done = setup_with(ready_clone, path)
    assert done.returncode == 3
    assert re.search(r"^ +tshark +reads the captures back$", done.stdout, re.MULTILINE)
    assert re.search(r"^ +tcpdump +one capture for each NIC$", done.stdout, re.MULTILINE)
    assert "iproute2" not in done.stdout
    assert "this machine has no apt" in done.stdout


def test_packages_alone_are_those_that_are_named(ready_clone: Path, tmp_path: Path) -> None:
    """And of those the missing ones, with no .venv."""
    path = tools(tmp_path / "bin", *OTHERS)
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    done = setup_with(ready_clone, path, "packages", "iproute2", "tshark")
    assert done.returncode == 3
    assert "tshark " in done.stdout
    assert "tcpdump" not in done.stdout
    done = setup_with(ready_clone, path, "packages", "iproute2")
    assert (done.returncode, done.stdout) == (0, "setup: system packages: all there\n")


def test_without_root_the_command_to_type_is_printed(ready_clone: Path, tmp_path: Path) -> None:
    path = tools(tmp_path / "bin", *OTHERS, "apt-get")
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    (tmp_path / "bin/id").unlink()
    shell_stub(tmp_path / "bin/id", "echo 1000")
    done = setup_with(ready_clone, path)
    assert done.returncode == 3
    assert "apt-get update && apt-get install tcpdump tshark mmdebstrap\n" in done.stdout


ONE_LINE = """\
# deb http://commented.example/ a-suite main
deb [arch=amd64 signed-by=/usr/share/key.gpg] http://one.example/debian a-suite main contrib # why
deb-src http://one.example/debian a-suite main
deb cdrom:[A disc]/ a-suite main
deb http://security.example/ a-suite-security main
deb http://one.example/debian another main
"""
DEB822 = """\
# The mirror
Types: deb deb-src
URIs: http://many.example/debian
Suites: a-suite a-suite-updates a-suite-backports
# in the middle
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 key

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: a-suite
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: a-suite
Components: main
"""


def apt_folder(folder: Path) -> dict[str, str]:
    (folder / "sources.list.d").mkdir(parents=True)
    (folder / "sources.list").write_text(ONE_LINE)
    (folder / "sources.list.d/debian.sources").write_text(DEB822)
    return os.environ | {"APT_DIR": str(folder)}


ANSWER = """\
Types: deb
URIs: http://one.example/debian
Suites: b-suite
Components: main contrib
Architectures: amd64
Signed-By: /usr/share/key.gpg

Types: deb
Suites: b-suite
URIs: http://many.example/debian
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 key
"""


def test_suite_is_changed_in_both_formats(tmp_path: Path) -> None:
    done = run("scripts/apt-suite", "a-suite", "b-suite", env=apt_folder(tmp_path / "apt"))
    assert (done.returncode, done.stdout) == (0, ANSWER)


def test_family_of_suites_comes_along_but_for_backports(tmp_path: Path) -> None:
    done = run("scripts/apt-suite", "--family", "a-suite", "b-suite", env=apt_folder(tmp_path / "apt"))
    suites = re.findall(r"^Suites: (.*)", done.stdout, re.MULTILINE)
    assert suites == ["b-suite", "b-suite-security", "b-suite b-suite-updates"]


def test_suite_that_nothing_has_is_an_error(tmp_path: Path) -> None:
    done = run("scripts/apt-suite", "c-suite", "b-suite", env=apt_folder(tmp_path / "apt"))
    assert (done.returncode, done.stdout) == (1, "")
