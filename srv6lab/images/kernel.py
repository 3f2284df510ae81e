"""Debian's kernels: fetched by apt, unpacked, kept.

The sources are this machine's own apt entries with another suite in them, and apt verifies what comes.
A kernel is kept in the cache's folder kernels/<architecture>/<version>: its image, those of its modules
that a lab can use, and the static busybox of its suite, with which it boots. Nothing is fetched again
until that folder is removed.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from srv6lab.errors import MachineError, UsageError
from srv6lab.host.command import output
from srv6lab.host.files import cache
from srv6lab.host.progress import Progress
from srv6lab.host.requirements import require, tools
from srv6lab.images import SUITES, debian

_PATIENCE = 1800.0  # seconds for one of apt's commands

# Of what Debian ships, 9 of 10 megabytes are drivers of hardware that the machine hasn't.
_MODULES = (
    *("arch", "crypto", "drivers/block", "drivers/char", "drivers/virtio", "lib", "net"),
    *("fs/9p", "fs/fscache", "fs/fuse", "fs/netfs", "fs/overlayfs"),
)
_NET_MODULES = "drivers/net"
_NET_FOLDERS = ("bonding", "ipvlan", "vxlan", "wireguard")


@dataclass(frozen=True, slots=True)
class Kernel:
    """`release` is what `uname -r` says in it, `architecture` is Debian's word for it."""

    release: str
    architecture: str
    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def busybox(self) -> Path:
        return self.folder / "busybox"

    @property
    def modules(self) -> Path:
        return self.folder / "lib" / "modules" / self.release


def fetch(version: str, architecture: str, progress: Progress) -> Kernel:
    """The kernel of that version, a key of SUITES; MachineError where apt can't get it."""
    if version not in SUITES:
        raise UsageError(f"there is no kernel {version!r}", f"there are: {', '.join(SUITES)}")
    folder = cache("kernels") / architecture / version
    with debian.alone(folder.with_name(f".{folder.name}.lock")):
        if not (folder / "release").exists():
            _require_tools()
            progress(f"fetching kernel {version} ({architecture}) from Debian's {SUITES[version]}, once")
            _make(folder, SUITES[version], architecture)
        return Kernel((folder / "release").read_text("ascii"), architecture, folder)


def _require_tools() -> None:
    if not all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg-deb")):
        raise MachineError("other kernels are fetched by apt, which isn't here", "use a Debian machine")
    require(tools(["depmod"]))


def _make(folder: Path, suite: str, architecture: str) -> None:
    with TemporaryDirectory(prefix=".fetch.", dir=folder.parent) as name:
        scratch = Path(name)
        apt = _Apt(scratch / "apt", suite, architecture)
        fresh = scratch / "kernel"
        fresh.mkdir()
        for package in apt.download([*apt.exact(f"linux-image-{architecture}"), "busybox-static"]):
            _unpack(package, fresh)
        release = next((fresh / "lib" / "modules").iterdir()).name
        _run(["depmod", "--basedir", str(fresh), release])
        (fresh / "release").write_text(release, "ascii")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


class _Apt:
    """apt with lists and a cache of its own: what this machine has installed plays no part."""

    def __init__(self, folder: Path, suite: str, architecture: str) -> None:
        self._folder = folder
        for name in ("sources", "lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources" / "suite.sources").write_text(debian.sources(suite))
        options = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": folder / "sources",
            "Dir::State::Lists": folder / "lists",
            "Dir::State::Status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
        }
        text = "".join(f'{key} "{value}";\n' for key, value in options.items())
        (folder / "apt.conf").write_text(text)
        self._do("apt-get", "update", "--error-on=any")

    def exact(self, package: str) -> list[str]:
        """A package and what it depends on in exactly one version: a kernel's parts, and no tools."""
        found, wanted = [], [package]
        while wanted:
            name = wanted.pop()
            found.append(name)
            shown = self._do("apt-cache", "show", "--no-all-versions", name)
            for line in shown.splitlines():
                if line.startswith("Depends: "):
                    parts = [part.strip() for part in line.removeprefix("Depends: ").split(",")]
                    wanted += [part.split()[0] for part in parts if "(=" in part]
        return found

    def download(self, packages: list[str]) -> list[Path]:
        into = self._folder / "packages"
        into.mkdir()
        self._do("apt-get", "download", *packages, folder=into)
        return list(into.glob("*.deb"))

    def _do(self, *argv: str, folder: Path | None = None) -> str:
        return _run(argv, {"APT_CONFIG": str(self._folder / "apt.conf")}, folder)


def _run(argv: Sequence[str], more: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    environment = {"LC_ALL": "C", **(more or {})}
    mend = "see to it that apt reaches its mirror"
    return output(argv, _PATIENCE, mend=mend, environment=environment, folder=folder)


def _unpack(package: Path, into: Path) -> None:
    """The few files of a package that serve here, into their places."""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as tar,
        tarfile.open(fileobj=tar.stdout, mode="r|") as archive,
    ):
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content and (place := _place(member.name.removeprefix("./").removeprefix("usr/"))):
                path = into / place
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file)
    if tar.returncode:
        raise MachineError(f"{package.name} can't be unpacked", "try again: it is downloaded anew")
    if (into / "busybox").exists():
        (into / "busybox").chmod(0o755)


def _place(name: str) -> str | None:
    if name.startswith("boot/vmlinuz-") or (name.startswith("lib/modules/") and name.endswith("/vmlinuz")):
        return "vmlinuz"
    if name == "bin/busybox":
        return "busybox"
    return name if name.startswith("lib/modules/") and _serves(name.split("/")[3:]) else None


def _serves(parts: list[str]) -> bool:
    """Whether a file below lib/modules/<release>/ is one of those kept."""
    if parts[0] != "kernel":
        return len(parts) == 1 and parts[0].startswith("modules.")
    path = "/".join(parts[1:])
    if path.startswith(f"{_NET_MODULES}/"):
        return len(parts) == 4 or parts[3] in _NET_FOLDERS
    return path.startswith(tuple(f"{one}/" for one in _MODULES))
