"""Debian packages and the image: the same bytes twice, in Debian's places, and they work where nothing else is."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from scripts import make_image, make_packages
from tests.conftest import REPOSITORY, need_root

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


def test_another_word_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["make_packages.py", "srconf-rpm"])
    assert make_packages.main() == 1
    assert "no srconf-rpm; there are srconf-wheel" in capsys.readouterr().err


def test_an_image_names_its_parts_by_their_digests(tmp_path: Path) -> None:
    """What podman and docker read of it; with a layer of nothing, which is made in no time."""
    made = tmp_path / "image.tar"
    make_image.packed(make_image.image(b"\0" * 10240, "localhost/x:1"), made)
    with tarfile.open(made) as tar:
        files = {name: found.read() for name in tar.getnames() if (found := tar.extractfile(name))}
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    index, docker = json.loads(files["index.json"]), json.loads(files["manifest.json"])
    manifest = json.loads(files["blobs/sha256/" + index["manifests"][0]["digest"].removeprefix("sha256:")])
    named = [manifest["config"], *manifest["layers"]]
    assert [docker[0]["Config"], *docker[0]["Layers"]] == [
        "blobs/" + one["digest"].replace(":", "/") for one in named
    ]
    assert {one["size"] for one in named} == {
        len(files["blobs/" + one["digest"].replace(":", "/")]) for one in named
    }


@pytest.mark.prove
def test_srconf_is_installed_by_pip_alone(tmp_path: Path) -> None:
    wheel = make_packages.srconf_wheel(tmp_path)
    must(sys.executable, "-m", "venv", tmp_path / "venv")
    must(tmp_path / "venv/bin/pip", "install", "--no-index", "--quiet", wheel)
    assert "end.ad4" in must(tmp_path / "venv/bin/srconf", "localsid", "help")
    assert "end.ad4" in must(tmp_path / "venv/bin/python", "-Im", "srconf", "localsid", "help")
    assert must(tmp_path / "venv/bin/pip", "list", "--format=freeze").count("srv6lab") == 0
    assert (tmp_path / "venv/share/man/man8/srconf.8").exists()


@pytest.mark.prove
def test_srconf_is_installed_by_dpkg(srconf: Path, tmp_path: Path) -> None:
    """In a Debian with what the package asks for and nothing else; there a SID is added, shown, and flushed."""
    need_root()
    listed = tmp_path / "image.sources"
    listed.write_text(make_image.sources(make_image.codename()))
    script = """set -e
        ip link set lo up; ip link add veth0 type veth peer name veth1; ip link set veth0 up; ip link set veth1 up
        sysctl() { echo "$2" >"/proc/sys/$1"; }; sysctl net/ipv6/conf/all/forwarding 1
        ip address add 192.168.1.1/24 dev veth0
        srconf localsid add fc00:a::a1 end.ad4 ip 192.168.1.2 veth0 veth1; srconf localsid show; srconf localsid flush
        dpkg --purge srconf >/dev/null; test ! -e /usr/lib/srconf"""
    (tmp_path / "script").write_text(script)
    hooks = (
        f"copy-in {srconf} {tmp_path / 'script'} /tmp",
        f'chroot "$1" dpkg --install /tmp/{srconf.name} >&2',
        'mount -t proc proc "$1/proc"; unshare --net --mount chroot "$1" sh -c "mount -t sysfs s /sys; sh /tmp/script"; umount "$1/proc"',
    )
    said = must(
        *("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,iproute2", *make_image.network()),
        *(f"--customize-hook={hook}" for hook in hooks),
        *(make_image.codename(), "/dev/null", listed),
    )
    assert "SREXT answers: OK." in said
    assert "fc00:a::a1" in said
