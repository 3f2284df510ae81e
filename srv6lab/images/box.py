"""The box of our own: a small Debian with all that labs need inside, so that a class can run offline.

mmdebstrap fills a folder, and the disk is made of it without mounting anything: `mke2fs -d` writes the file
system, the partition table and the boot loader's two parts are bytes at known places. One disk is packaged
twice, for VirtualBox and for libvirt. What was built from the same recipe is built once.
"""

from __future__ import annotations

import json
import shlex
import shutil
import struct
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from srv6lab.engines import INSTALLED
from srv6lab.errors import MachineError
from srv6lab.host import files
from srv6lab.host.command import output
from srv6lab.host.progress import Progress
from srv6lab.host.requirements import require, root, tools
from srv6lab.images import OUR_BOX, debian
from srv6lab.render.templates import template
from srv6lab.topology.model import STANDARD

SUITE = "trixie"
PROVIDERS = ("virtualbox", "libvirt")
PACKAGES = (
    # a machine that boots, that Vagrant can talk to, and whose name it can set
    *("linux-image-amd64", "initramfs-tools", "grub-pc-bin", "systemd-sysv", "udev", "dbus", "kmod"),
    *("openssh-server", "sudo", "ca-certificates", "procps", "less"),
    # what Day0, exercises and tracers call
    *("iproute2", "iputils-ping", "ethtool", "tcpdump", "nftables", "iptables", "python3"),
    *(one.package for one in INSTALLED),
    *("python3-pydantic", "python3-yaml"),  # for --single-vm: the namespaces are made by srv6lab inside
)
_TOOLS = ("mmdebstrap", "mke2fs", "qemu-img")
_DRIVERS = ("gpu", "media", "staging", "iio", "infiniband", "net/wireless", "bluetooth", "isdn", "comedi")
_LEFT_OUT = (
    *(f"/usr/share/{name}/*" for name in ("doc", "man", "info", "locale")),
    *(f"/usr/lib/modules/*/kernel/{name}/*" for name in ("sound", *(f"drivers/{one}" for one in _DRIVERS))),
)
_MEBIBYTE = 2**20
_DISK = 4096 * _MEBIBYTE  # thin: what is not written takes no room
_FIRST = _MEBIBYTE  # where the partition begins
_RECIPE = files.SHARE / "templates" / "box"
_PATIENCE = 1800.0  # seconds for one of its tools; a disk is some gigabytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a box: a suite of Debian, packages, and whether its backports are asked for those that it lacks."""

    suite: str = SUITE
    packages: tuple[str, ...] = PACKAGES
    backports: bool = False


OURS = Contents()


@dataclass(frozen=True, slots=True)
class Box:
    """A box that was built: its files by provider, their sizes in bytes, and what it took."""

    name: str
    recipe: str
    kernel: str
    files: dict[str, str]
    sizes: dict[str, int]
    seconds: float


def cache() -> Path:
    return files.cache("box")


def recipe(key: str, contents: Contents = OURS) -> str:
    """What a box is made from: the same recipe gives one that serves the same labs."""
    scripts = [path.read_bytes() for path in sorted(_RECIPE.iterdir())]
    inside = (contents.suite, *contents.packages, *(("backports",) if contents.backports else ()))
    return debian.recipe(*inside, *_LEFT_OUT, str(_DISK), key, *_VAGRANTFILES.values(), *scripts)


