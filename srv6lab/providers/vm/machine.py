"""A machine of qemu's: what it is started with, whether KVM can drive it, and commands run in it.

It has no network and no disk. Its root is a folder of this machine (the whole of it, if nothing else is
said), shared read-only under an overlay in memory; only the folders named as shares can be written to.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from srv6lab.errors import MachineError
from srv6lab.host.files import IMPORTED_FROM
from srv6lab.host.requirements import require, tools
from srv6lab.images.kernel import Kernel
from srv6lab.providers.vm import agent, call
from srv6lab.providers.vm.initramfs import archive, build

PORTS = 16
_AGENT = Path(agent.__file__)
_BARE = ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")


@dataclass(frozen=True, slots=True)
class Board:
    """What differs between architectures. `cpu` is the emulated one."""

    qemu: str
    machine: str
    cpu: str
    console: str


BOARDS = {
    # With `max` the guest faults now and then under emulation.
    "amd64": Board("qemu-system-x86_64", "q35", "qemu64,-cx16,+ssse3,+sse4.1,+sse4.2,+popcnt", "ttyS0"),
    "arm64": Board("qemu-system-aarch64", "virt", "cortex-a57", "ttyAMA0"),
}
_NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}


def native() -> str:
    """Debian's word for this machine's architecture; MachineError where none is known."""
    machine = os.uname().machine
    try:
        return _NATIVE[machine]
    except KeyError:
        raise MachineError(
            f"other kernels can't be booted on {machine}", "use an x86-64 or arm64 machine"
        ) from None


@dataclass(frozen=True, slots=True)
class Machine:
    """What to boot. `shares` are folders that both sides write to, each under the path it has here;
    `python` is that of the root folder."""

    kernel: Kernel
    root: Path = Path("/")
    python: str = sys.executable
    shares: Mapping[Path, str] | None = None
    memory: int = 2048
    processors: int = 2

    @property
    def accelerated(self) -> bool:
        return self._own and kvm_works(self.kernel)

    @property
    def _own(self) -> bool:
        return self.kernel.architecture == native()

    @property
    def how(self) -> str:
        if self.accelerated:
            return "with KVM"
        return "emulated, since KVM doesn't work here" if self._own else "emulated"

    def command(self, folder: Path) -> list[str]:
        """The qemu command line; run it in `folder`, which takes its sockets, initramfs and console."""
        board = BOARDS[self.kernel.architecture]
        require(tools([board.qemu]))
        kvm = self.accelerated
        shares = {f"share{number}": pair for number, pair in enumerate((self.shares or {}).items())}
        image = build(
            self.kernel,
            _AGENT.read_bytes(),
            self.python,
            PORTS,
            {tag: to for tag, (_, to) in shares.items()},
        )
        (folder / "initramfs").write_bytes(image)
        argv = [board.qemu, *_BARE, "-machine", board.machine, "-accel", "kvm" if kvm else "tcg,thread=multi"]
        argv += ["-cpu", "host" if kvm else board.cpu, "-smp", str(self.processors), "-m", str(self.memory)]
        argv += ["-kernel", str(self.kernel.image), "-initrd", "initramfs", "-serial", "file:console.log"]
        argv += [
            "-append",
            f"console={board.console} quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on",
        ]
        argv += ["-device", "virtio-rng-pci", "-device", f"virtio-serial-pci,max_ports={PORTS + 1}"]
        for number in range(PORTS):
            argv += ["-chardev", f"socket,id=port{number},path=port{number},server=on,wait=off"]
            argv += ["-device", f"virtserialport,chardev=port{number},nr={number + 1}"]
        argv += _share("root", self.root, readonly=True) + _share(
            "modules", self.kernel.modules, readonly=True
        )
        for tag, (path, _) in shares.items():
            argv += _share(tag, path, readonly=False)
        return argv


@lru_cache
def kvm_works(kernel: Kernel, seconds: float = 5.0) -> bool:
    """Whether KVM boots that kernel here. It may be there and hang, so a child finds out."""
    board = BOARDS[kernel.architecture]
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and boots(
        kernel, [board.qemu, "-accel", "kvm", "-cpu", "host"], seconds
    )


_WORD = b"srv6lab: it runs"


def boots(kernel: Kernel, qemu: Sequence[str], seconds: float) -> bool:
    """Whether a machine that is started with these words comes as far as its first process in time."""
    board = BOARDS[kernel.architecture]
    init = b"#!/bin/busybox sh\necho " + _WORD + b"; exec /bin/busybox reboot -f\n"
    with tempfile.NamedTemporaryFile() as image:
        image.write(archive({"init": init, "bin/busybox": kernel.busybox.read_bytes()}))
        image.flush()
        popen = subprocess.Popen(
            [
                *[*qemu, *_BARE, "-machine", board.machine, "-m", "512", "-serial", "stdio"],
                *["-kernel", str(kernel.image), "-initrd", image.name],
                *["-append", f"console={board.console} quiet panic=-1"],
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return _WORD in popen.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            popen.kill()
            with suppress(subprocess.TimeoutExpired):  # a processor that hangs in the kernel may not die
                popen.communicate(timeout=1.0)
            return False


def _share(tag: str, path: Path, *, readonly: bool) -> list[str]:
    options = f"local,id={tag},path={str(path).replace(',', ',,')},security_model=none,multidevs=remap"
    return [
        "-fsdev",
        options + (",readonly=on" if readonly else ""),
        *["-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"],
    ]


def calling(folder: Path, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` in the machine whose sockets are in `folder`."""
    python = ["env", f"PYTHONPATH={IMPORTED_FROM}", sys.executable, "-P", "-S", "-m", call.__name__]
    return [*python, str(folder), "--", *argv]
