"""A machine from our own box, booted once and kept as it stands then, for proofs that have minutes.

Nothing is done in it but to wait until all has started, and what the caller wants to be prepared: the first start's host
keys are made, the disk is what a boot makes of it, and Vagrant has not been there. It is kept beside the box, under a name made of the disk's bytes,
qemu's version and what the machine is made of; another one of these is another snapshot.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from srv6lab.host import files
from srv6lab.topology.model import STANDARD
from tests.vagrant.qemu import PROGRAM, Failed, Hardware, Monitor, Snapshot, put_on, save

# What VirtualBox makes of our box and Vagrant of a machine of a lab; the stand-in refuses a machine that isn't so.
HARDWARE = Hardware(str(STANDARD.memory), "1", "ahci", "e1000,mac=08:00:27:A5:6B:36,netdev=n1")
DISK = "box.vmdk"  # in the box
_STARTED = "sudo systemctl is-system-running --wait; {prepare}; sync"
_PATIENCE = 1200.0

Say = Callable[[str], None]


def name(box: Path, hardware: Hardware = HARDWARE, version: str = "", prepare: str = "true") -> str:
    """What a snapshot is called: another disk, qemu or machine, or one that was prepared in another way, has another name."""
    asked = version or subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout
    with tarfile.open(box) as archive, cast(IO[bytes], archive.extractfile(DISK)) as disk:
        content = hashlib.file_digest(disk, "sha256").hexdigest()
    made_of = [content, asked, *hardware.words(Path("disk")), _STARTED, prepare]
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:16]


def snapshot(box: Path, say: Say, prepare: str = "true") -> Snapshot:
    """The snapshot of a box for VirtualBox, booted if it isn't there, in which a command of a shell was run."""
    kept = Snapshot(files.cache("snapshot") / name(box, prepare=prepare))
    if kept.facts():
        say(f"booted before, in {kept.folder}")
        return kept
    kept.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".booting-", dir=kept.folder.parent) as scratch:
        made = Snapshot(Path(scratch) / "snapshot")
        made.folder.mkdir()
        image = _image(box, Path(scratch))
        say("booting the box once, which takes some minutes")
        start = time.monotonic()
        _boot(made, image, _STARTED.format(prepare=prepare))
        made.keep(HARDWARE, seconds=round(time.monotonic() - start, 1))
        shutil.rmtree(kept.folder, ignore_errors=True)
        made.folder.rename(kept.folder)
    say(f"it is in {kept.folder}, {kept.memory.stat().st_size >> 20} MiB of memory")
    return kept


def _image(box: Path, scratch: Path) -> Path:
    """The disk in a box as a qcow2: qemu saves no machine that has a vmdk open, although it restores one."""
    image = scratch / "box.qcow2"
    with tarfile.open(box) as archive:
        archive.extract(DISK, scratch, filter="data")
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", scratch / DISK, image], check=True)
    return image


def _boot(made: Snapshot, image: Path, started: str) -> None:
    """Boot a machine from an image, wait until all has started, and keep it."""
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", made.disk], check=True
    )
    port, monitor = _free_port(), made.folder / "monitor"
    command = HARDWARE.words(made.disk)
    command += ["-netdev", f"user,id=n1,ipv6=off,hostfwd=tcp:127.0.0.1:{port}-:22"]
    command += ["-qmp", f"unix:{monitor},server=on,wait=off", "-serial", f"file:{made.folder / 'console'}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as qemu:
        try:
            _wait_until_started(qemu, port, started)
            save(Monitor(monitor), made.memory)
            qemu.wait(60)
        finally:
            qemu.kill()
    monitor.unlink(missing_ok=True)
    put_on(made.disk, None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_until_started(qemu: subprocess.Popen[bytes], port: int, started: str) -> None:
    home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    options = [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "ConnectTimeout=30",
        "BatchMode=yes",
    ]
    words = [word for option in options for word in ("-o", option)]
    command = ["ssh", "-q", *words, "-i", str(home / "insecure_private_key"), "-p", str(port)]
    deadline = time.monotonic() + _PATIENCE
    while subprocess.run([*command, "vagrant@127.0.0.1", started], capture_output=True).returncode:
        if qemu.poll() is not None:
            raise Failed(f"qemu ended with {qemu.returncode} while the box booted")
        if time.monotonic() > deadline:
            raise Failed(f"the box didn't answer within {_PATIENCE:g} s")
        time.sleep(1)
