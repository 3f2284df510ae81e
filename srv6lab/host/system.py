"""Which system this is: its family decides how something missing is installed."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What os-release(5) says in ID and ID_LIKE, and the family whose package tool is meant.
_FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "arch": "arch",
    "alpine": "alpine",
    "suse": "suse",
    "opensuse": "suse",
}


@dataclass(frozen=True, slots=True)
class System:
    """`family` is a distribution's (debian, fedora, arch, alpine, suse), macos, windows, or "" for
    another; `name` is for people; `processor` is x86-64, arm64, or what the system calls it."""

    family: str
    name: str
    kernel: str
    processor: str

    def __str__(self) -> str:
        return f"{self.name}, {self.kernel}, {self.processor}"

    @property
    def is_linux(self) -> bool:
        return self.family not in ("macos", "windows")


def this_system() -> System:
    """The system that this process runs on."""
    processor = processor_name(platform.machine())
    if sys.platform == "darwin":
        return System("macos", f"macOS {platform.mac_ver()[0]}", f"Darwin {platform.release()}", processor)
    if sys.platform == "win32":
        return System("windows", f"Windows {platform.release()}", f"NT {platform.version()}", processor)
    said = os_release()
    return System(family(said), said.get("PRETTY_NAME", "Linux"), f"Linux {platform.release()}", processor)


def processor_name(machine: str) -> str:
    return {"x86_64": "x86-64", "amd64": "x86-64", "aarch64": "arm64"}.get(machine.lower(), machine.lower())


def os_release() -> dict[str, str]:
    """What this distribution says of itself (os-release(5)); nothing where it has no such file."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def family(said: Mapping[str, str]) -> str:
    """The family that an os-release file says, by ID first and then by ID_LIKE."""
    words = [said.get("ID", ""), *said.get("ID_LIKE", "").split()]
    return next(
        (_FAMILIES[word.partition("-")[0]] for word in words if word.partition("-")[0] in _FAMILIES), ""
    )


def version(text: str) -> tuple[int, ...]:
    """The first version number of a text, such as (6, 1, 0) of `6.1.0-18-amd64`; () if there is none."""
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def dotted(numbers: Iterable[int]) -> str:
    """A version as it is written."""
    return ".".join(map(str, numbers))


def kernel_release() -> tuple[int, int]:
    """Linux's major and minor number."""
    major, minor, *_ = (*version(platform.release()), 0, 0)
    return major, minor
