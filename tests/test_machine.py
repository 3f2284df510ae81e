"""What this machine is, and the commands that install what it lacks."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.host import packages, requirements
from srv6lab.host.packages import Tool, listed, named, remedy, tools_in
from srv6lab.host.requirements import Lack, require
from srv6lab.host.system import System, family, processor_name, this_system, version
from srv6lab.providers.netns import TOOLS
from tests.conftest import REPOSITORY

FAMILIES = ("debian", "fedora", "arch", "alpine", "suse", "macos", "windows")


def of(name: str) -> System:
    return System(name, name.capitalize(), "kernel 1", "x86-64")


def test_the_list_is_the_setup_scripts_own(tmp_path: Path) -> None:
    """What its shell prints is what is read here."""
    text = packages.SETUP.read_text()
    start = text.index("packages() {")
    function = text[start : text.index("\n}\n", start) + 3]
    done = subprocess.run(["sh", "-c", f"{function}packages"], capture_output=True, text=True, check=True)
    lines = [tuple(cell.strip() for cell in line.split("|")) for line in done.stdout.splitlines()]
    assert lines == [(one.group, one.how, one.package, one.purpose) for one in listed()]
    assert len(lines) > 15


def test_what_up_needs_is_listed_for_labs() -> None:
    assert set(TOOLS) <= {tool.how for tool in listed() if tool.group == "lab"}


@pytest.mark.parametrize("group", ["lab", "virtualbox", "libvirt"])
@pytest.mark.parametrize("system", FAMILIES)
def test_every_package_has_a_remedy_everywhere(system: str, group: str) -> None:
    """A command that this system has, or words that say that there is none."""
    first = {"debian": "scripts/setup ", "fedora": "dnf install ", "arch": "pacman -S ", "alpine": "apk add "}
    first |= {"suse": "zypper install ", "macos": "brew install ", "windows": "winget install "}
    for tool in (one for one in listed() if one.group == group):
        said = remedy([tool], of(system))
        assert said.startswith(first[system]) or "has no package known here" in said
        assert tool.package in packages._elsewhere(), f"how do other systems call {tool.package}?"


def test_on_debian_the_setup_script_mends_what_it_lists() -> None:
    assert remedy([named("tshark"), named("ip")], of("debian")) == "scripts/setup lab"
    assert remedy([named("vagrant", "libvirt")], of("debian")) == "scripts/setup libvirt"
    assert remedy([named("vagrant", "virtualbox")], of("debian")) == "scripts/setup virtualbox"
    assert remedy([named("snort")], of("debian")) == "apt-get install snort"


@pytest.mark.parametrize("group", ["virtualbox", "libvirt"])
def test_the_setup_script_knows_the_groups_that_are_told(group: str) -> None:
    """It begins its work, and doesn't explain itself: here it ends at a Python that isn't there."""
    done = subprocess.run(
        ["scripts/setup", group],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHON": "python0.1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "no python0.1" in done.stderr


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("fedora", "dnf install wireshark-cli iproute iproute-tc"),
        ("arch", "pacman -S wireshark-cli iproute2"),
        ("alpine", "apk add tshark iproute2"),
        ("suse", "zypper install wireshark iproute2"),
        ("macos", "Macos has no package known here: install what Debian calls iproute2"),
        ("", " has no package known here: install what Debian calls tshark, iproute2"),
    ],
)
def test_elsewhere_packages_have_the_systems_names(system: str, said: str) -> None:
    assert remedy([named("tshark"), named("ip"), named("tc")], of(system)) == said


def test_without_the_script_a_package_has_the_commands_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "SETUP", Path("/nonexistent/setup"))
    listed.cache_clear()
    try:
        assert listed() == ()
        assert named("tshark") == Tool("", "tshark", "tshark", "")
        assert remedy([named("tshark")], of("debian")) == "apt-get install tshark"
    finally:
        listed.cache_clear()


def test_a_list_is_read_line_by_line() -> None:
    text = "x\n    cat <<'LIST'\na | b | c | d e\nlib  | /usr/x | y | z\nLIST\nno | thing | of | it\n"
    assert tools_in(text) == (Tool("a", "b", "c", "d e"), Tool("lib", "/usr/x", "y", "z"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID='fedora'\n", "fedora"),
        ("ID=opensuse-tumbleweed\nID_LIKE='opensuse suse'\n", "suse"),
        ("ID=manjaro\nID_LIKE=arch\n", "arch"),
        ("ID=alpine\n", "alpine"),
        ("ID=nixos\n", ""),
        ("", ""),
    ],
)
def test_the_family_of_a_distribution(text: str, expected: str) -> None:
    assert family(dict(word.split("=", 1) for word in shlex.split(text))) == expected


def test_a_system_without_os_release_is_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> dict[str, str]:
        raise OSError

    monkeypatch.setattr(platform, "freedesktop_os_release", none)
    assert (this_system().family, this_system().name) == ("", "Linux")


def test_this_system_is_linux() -> None:
    system = this_system()
    assert system.is_linux
    assert system.kernel == f"Linux {platform.release()}"


def test_macos_and_windows_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert (this_system().family, this_system().name, this_system().processor) == (
        "macos",
        "macOS 15.1",
        "arm64",
    )
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(platform, "release", lambda: "11")
    monkeypatch.setattr(sys, "platform", "win32")
    assert (this_system().family, this_system().name, this_system().processor) == (
        "windows",
        "Windows 11",
        "x86-64",
    )
    assert not this_system().is_linux


@pytest.mark.parametrize(
    ("said", "name"),
    [("x86_64", "x86-64"), ("AMD64", "x86-64"), ("aarch64", "arm64"), ("riscv64", "riscv64")],
)
def test_processors_have_one_name(said: str, name: str) -> None:
    assert processor_name(said) == name


@pytest.mark.parametrize(
    ("text", "numbers"), [("6.18.44-fc-v595", (6, 18, 44)), ("iproute2-6.1.0", (2,)), ("none", ())]
)
def test_the_first_number_is_the_version(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


def test_all_that_is_lacking_is_told_at_once() -> None:
    require(None, None)
    with pytest.raises(MachineError) as told:
        require(Lack("no root", "sudo"), None, Lack("no tools", "install them"))
    assert str(told.value) == "no root\n  mend: sudo\nno tools\n  mend: install them"


def test_missing_tools_are_named_with_one_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(requirements, "remedy", lambda tools: remedy(tools, of("debian")))
    (tmp_path / "ip").symlink_to(shutil.which("sh", path="/bin:/usr/bin") or "")
    assert requirements.tools(("ip", "ping", "tcpdump")) == Lack(
        "not on this machine: ping, tcpdump", "scripts/setup lab"
    )
    assert requirements.tools(("ip",)) is None
