"""What virtual machines need, read from outputs that stand in `recorded/`: each file says where its form is from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.doctor import vagrant as virtual
from srv6lab.doctor.asking import Answer
from srv6lab.doctor.findings import unmet
from srv6lab.host.system import System
from srv6lab.host.vagrant import FIRST_VAGRANT, mismatch

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.yml"))
LINUX = System("debian", "Debian", "Linux 6.1", "x86-64")
WINDOWS = System("windows", "Windows 11", "NT 10.0", "x86-64")


def answer(said: str | Mapping[str, Any]) -> Answer:
    return Answer(0, said) if isinstance(said, str) else Answer(**said)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_outputs(path: Path) -> None:
    case = yaml.safe_load(path.read_text("utf-8"))
    answers = {name: answer(said) for name, said in case["answers"].items()}
    system = System(**case["system"])
    asked = virtual.questions(case["provider"], system, {})
    assert set(answers) == set(asked), "a question without an answer, or the other way round"
    lab = virtual.Wanted(case.get("machines", 0), case.get("memory", 0))
    found = virtual.findings(case["provider"], system, answers, case["disk"], lab)
    assert {one.name: [one.state.value, one.found] for one in found} == case["findings"]
    mends = case.get("mends", {})
    assert {one.name for one in found if one.mend} == set(mends)
    for one in found:
        assert mends.get(one.name, "") in one.mend
    wanted = (*virtual.needs(case["provider"], found), *(virtual.room(found) if lab.machines else ()))
    assert [str(need) for need in unmet(wanted, found)] == case["unmet"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_tool_that_fails_is_lacking_whatever_it_says(path: Path) -> None:
    """The same outputs with another exit code: what was OK by a tool's word no longer is."""
    case = yaml.safe_load(path.read_text("utf-8"))
    answers = {name: Answer(1, answer(said).out) for name, said in case["answers"].items()}
    found = virtual.findings(case["provider"], System(**case["system"]), answers, case["disk"])
    states = {one.name: one.state for one in found}
    assert states["vagrant"] == "lacking"
    for name in {"VirtualBox", "libvirt", "qemu", "KVM"} & states.keys():
        assert states[name] == "lacking"


@pytest.mark.parametrize("release", FIRST_VAGRANT, ids=str)
def test_a_vagrant_drives_a_virtualbox_from_one_version_on(release: tuple[int, int]) -> None:
    first = FIRST_VAGRANT[release]
    assert mismatch(first, (*release, 9)) == ""
    before = (first[0], first[1], first[2] - 1)
    assert "Vagrant from" in mismatch(before, (*release, 9))


@pytest.mark.parametrize(
    ("virtualbox", "said"), [((5, 2, 44), "6.1 is the oldest"), ((8, 0, 0), "7.2 is the newest")]
)
def test_a_virtualbox_beyond_the_pairs_is_told(virtualbox: tuple[int, ...], said: str) -> None:
    assert said in mismatch((2, 4, 9), virtualbox)


def test_virtualbox_of_windows_is_found_where_its_installer_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    folder = "C:\\Program Files\\Oracle\\VirtualBox\\"
    asked = virtual.questions("virtualbox", WINDOWS, {"VBOX_MSI_INSTALL_PATH": folder})
    assert asked["virtualbox"] == ("C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe", "--version")
    assert virtual.questions("virtualbox", LINUX, {})["virtualbox"] == ("VBoxManage", "--version")


def test_kvm_is_asked_on_linux_only() -> None:
    assert "kvm" in virtual.questions("libvirt", LINUX)
    assert "kvm" not in virtual.questions("libvirt", System("macos", "", "", "x86-64"))
