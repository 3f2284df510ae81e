"""Debian's kernels: fetched by apt, unpacked, kept.

The sources are this machine's own apt entries with another suite in them, and apt verifies what comes.
A kernel is kept under ~/.cache/srv6lab/kernels/<architecture>/<version>: its image, those of its modules
that a lab can use, and the static busybox of its suite, with which it boots. Nothing is fetched again
until that folder is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from srv6lab.errors import MachineError, UsageError
from srv6lab.host.packages import SETUP
from srv6lab.host.requirements import require, tools
from srv6lab.images import SUITES

_ROLLING = "sid"  # it has no suites for updates and security
_APT_SUITE = SETUP.with_name("apt-suite")

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


def fetch(version: str, architecture: str, progress: Callable[[str], None]) -> Kernel:
    """The kernel of that version, a key of SUITES; MachineError where apt can't get it."""
    if version not in SUITES:
        raise UsageError(f"there is no kernel {version!r}", f"there are: {', '.join(SUITES)}")
    folder = Path.home() / ".cache" / "srv6lab" / "kernels" / architecture / version
    with _alone(folder):
        if not (folder / "release").exists():
            _require_tools()
            progress(f"fetching kernel {version} ({architecture}) from Debian's {SUITES[version]}, once")
            _make(folder, SUITES[version], architecture)
        return Kernel((folder / "release").read_text("ascii"), architecture, folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Whoever comes second waits, and finds what the first one made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


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
        (folder / "sources" / "suite.sources").write_text(_sources(suite))
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


def _sources(suite: str) -> str:
    family = () if suite == _ROLLING else ("--family",)
    here = _codename()
    try:
        return _run([str(_APT_SUITE), *family, here, suite])
    except MachineError:
        raise MachineError(
            f"this machine's apt has no entry of {here or 'Debian'} to take {suite} from",
            "another kernel needs a Debian with its own entries in /etc/apt",
        ) from None


def _codename() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    return ""


def _run(
    argv: list[str] | tuple[str, ...], more: dict[str, str] | None = None, cwd: Path | None = None
) -> str:
    environment = {**os.environ, "LC_ALL": "C", **(more or {})}
    result = subprocess.run(argv, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    if result.returncode:
        said = result.stderr.strip() or f"exit code {result.returncode}"
        raise MachineError(f"{' '.join(argv[:2])} failed: {said}", "see to it that apt reaches its mirror")
    return result.stdout


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
