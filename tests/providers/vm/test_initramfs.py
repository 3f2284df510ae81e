"""The archive that a machine boots into: as cpio reads it, and the modules in an order in which they load."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path

import pytest

from srv6lab.images.kernel import Kernel
from srv6lab.providers.vm.initramfs import archive, build
from tests.conftest import tool


def unpacked(data: bytes, into: Path) -> dict[str, bytes]:
    into.mkdir()
    subprocess.run([tool("cpio"), "-idm", "--quiet"], cwd=into, input=data, check=True)
    return {str(path.relative_to(into)): path.read_bytes() for path in into.rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 4095, 100_000])
def test_cpio_reads_what_was_packed(tmp_path: Path, size: int) -> None:
    files = {"init": b"#!", "a/b/c": bytes(range(256)) * (size // 256) + bytes(size % 256), "abcd": b"x"}
    assert unpacked(archive(files), tmp_path / "out") == files
    assert (tmp_path / "out/init").stat().st_mode & 0o777 == 0o755


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """A kernel whose 9p needs two modules, of which one needs the other; virtio_pci is built in."""
    found = Kernel("1.2.3", "amd64", tmp_path / "1.2")
    dep = {
        "kernel/fs/9p/9p.ko.xz": ["kernel/net/9pnet.ko", "kernel/fs/netfs/netfs.ko"],
        "kernel/net/9pnet.ko": ["kernel/fs/netfs/netfs.ko"],
        "kernel/net/9pnet_virtio.ko": ["kernel/net/9pnet.ko", "kernel/fs/netfs/netfs.ko"],
        "kernel/fs/netfs/netfs.ko": [],
        "kernel/fs/overlayfs/overlay.ko": [],
        "kernel/drivers/char/virtio_console.ko": [],
        "kernel/drivers/net/dummy.ko": [],
    }
    for path in dep:
        (found.modules / path).parent.mkdir(parents=True, exist_ok=True)
        content = path.encode()
        (found.modules / path).write_bytes(lzma.compress(content) if path.endswith(".xz") else content)
    lines = [f"{path}: {' '.join(needs)}".rstrip() for path, needs in dep.items()]
    (found.modules / "modules.dep").write_text("\n".join(lines) + "\n")
    found.busybox.write_bytes(b"busybox")
    return found


def test_modules_stand_behind_what_they_need_and_are_plain(kernel: Kernel, tmp_path: Path) -> None:
    files = unpacked(build(kernel, b"agent", "/usr/bin/python3", 4, {}), tmp_path / "out")
    modules = [
        files[name].decode().rpartition("/")[2] for name in sorted(files) if name.startswith("modules/")
    ]
    assert modules == [
        *("virtio_console.ko", "netfs.ko", "9pnet.ko", "9pnet_virtio.ko", "9p.ko.xz", "overlay.ko"),
    ]
    assert files["agent.py"] == b"agent"


@pytest.mark.parametrize("folder", ["/plain", "/it's; reboot", "/a b/$(reboot)", '/"\\'])
def test_no_path_of_a_share_gets_out_of_its_quotes(kernel: Kernel, tmp_path: Path, folder: str) -> None:
    """The script's line for the share, run with a `mount` and a `mkdir` that say what they were told."""
    files = unpacked(build(kernel, b"", "/usr/bin/python3", 4, {"share0": folder}), tmp_path / "out")
    (line,) = (line for line in files["init"].decode().splitlines() if "share0" in line)
    stand_in = 'mount() { printf "<%s>" "$@"; }; mkdir() { printf "<%s>" "$@"; }\n'
    done = subprocess.run([tool("sh"), "-c", stand_in + line], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"<-p><.{folder}>")
    assert done.stdout.endswith(f"<share0><.{folder}>")


def test_the_script_is_one_that_a_shell_reads(kernel: Kernel, tmp_path: Path) -> None:
    files = unpacked(build(kernel, b"", "/usr/bin/python3", 4, {"share0": "/x"}), tmp_path / "out")
    assert shutil.which("sh")
    done = subprocess.run(["sh", "-n"], input=files["init"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
