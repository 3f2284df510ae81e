"""The tools that labs use, and how one that is missing is installed.

Which tools there are, from which Debian package and what for stands once, in `scripts/setup`. Here is only
how other systems call the same.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from srv6lab.called import CALLED
from srv6lab.host.files import INSTALLED, SHARE

from .system import System, this_system

SETUP = SHARE / "scripts" / "setup"
_MENDED = {"lab": "", "virtualbox": " --provider virtualbox", "libvirt": " --provider libvirt"}  # by doctor

_ROOTS_PATH = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
_INSTALL = {
    "fedora": "dnf install",
    "arch": "pacman -S",
    "alpine": "apk add",
    "suse": "zypper install",
    "macos": "brew install",
    "windows": "winget install",
}
# What Debian's packages are called elsewhere; - where a system has none. One that isn't here has Debian's name.
_NAMES = """
debian                fedora                  arch           alpine              suse                macos                                     windows
bash                  bash                    bash           bash                bash                -                                         -
dnsmasq-base          dnsmasq                 dnsmasq        dnsmasq             dnsmasq             -                                         -
iproute2              iproute+iproute-tc      iproute2       iproute2            iproute2            -                                         -
iptables              iptables-nft            iptables       iptables            iptables            -                                         -
iputils-ping          iputils                 iputils        iputils-ping        iputils             -                                         -
libvirt-clients       libvirt-client          libvirt        libvirt-client      libvirt-client      -                                         -
libvirt-daemon-system libvirt-daemon-qemu     libvirt        libvirt-daemon      libvirt-daemon-qemu -                                         -
mmdebstrap            -                       -              -                   -                   -                                         -
nftables              nftables                nftables       nftables            nftables            -                                         -
openssh-client        openssh-clients         openssh        openssh-client      openssh-clients     -                                         -
python3-venv          python3                 python         python3             python3             python                                    Python.Python.3.13
qemu-system-x86       qemu-system-x86         qemu-base      qemu-system-x86_64  qemu-x86            -                                         -
qemu-utils            qemu-img                qemu-img       qemu-img            qemu-tools          -                                         -
suricata              suricata                -              suricata            suricata            -                                         -
tcpdump               tcpdump                 tcpdump        tcpdump             tcpdump             tcpdump                                   -
tshark                wireshark-cli           wireshark-cli  tshark              wireshark           wireshark                                 WiresharkFoundation.Wireshark
util-linux            util-linux              util-linux     util-linux          util-linux          -                                         -
vagrant               vagrant                 vagrant        -                   vagrant             --cask+hashicorp/tap/hashicorp-vagrant    Hashicorp.Vagrant
vagrant-libvirt       vagrant-libvirt         -              -                   vagrant-libvirt     -                                         -
virtualbox            VirtualBox              virtualbox     -                   virtualbox          --cask+virtualbox                         Oracle.VirtualBox
"""


@lru_cache(maxsize=1)
def _elsewhere() -> dict[str, dict[str, str]]:
    """Debian's package → family → what to install there, "" for nothing."""
    head, *rows = (line.split() for line in _NAMES.strip().splitlines())
    names = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    return {
        package: {family: "" if name == "-" else name.replace("+", " ") for family, name in row.items()}
        for package, row in names.items()
    }


@dataclass(frozen=True, slots=True)
class Tool:
    """A line of the list: the group it stands in, `how` it is seen to be there (a command, a path or
    py:MODULE), the Debian package it comes from, and what it is for."""

    group: str
    how: str
    package: str
    purpose: str


@lru_cache(maxsize=1)
def listed() -> tuple[Tool, ...]:
    """The list of `scripts/setup`; empty where only the Python package is installed."""
    try:
        return tools_in(SETUP.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()


def tools_in(text: str) -> tuple[Tool, ...]:
    """The tools that a setup script lists, in its order."""
    lines = text.partition("<<'LIST'\n")[2].partition("\nLIST\n")[0].splitlines()
    return tuple(Tool(*(cell.strip() for cell in line.split("|"))) for line in lines)


def named(how: str, group: str = "lab") -> Tool:
    """The tool that is seen by `how`, as its line in that group says; one that no line names comes from a
    package of its own name."""
    found = [tool for tool in listed() if tool.how == how]
    return next(
        (tool for tool in found if tool.group == group), found[0] if found else Tool("", how, how, "")
    )


def where(how: str) -> str | None:
    """The path of a command in PATH, or in root's, which an ordinary user's lacks on Debian."""
    return shutil.which(how) or shutil.which(how, path=_ROOTS_PATH)


def missing(names: Iterable[str], group: str = "lab") -> list[Tool]:
    """Those of the commands that PATH lacks."""
    return [named(name, group) for name in names if not shutil.which(name)]


def remedy(tools: Sequence[Tool], system: System | None = None) -> str:
    """The command that installs tools on a system (default: this one), or what to do where there is none."""
    system = system or this_system()
    packages = list(dict.fromkeys(tool.package for tool in tools))
    if system.family == "debian":
        # The script knows backports, and asks for sudo.
        groups = dict.fromkeys(tool.group for tool in tools)
        if not all(groups) or (INSTALLED and not groups.keys() <= _MENDED.keys()):
            return _apt(packages)
        if INSTALLED:
            return " && ".join(f"{CALLED} doctor --mend{_MENDED[group]}" for group in groups)
        return " && ".join(f"scripts/setup {group}" for group in groups)
    names = {package: _elsewhere().get(package, {}).get(system.family, package) for package in packages}
    if system.family in _INSTALL and all(names.values()):
        return f"{_INSTALL[system.family]} {' '.join(names.values())}"
    lacking = [package for package, name in names.items() if not name] or packages
    return f"{system.name} has no package known here: install what Debian calls {', '.join(lacking)}"


def _apt(packages: Sequence[str]) -> str:
    return f"apt-get install {' '.join(packages)}"
