"""`doctor --mend`: what would be installed, and when nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.doctor import mending
from srv6lab.doctor.findings import Diagnosis, Finding, Need, State
from srv6lab.errors import MachineError, UsageError
from srv6lab.host import packages
from srv6lab.host.packages import Tool
from srv6lab.host.system import System

DEBIAN = System("debian", "Debian 12", "Linux 6.1", "x86-64")
FEDORA = System("fedora", "Fedora 40", "Linux 6.1", "x86-64")
TSHARK = Tool("lab", "tshark", "tshark", "reads the captures back")


def diagnosis(lab: str, *lacking: str) -> Diagnosis:
    findings = tuple(Finding("tools", one, State.LACKING) for one in lacking)
    needs = tuple(Need((one,), "a need") for one in lacking if one != "suricata")
    return Diagnosis("netns", DEBIAN, findings, needs, (), lab)


def test_of_a_lab_what_it_needs_is_missing_and_else_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        mending, "where", lambda how: None if how in ("ip", "tc", "suricata") else f"/bin/{how}"
    )
    found = mending.packages(diagnosis("a-lab", "ip", "tc", "suricata", "snort", "SRv6"))
    assert [one.package for one in found] == ["iproute2"]
    assert [one.package for one in mending.packages(diagnosis("", "ip"))] == ["iproute2", "suricata"]


def test_nothing_missing_installs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    mending.install([], yes=True)
    assert "are there" in capsys.readouterr().err


def test_without_apt_it_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MachineError, match=r"Fedora 40 has no apt.*\n  mend: dnf install wireshark-cli"):
        mending.install([TSHARK], yes=True, system=FEDORA)
    assert "tshark         reads the captures back" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "code"), [("n\n", None), ("", None), ("y\n", 0), ("yes\n", 1)])
def test_it_asks_first(
    answer: str, code: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever doesn't say yes gets nothing; then the setup script is asked for these packages."""
    told = tmp_path / "told"
    script = tmp_path / "setup"
    script.write_text(f'echo "$*" >{told}\nexit {code or 0}\n')
    monkeypatch.setattr(mending, "SETUP", script)
    monkeypatch.setattr(mending.shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(mending.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(mending.sys.stdin, "readline", lambda: answer, raising=False)
    if code is None:
        with pytest.raises(UsageError, match="nothing is installed"):
            mending.install([TSHARK], yes=False, system=DEBIAN)
        assert not told.exists()
        return
    if code:
        with pytest.raises(MachineError, match="not all of them"):
            mending.install([TSHARK], yes=False, system=DEBIAN)
    else:
        mending.install([TSHARK], yes=False, system=DEBIAN)
    assert told.read_text() == "packages tshark\n"


def test_where_it_is_installed_doctor_mends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "INSTALLED", True)
    assert packages.remedy([TSHARK], DEBIAN) == "invoke doctor --mend"
    assert packages.remedy([packages.named("qemu-img", "box")], DEBIAN) == "apt-get install qemu-utils"
