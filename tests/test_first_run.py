"""The first run, as a newcomer has it: a minimal Debian, a fresh clone, the README's commands.

Each Debian is a chroot with git, python3 and make and nothing else, in its own mount and PID namespaces. It
uses this machine's kernel, mirrors, certificates and pip settings, whatever they are. It refuses to guess a
mirror: a machine without apt sources of its own can't run this.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Done = subprocess.CompletedProcess[str]

REPO = Path(__file__).resolve().parents[1]
RELEASES = {"12": "bookworm", "13": "trixie"}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "srv6lab" / "first-run"

# A chroot whose mirror hangs must not hang the tests.
PATIENCE = 1800.0

# Set inside the chroots, whose own `make test` must not build further ones.
INSIDE = "SRV6LAB_FIRST_RUN"

inside = INSIDE in os.environ
needs_machine = pytest.mark.skipif(
    inside or os.geteuid() != 0,
    reason="is inside a first-run chroot" if inside else "chroots need root: sudo make test",
)


def run(*command: str | Path, env: dict[str, str] | None = None) -> Done:
    """Runs a command to its end, its output and errors in one text."""
    null, pipe, one = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
    return subprocess.run(
        command, cwd=REPO, env=env, text=True, stdin=null, stdout=pipe, stderr=one, timeout=PATIENCE
    )


def must(*command: str | Path) -> str:
    """The same, for steps that are no test: a failure shows what the command printed."""
    done = run(*command)
    assert done.returncode == 0, f"{' '.join(map(str, command))} exited {done.returncode}:\n{done.stdout}"
    return done.stdout


def snapshot(target: Path) -> None:
    """A bare repository with the work tree as it stands, so that what is being written is what is tested."""
    must("git", "init", "--quiet", "--bare", "--initial-branch=main", target)
    git = ("git", f"--git-dir={target}", f"--work-tree={REPO}")
    must(*git, "add", "--all")
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    must(*git, *author, "commit", "--quiet", "--message", "The work tree")
    must("git", f"--git-dir={target}", "config", "core.bare", "true")


def host_codename() -> str:
    text = Path("/etc/os-release").read_text()
    found = re.search(r"^VERSION_CODENAME=(\w+)", text, re.MULTILINE)
    assert found, "/etc/os-release names no release: this needs a Debian to copy the apt sources from"
    return found[1]


def minimal_debian(codename: str) -> Path:
    """The tar of a Debian with git, python3 and make, built once a week and user."""
    tar = CACHE / f"{codename}.tar"
    if tar.exists() and time.time() - tar.stat().st_mtime < 7 * 86400:
        return tar
    CACHE.mkdir(parents=True, exist_ok=True)
    sources = CACHE / f"{codename}.sources"
    sources.write_text(must("scripts/apt-suite", "--family", host_codename(), codename))
    unfinished = CACHE / f"{codename}.{os.getpid()}.tar"
    mmdebstrap = ("mmdebstrap", "--quiet", "--variant=minbase", "--include=git,python3,make")
    options = [f"--aptopt={line}" for line in must("apt-config", "dump").splitlines() if is_network(line)]
    must(*mmdebstrap, *options, codename, unfinished, sources)
    return unfinished.rename(tar)


def is_network(line: str) -> bool:
    """Whether a line of `apt-config dump` says how to reach the mirror, or how far to trust its dates."""
    return re.match(r'Acquire::(https?|Check|Retries|ForceIPv)\S* "', line) is not None


# What tells programs of this machine how to reach the network; a chroot is given the same.
HOST_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/pip.conf",
    "/root/.config/pip/pip.conf",
    "/root/.pip/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    *map(str, Path("/usr/local/share/ca-certificates").rglob("*.crt")),
)
HOST_VARIABLES = re.compile(
    r"(PIP|UV)_\w+|(https?|ftp|no|all)_proxy|(SSL_CERT|GIT_SSL|CURL_CA|REQUESTS_CA)_\w+", re.IGNORECASE
)


def pip_folders() -> list[Path]:
    """Folders of packages that this machine's pip is told to look into; an index has its files beside it."""
    settings = must(sys.executable, "-m", "pip", "config", "list")
    words = (Path(word) for word in re.findall(r"(?:file://)?(/[^\s'\"]+)", settings))
    return sorted({word.parent if word.name == "simple" else word for word in words if word.is_dir()})


