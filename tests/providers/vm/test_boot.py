"""A Debian kernel booted for real, with this machine's files in it; emulated where KVM doesn't work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.errors import MachineError
from srv6lab.host.files import cache
from srv6lab.images.kernel import Kernel
from srv6lab.providers.vm.boot import Booted, booted
from srv6lab.providers.vm.machine import Machine
from tests.conftest import REPOSITORY, silent
from tests.machine import settles

pytestmark = pytest.mark.prove  # every machine here is emulated where KVM doesn't work
MACHINES = cache("machines")


def sh(vm: Booted, script: str, timeout: float = 60) -> str:
    done = vm.run(["sh", "-c", script], timeout)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def test_it_runs_the_kernel_that_was_asked_for(vm: Booted, kernel: Kernel) -> None:
    assert sh(vm, "uname -r") == kernel.release != os.uname().release


def test_exit_code_output_and_errors_are_the_command_s(vm: Booted) -> None:
    done = vm.run(["sh", "-c", "cat; echo err >&2; exit 7"], 60, "given")
    assert (done.exit_code, done.stdout, done.stderr) == (7, "given", "err\n")


def test_this_machine_s_files_are_there_and_what_is_written_is_forgotten(vm: Booted, tmp_path: Path) -> None:
    here = REPOSITORY / "pyproject.toml"
    assert sh(vm, f"cat '{here}'") == here.read_text().strip()
    sh(vm, f"echo no >'{here}'; echo no >'{tmp_path}/new'; rm /etc/os-release")
    assert sh(vm, f"cat '{here}'") == "no"
    assert here.read_text() != "no\n"
    assert Path("/etc/os-release").exists()
    assert not (tmp_path / "new").exists()


def test_only_the_share_is_written_to(vm: Booted, tmp_path_factory: pytest.TempPathFactory) -> None:
    """And at once: both sides see the same bytes."""
    shared = tmp_path_factory.getbasetemp() / "shared"
    sh(vm, f"echo from inside >'{shared}/file'")
    assert (shared / "file").read_text() == "from inside\n"
    (shared / "file").write_text("from outside, and longer\n")
    assert sh(vm, f"cat '{shared}/file'") == "from outside, and longer"


def test_modules_load_and_vrf_is_there(vm: Booted) -> None:
    """Which the kernel of the machine outside may lack; SRv6 is in Debian's."""
    sh(vm, "ip link add blue type vrf table 10 && ip -d link show blue && sysctl -w net.vrf.strict_mode=1")
    sh(
        vm,
        "ip link add name dum0 type dummy && ip link set dum0 up && ip -6 route add fc00::d4 "
        "encap seg6local action End.DT4 vrftable 10 dev blue",
    )
    assert "End.DT4" in sh(vm, "ip -6 route show fc00::d4")


def test_it_has_no_way_out(vm: Booted) -> None:
    """No NIC and no disk: all that it has is what it made itself."""
    assert sh(vm, "find /sys/class/net /sys/block -lname '*/devices/pci*' -o -lname '*virtio*'") == ""


def test_a_late_command_is_killed_there(vm: Booted) -> None:
    with pytest.raises(MachineError) as caught:
        vm.run(["sh", "-c", "exec -a late-one sleep 600"], 1.0)
    assert str(caught.value).startswith("no answer in 1 s: sh -c")
    assert settles(lambda: not vm.run(["pgrep", "-f", "sleep 600"], 60).stdout, 20)


def test_many_commands_at_once(vm: Booted) -> None:
    running = [
        subprocess.Popen(vm.command(["sh", "-c", f"sleep 0.2; echo {n}"]), stdout=subprocess.PIPE, text=True)
        for n in range(18)
    ]
    assert [popen.communicate(timeout=120)[0] for popen in running] == [f"{n}\n" for n in range(18)]


def test_a_machine_whose_first_process_is_missing_says_what_its_console_said(kernel: Kernel) -> None:
    with pytest.raises(MachineError) as caught, booted(Machine(kernel, python="/nowhere/python"), silent):
        pytest.fail("it can't come up")
    assert "didn't come up" in str(caught.value)
    assert "/nowhere/python" in str(caught.value)


def test_a_qemu_that_fails_says_why(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(b"no kernel")
    broken = replace(kernel, folder=tmp_path)
    for name in ("lib", "busybox", "release"):
        (tmp_path / name).symlink_to(kernel.folder / name)
    before = time.monotonic()
    with pytest.raises(MachineError), booted(Machine(broken), silent):
        pytest.fail("it can't come up")
    assert time.monotonic() - before < 60


HOLDER = """
import sys
from pathlib import Path
from srv6lab.providers.vm.boot import booted
from srv6lab.images.kernel import Kernel
from srv6lab.providers.vm.machine import Machine
with booted(Machine(Kernel(sys.argv[1], sys.argv[2], Path(sys.argv[3]))), lambda _: None) as vm:
    print(vm.process.pid, vm.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_whoever_booted_it(kernel: Kernel, number: signal.Signals) -> None:
    argv = [sys.executable, "-c", HOLDER, kernel.release, kernel.architecture, str(kernel.folder)]
    holder = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert holder.stdout
    pid, folder = holder.stdout.readline().split()
    assert Path(f"/proc/{pid}").exists()
    holder.send_signal(number)
    holder.communicate(timeout=30)
    assert settles(lambda: not Path(f"/proc/{pid}").exists())
    left = Path(folder).parent.exists()
    assert left is (number != signal.SIGINT), "files alone may be left by a process that was killed"
    if left:
        with pytest.raises(MachineError), booted(Machine(kernel, python="/nowhere/python"), silent):
            pytest.fail("it can't come up")
        assert not Path(folder).parent.exists(), "the next machine sweeps them away"


def test_a_single_command_as_a_user_types_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "srv6lab.providers.vm", "6.12", "--share", str(tmp_path), "--"]
    script = f"cat; uname -r >'{tmp_path}/said'; exit 7"
    done = subprocess.run(
        [*words, "sh", "-c", script], input="given", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, "given"), done.stderr
    assert (tmp_path / "said").read_text().startswith("6.12.")
    assert done.stderr.startswith("booting Linux 6.12.")