def built(folder: Path) -> Box | None:
    """The box in a folder, or None where a whole one is not."""
    try:
        found = Box(**json.loads((folder / "box.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if all(Path(path).is_file() for path in found.files.values()) else None


def build(key: str, progress: Progress, contents: Contents = OURS, *, again: bool = False) -> Box:
    """Build the box, or hand on the one that this recipe made before. `key` is Vagrant's public key."""
    name = recipe(key, contents)
    folder = cache() / name
    if not again and (found := built(folder)):
        progress(f"built before, in {folder}")
        return found
    require(root("a box holds files of root's, so building it needs root"), tools(_TOOLS, "box"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as scratch:
        work = Path(scratch)
        work.chmod(0o755)
        disk, kernel = _disk(work, key, contents, progress)
        files = {}
        for provider in PROVIDERS:
            progress(f"packaging for {provider}")
            files[provider] = _package(provider, disk, work)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        places = {provider: path.rename(folder / path.name) for provider, path in files.items()}
        found = Box(
            OUR_BOX,
            name,
            kernel,
            {provider: str(path) for provider, path in places.items()},
            {provider: path.stat().st_size for provider, path in places.items()},
            round(time.monotonic() - start, 1),
        )
        (folder / "box.json").write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    return found


def _disk(work: Path, key: str, contents: Contents, progress: Progress) -> tuple[Path, str]:
    """A raw disk that boots, and the version of its kernel."""
    tree, disk, public = work / "root", work / "disk.raw", work / "vagrant.pub"
    public.write_text(key, encoding="utf-8")
    progress(f"{len(contents.packages)} packages of Debian {contents.suite} and what they need")
    hook = f'sh {shlex.quote(str(_RECIPE / "configure.sh"))} "$1" {shlex.quote(str(public))}'
    options = ["--variant=minbase", f"--customize-hook={hook}"]
    debian.mmdebstrap(
        contents.suite, tree, contents.packages, _LEFT_OUT, options, backports=contents.backports
    )
    kernel = next((tree / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")
    progress("the disk")
    with disk.open("wb") as file:
        file.truncate(_DISK)
    features = "^metadata_csum_seed,^orphan_file"  # GRUB can't read file systems that have them
    size = f"{(_DISK - _FIRST) // 1024}k"
    options = ["-t", "ext4", "-L", "srv6lab", "-O", features, "-d", str(tree), "-E", f"offset={_FIRST}"]
    _run(["mke2fs", "-q", "-F", *options, str(disk), size])
    boot = (tree / "usr/lib/grub/i386-pc/boot.img").read_bytes()
    core = (tree / "boot/grub/core.img").read_bytes()
    with disk.open("r+b") as file:
        file.write(boot_sectors(boot, core))
    shutil.rmtree(tree)
    return disk, kernel


def boot_sectors(boot: bytes, core: bytes) -> bytes:
    """What stands before the partition: GRUB's first stage with the table of partitions, and its core,
    which the first stage looks for in sector 1."""
    if 512 + len(core) > _FIRST:
        raise MachineError("GRUB's core doesn't fit before the partition")
    anywhere = b"\xfe\xff\xff"  # by LBA, not by cylinder
    linux = struct.pack("<B3sB3sII", 0x80, anywhere, 0x83, anywhere, _FIRST // 512, (_DISK - _FIRST) // 512)
    return boot[:440].ljust(446, b"\0") + linux.ljust(64, b"\0") + b"\x55\xaa" + core


def _package(provider: str, disk: Path, work: Path) -> Path:
    """A `.box`: an archive of the disk and of what Vagrant wants to know about it."""
    folder = work / provider
    folder.mkdir()
    metadata: dict[str, object] = {"provider": provider}
    if provider == "virtualbox":
        image, form = "box.vmdk", ["-O", "vmdk", "-o", "subformat=streamOptimized"]
        (folder / "box.ovf").write_text(box_ovf(image, _DISK), encoding="utf-8")
    else:
        image, form = "box.img", ["-O", "qcow2", "-c"]
        metadata |= {"format": "qcow2", "virtual_size": _DISK // 2**30}
    (folder / "Vagrantfile").write_text(_VAGRANTFILES[provider], encoding="utf-8")
    (folder / "metadata.json").write_text(json.dumps(metadata) + "\n", encoding="utf-8")
    _run(["qemu-img", "convert", "-f", "raw", *form, str(disk), str(folder / image)])
    packed = work / f"{provider}.box"
    with tarfile.open(packed, "w") as archive:  # the disk is compressed already
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    shutil.rmtree(folder)
    return packed


# Vagrant would run some forty commands in each machine to find out what system it is.
_GUEST = "config.vm.guest = :debian"
_VAGRANTFILES = {
    "virtualbox": f'Vagrant.configure("2") {{ |config| config.vm.base_mac = "080027A56B36"; {_GUEST} }}\n',
    "libvirt": f'Vagrant.configure("2") {{ |config| {_GUEST} }}\n',
}


def _run(command: Sequence[str]) -> None:
    output(command, _PATIENCE, mend="mend that, and run it again")


def box_ovf(disk: str, capacity: int) -> str:
    """The description of a machine that VirtualBox imports, with a disk of so many bytes."""
    return template("box/box.ovf.j2", machine="srv6lab", disk=disk, capacity=capacity, memory=STANDARD.memory)
