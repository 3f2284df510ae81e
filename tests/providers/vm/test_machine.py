"""What qemu is started with, and whether KVM is believed."""

from __future__ import annotations

import os
import shlex
import time
from itertools import pairwise
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.images.kernel import Kernel
from srv6lab.providers.vm import boot, machine
from srv6lab.providers.vm.machine import BOARDS, Machine, boots, kvm_works

QEMU = ["-accel", "kvm", "-cpu", "host"]


@pytest.fixture
def files(tmp_path: Path) -> Kernel:
    """A kernel of which a stand-in for qemu looks at the names only."""
    found = Kernel("1.2.3", "amd64", tmp_path / "a, b" / "1.2")
    found.modules.mkdir(parents=True)
    (found.modules / "modules.dep").write_text("")
    for path in (found.image, found.busybox):
        path.write_bytes(b"")
    return found


def stand_in(folder: Path, files: Kernel, does: str) -> list[str]:
    """A qemu that does this when it is told what a probe tells it, word by word, and else refuses."""
    told = shlex.join(
        [
            *[*QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
            *["-machine", "q35", "-m", "512", "-serial", "stdio", "-kernel", str(files.image), "-initrd"],
        ]
    )
    path = folder / "qemu"
    path.write_text(
        "#!/bin/bash\n"
        f"told=({told})\n"
        'for word in "${told[@]}"; do [ "$1" = "$word" ] || { echo "not told: $1" >&2; exit 99; }; shift; done\n'
        '[ -s "$1" ] && [ "$2 $3" = "-append console=ttyS0 quiet panic=-1" ] && [ $# = 3 ] || exit 98\n'
        f"{does}\n"
    )
    path.chmod(0o755)
    return [str(path), *QEMU]


WORD = machine._WORD.decode()


@pytest.mark.parametrize(
    ("does", "works"),
    [
        (f"echo '[ 0.1] linux'; echo '{WORD}'", True),
        ("echo 'KVM: entry failed'; exit 1", False),
        ("exit 0", False),
        ("kill -ABRT $$", False),
    ],
    ids=["boots", "refused", "silent", "aborts"],
)
def test_kvm_is_believed_when_a_kernel_speaks(tmp_path: Path, files: Kernel, does: str, works: bool) -> None:
    assert boots(files, stand_in(tmp_path, files, does), 10) is works


def test_a_stand_in_that_is_told_something_else_refuses(tmp_path: Path, files: Kernel) -> None:
    qemu = stand_in(tmp_path, files, f"echo '{WORD}'")
    assert boots(files, [qemu[0], "-accel", "kvm", "-cpu", "max"], 10) is False


def test_a_kvm_that_hangs_is_given_up(tmp_path: Path, files: Kernel) -> None:
    qemu = stand_in(tmp_path, files, f"echo $$ >{tmp_path}/pid; exec sleep 600")
    before = time.monotonic()
    assert boots(files, qemu, 1.0) is False
    assert time.monotonic() - before < 5
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()


def test_a_machine_without_kvm_is_not_asked(files: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kvm_works.cache_clear()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(machine, "boots", lambda *_: pytest.fail("no child is needed to see that"))
    assert kvm_works(files) is False
    kvm_works.cache_clear()


def test_a_real_kernel_speaks_when_it_is_emulated(kernel: Kernel) -> None:
    board = BOARDS[kernel.architecture]
    assert boots(kernel, [board.qemu, "-accel", "tcg", "-cpu", board.cpu], 120)


def test_this_machine_s_kvm_answers_in_time(kernel: Kernel) -> None:
    """One way or the other: here it may hang or abort."""
    kvm_works.cache_clear()
    before = time.monotonic()
    kvm_works(kernel)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    ("works", "words"), [(True, ["kvm", "host"]), (False, ["tcg,thread=multi", "qemu64"])]
)
def test_kvm_or_emulation(
    tmp_path: Path, files: Kernel, monkeypatch: pytest.MonkeyPatch, works: bool, words: list[str]
) -> None:
    monkeypatch.setattr(machine, "kvm_works", lambda _: works)
    found = Machine(files)
    argv = found.command(tmp_path)
    assert argv[argv.index("-accel") + 1] == words[0]
    assert argv[argv.index("-cpu") + 1].split(",")[0] == words[1]
    assert ("KVM" in found.how, "emulated" in found.how) == (True, not works)


def test_another_architecture_is_emulated(
    tmp_path: Path, files: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "kvm_works", lambda _: True)
    monkeypatch.setattr(machine, "native", lambda: "riscv64")
    argv = Machine(files).command(tmp_path)
    assert argv[argv.index("-accel") + 1].startswith("tcg")


def test_only_shares_can_be_written_to_and_commas_are_doubled(
    tmp_path: Path, files: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "kvm_works", lambda _: False)
    share = tmp_path / "x,readonly=on"
    argv = Machine(files, shares={share: "/out"}).command(tmp_path)
    drives = [word for before, word in pairwise(argv) if before == "-fsdev"]
    writable = [drive for drive in drives if not drive.endswith(",readonly=on")]
    assert [drive.split(",security_model")[0] for drive in drives] == [
        "local,id=root,path=/",
        f"local,id=modules,path={str(files.modules).replace(',', ',,')}",
        f"local,id=share0,path={str(share).replace(',', ',,')}",
    ]
    assert writable == [drives[2]]


def test_a_missing_qemu_is_named(files: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        Machine(files).command(tmp_path)
    assert str(caught.value).splitlines()[0] == "not on this machine: qemu-system-x86_64"
    assert caught.value.mend


def test_an_unknown_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "n", "1", "v", "pdp11")))
    with pytest.raises(MachineError, match="can't be booted on pdp11"):
        machine.native()


def test_its_folder_lies_in_the_cache_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with boot._scratch() as folder:
        assert folder.parent == tmp_path / "srv6lab/machines"
