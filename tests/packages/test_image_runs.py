"""The image, built and run by podman: labs are green in it with four capabilities, and refused with fewer."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts import make_image, make_packages
from srv6lab.host.requirements import IN_A_CONTAINER
from tests.conftest import REPOSITORY, SITE

LABS = [one.name for one in SITE.course()[0]]
FOUR = IN_A_CONTAINER.partition(": ")[2].split()
RUN = "srv6lab up {lab} && srv6lab check {lab} && srv6lab destroy {lab}"
PATIENCE = 600.0


def has_a_proxy(lab: str) -> bool:
    return "behavior: End.AD" in (REPOSITORY / "labs" / lab / "topology.yml").read_text("utf-8")


@dataclass(frozen=True)
class Engine:
    """podman with a store of its own, and no more than that asked of the machine."""

    store: Path
    image: str

    def podman(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Where this machine has the old and the new cgroups mounted, which crun refuses, podman sees the new ones."""
        own = ("unshare", "--mount", "sh", "-euc")
        cgroups = 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec "$@"'
        places = ("--root", self.store / "root", "--runroot", self.store / "run")
        told = ("--cgroup-manager", "cgroupfs", "--events-backend", "none")
        command = [*own, cgroups, "sh", "podman", *places, *told, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)

    def run(self, script: str, *options: str) -> subprocess.CompletedProcess[str]:
        # podman asks for more than a machine may have that is itself a guest; a lab needs far less.
        given = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
        alone = ("--rm", "--cgroups=disabled", "--network=none")
        return self.podman("run", *alone, *given, *options, self.image, "bash", "-c", script)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image.build(tmp_path_factory.mktemp("image"), None)


@pytest.fixture(scope="module")
def engine(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("podman"), f"localhost/srv6lab:{make_packages.version()}")
    loaded = engine.podman("load", "--input", archive)
    assert loaded.returncode == 0, loaded.stderr
    yield engine
    engine.podman("rmi", "--force", engine.image)
    shutil.rmtree(engine.store, ignore_errors=True)


@pytest.mark.prove
@pytest.mark.parametrize("lab", [LABS[0], next(filter(has_a_proxy, LABS))])
def test_labs_are_green_with_four_capabilities(lab: str, engine: Engine) -> None:
    done = engine.run(RUN.format(lab=lab), *FOUR)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    filtered = engine.run("grep Seccomp: /proc/self/status", *FOUR)
    assert filtered.stdout.split() == ["Seccomp:", "2"]  # the engine's filter is on


@pytest.mark.prove
@pytest.mark.parametrize(
    ("without", "said"), [("SYS_ADMIN", IN_A_CONTAINER), ("NET_RAW", "permission to perform this capture")]
)
def test_with_fewer_it_says_so(without: str, said: str, engine: Engine) -> None:
    left = [f"--cap-add={one}" for one in FOUR if one not in ("--cap-add", without)]
    done = engine.run(f"srv6lab up {LABS[0]}; echo exited $?", *left)
    assert done.stdout.split() == ["exited", "3"]
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.prove
def test_tab_completes_in_its_shell(engine: Engine) -> None:
    done = engine.run("bash -ic 'source ~/.bashrc; _completion_loader srv6lab; complete -p srv6lab'")
    assert "_srv6lab_complete" in done.stdout, done.stderr


@pytest.mark.prove
def test_it_tells_nothing_of_the_machine_that_built_it(
    archive: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with tarfile.open(archive) as image:
        image.extractall(tmp_path, filter="data")
    (layer,) = (path for path in tmp_path.glob("blobs/sha256/*") if path.read_bytes()[:2] == b"\x1f\x8b")
    with tarfile.open(layer) as root:
        members = {one.name.removeprefix("./"): one for one in root.getmembers()}
    assert max(one.mtime for one in members.values()) <= make_packages.date()
    for pattern in (
        "dev/.+",
        "etc/(resolv.conf|hostname)",
        "tmp/.+",
        "root/\\.cache.*",
        "etc/apt/apt.conf.d/99.*",
    ):
        assert [name for name in members if re.fullmatch(pattern, name)] == []
    record_property("bytes", archive.stat().st_size)
    record_property("sha256", hashlib.sha256(archive.read_bytes()).hexdigest())