@dataclass(frozen=True, slots=True)
class Chroot:
    """A throwaway Debian; everything that a command in it starts ends with the command's namespaces."""

    root: Path
    cache: Path

    def prepare(self, tar: Path, source: Path, to: str = "srv/srv6lab.git") -> None:
        self.root.mkdir()
        must("tar", "--extract", "--numeric-owner", "--xattrs", "--file", tar, "--directory", self.root)
        for name in HOST_FILES:
            if Path(name).exists():
                target = self.root / name[1:]
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, target)
        shutil.copytree(source, self.root / to)
        for folder in self.mounts().values():
            folder.mkdir(parents=True, exist_ok=True)

    def mounts(self) -> dict[Path, Path]:
        """Host folders → where the chroot sees them. Downloads are kept for the next time."""
        shared = {path: self.root / path.relative_to("/") for path in pip_folders()}
        debs, wheels = self.cache / f"debs-{self.root.name}", self.cache / "pip"
        for path in (debs / "partial", wheels):
            path.mkdir(parents=True, exist_ok=True)
        return shared | {debs: self.root / "var/cache/apt/archives", wheels: self.root / "root/.cache/pip"}

    def run(self, *script: str) -> Done:
        """Runs shell lines up to the first that fails.

        The chroot is a mount, as every real machine's root is: else nothing in it could pivot_root.
        """
        root = self.root
        binds = [f"mount --bind {host} {target}" for host, target in self.mounts().items()]
        outside = [
            f"mount --bind {root} {root}",
            *binds,
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /sys {root}/sys",
            f"mount --rbind /dev {root}/dev",
            f"mount -t tmpfs tmpfs {root}/run",
            f"cd {root} && exec chroot . /bin/sh -euxc '{chr(10).join(script)}'",
        ]
        # Another session's chroot of this release waits: apt refuses to share its folder of packages.
        alone = ("flock", "--no-fork", self.cache / f"debs-{root.name}")
        namespaces = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
        return run(*alone, *namespaces, "/bin/sh", "-euc", "\n".join(outside), env=self.environment())

    def environment(self) -> dict[str, str]:
        handed_on = {name: value for name, value in os.environ.items() if HOST_VARIABLES.fullmatch(name)}
        return handed_on | {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "TERM": os.environ.get("TERM", "dumb"),
            INSIDE: "1",
        }


def readme_commands() -> list[str]:
    """The README's first block of commands, but for the clone, whose address is another here."""
    block = re.search(r"^```\w*\n(.*?)^```", (REPO / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block, "the README has no block of commands"
    return [line for line in block[1].splitlines() if not line.startswith(("git clone", "cd "))]


def readme_lab() -> str:
    return next(line.partition("lab=")[2] for line in readme_commands() if line.startswith("make up"))


CLONE = ("cd /opt", "git clone --quiet /srv/srv6lab.git", "cd srv6lab")
TESTS = "make test"


def test_readme_begins_with_one_command_and_its_check() -> None:
    lab = readme_lab()
    assert readme_commands()[:2] == [f"make up lab={lab}", f".venv/bin/invoke check lab={lab}"]


@pytest.fixture(scope="module")
def chroots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Chroot]]:
    """Makes chroots, and takes them away at the end."""
    made: list[Path] = []

    def make(release: str) -> Chroot:
        folder = tmp_path_factory.mktemp(f"debian{release}")
        made.append(folder)
        snapshot(folder / "source.git")
        chroot = Chroot(folder / RELEASES[release], CACHE)
        chroot.prepare(minimal_debian(RELEASES[release]), folder / "source.git")
        return chroot

    yield make
    for folder in made:
        shutil.rmtree(folder)


def other_releases() -> list[Any]:
    """All releases: `make test` has those that this machine doesn't run itself, `make prove` all."""
    system = Path("/etc/os-release")
    here = system.read_text() if system.exists() else ""
    marks = {release: [pytest.mark.prove] for release, name in RELEASES.items() if f"={name}\n" in here}
    return [pytest.param(release, marks=marks.get(release, [])) for release in RELEASES]


@pytest.mark.first_run
@needs_machine
@pytest.mark.parametrize("release", other_releases())
def test_readme_commands_on_a_minimal_debian(release: str, chroots: Callable[[str], Chroot]) -> None:
    quick = [command for command in readme_commands() if command != TESTS]
    done = chroots(release).run(*CLONE, *quick, f".venv/bin/invoke destroy lab={readme_lab()}")
    assert done.returncode == 0, f"Debian {release} exited {done.returncode}:\n{done.stdout[-20_000:]}"
    before_install = done.stdout[: done.stdout.index("apt-get install")]
    named = set(re.findall(r"^ +([a-z0-9-]+)  +\w", before_install, re.MULTILINE))
    assert {"python3-venv", "tshark", "tcpdump"} <= named


@pytest.mark.prove
@pytest.mark.first_run
@needs_machine
@pytest.mark.parametrize("release", RELEASES)
def test_make_test_on_a_minimal_debian(release: str, chroots: Callable[[str], Chroot]) -> None:
    done = chroots(release).run(*CLONE, TESTS)
    assert done.returncode == 0, f"Debian {release} exited {done.returncode}:\n{done.stdout[-20_000:]}"
    assert re.search(r"^=+ .*\d+ passed.* =+$", done.stdout, re.MULTILINE), "pytest's closing line is missing"
