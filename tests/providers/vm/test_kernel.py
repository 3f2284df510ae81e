"""Kernels are fetched once, by apt, from this machine's own entries; what serves here is kept of them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from srv6lab.errors import MachineError, UsageError
from srv6lab.images import SUITES, debian, kernel
from tests.conftest import silent, tool

RELEASE = "9.9.9-amd64"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("lib/modules/1/kernel/net/sched/cls_bpf.ko.xz", True),
        ("lib/modules/1/kernel/drivers/net/vrf.ko", True),
        ("lib/modules/1/kernel/drivers/net/vxlan/vxlan.ko", True),
        ("lib/modules/1/kernel/drivers/net/ethernet/intel/e1000/e1000.ko", False),
        ("lib/modules/1/kernel/drivers/gpu/drm/drm.ko", False),
        ("lib/modules/1/kernel/fs/overlayfs/overlay.ko", True),
        ("lib/modules/1/kernel/fs/ext4/ext4.ko", False),
        ("lib/modules/1/modules.builtin", True),
        ("lib/modules/1/System.map", False),
        ("usr/share/doc/linux/copyright", False),
    ],
)
def test_what_is_kept_of_a_package(path: str, kept: bool) -> None:
    assert kernel._place(path) == (path if kept else None)


@pytest.mark.parametrize("path", ["boot/vmlinuz-6.12", "lib/modules/7.2/vmlinuz"])
def test_the_image_lies_where_old_and_new_suites_have_it(path: str) -> None:
    assert kernel._place(path) == "vmlinuz"


def test_an_unknown_kernel_names_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        kernel.fetch("6.13", "amd64", silent)
    assert str(caught.value) == f"there is no kernel '6.13'\n  mend: there are: {', '.join(SUITES)}"


def package(folder: Path, name: str, files: dict[str, str], depends: str = "") -> None:
    root = folder / name
    (root / "DEBIAN").mkdir(parents=True)
    control = {"Package": name, "Version": "1", "Architecture": "amd64", "Maintainer": "t <t@t>"}
    control |= {"Depends": depends} if depends else {}
    control |= {"Description": "a test"}
    (root / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in control.items()))
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    subprocess.run([tool("dpkg-deb"), "--build", str(root), str(folder)], check=True, capture_output=True)


def indexed(path: Path) -> str:
    """A package's paragraph in the index of a mirror."""
    control = subprocess.run(
        [tool("dpkg-deb"), "--field", str(path)], check=True, capture_output=True, text=True
    )
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return f"{control.stdout}Filename: ./{path.name}\nSize: {len(data)}\nSHA256: {digest}\n"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror on the disk with a kernel in two packages, as this machine's apt entries would name it."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    package(folder, "linux-image-amd64", {}, f"linux-image-{RELEASE} (= 1)")
    parts = {f"boot/vmlinuz-{RELEASE}": "image"}
    package(
        folder, f"linux-image-{RELEASE}", parts, f"kmod, linux-modules-{RELEASE} (= 1), linux-base (>= 4)"
    )
    base = f"usr/lib/modules/{RELEASE}"
    modules = {f"{base}/kernel/drivers/net/dummy.ko": "", f"{base}/kernel/drivers/gpu/x.ko": ""}
    package(
        folder,
        f"linux-modules-{RELEASE}",
        {**modules, f"{base}/modules.order": "", f"{base}/modules.builtin": ""},
    )
    package(folder, "busybox-static", {"usr/bin/busybox": "busybox"})
    (folder / "Packages").write_text("\n".join(map(indexed, folder.glob("*.deb"))))
    sources = f"Types: deb\nURIs: file://{folder}\nSuites: ./\nTrusted: yes\n"
    monkeypatch.setattr(debian, "sources", lambda suite: sources)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return folder


def test_fetched_once_with_the_parts_that_belong_together(mirror: Path) -> None:
    said: list[str] = []
    found = kernel.fetch("6.12", "amd64", said.append)
    assert found.release == RELEASE
    assert (found.image.read_text(), found.busybox.read_text()) == ("image", "busybox")
    assert found.busybox.stat().st_mode & 0o111
    kept = {str(path.relative_to(found.modules)) for path in found.modules.rglob("*.ko")}
    assert kept == {"kernel/drivers/net/dummy.ko"}
    assert (found.modules / "modules.dep").exists()
    assert said == ["fetching kernel 6.12 (amd64) from Debian's trixie, once"]
    for deb in mirror.glob("*.deb"):
        deb.unlink()
    assert kernel.fetch("6.12", "amd64", said.append) == found
    assert len(said) == 1, "what is there is not fetched again"
    assert {path.name for path in found.folder.parent.iterdir()} == {"6.12", ".6.12.lock"}


@pytest.mark.usefixtures("mirror")
def test_kept_in_the_cache_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = kernel.fetch("6.12", "amd64", silent)
    assert found.folder == tmp_path / "cache/srv6lab/kernels/amd64/6.12"
    assert not Path.home().exists()


def test_a_mirror_that_fails_leaves_nothing_behind(mirror: Path) -> None:
    next(mirror.glob("linux-modules-*.deb")).unlink()
    with pytest.raises(MachineError) as caught:
        kernel.fetch("6.12", "amd64", silent)
    assert "apt-get download failed" in str(caught.value)
    parent = Path.home() / ".cache/srv6lab/kernels/amd64"
    assert [path.name for path in parent.iterdir()] == [".6.12.lock"]


def test_a_machine_without_debian_entries_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APT_DIR", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        debian.sources("trixie")
    assert "apt has no entry of" in str(caught.value)
    assert "to take Debian's trixie from" in str(caught.value)


def test_a_machine_without_apt_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="fetched by apt, which isn't here"):
        kernel._require_tools()


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        (tmp_path / name).symlink_to(tool(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="not on this machine: depmod"):
        kernel._require_tools()
