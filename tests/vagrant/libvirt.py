"""A libvirtd of its own for tests: the real one, with every folder below a base, in namespaces that end with it.

It runs machines as root, and without AppArmor and control groups: what a traced lab asks of libvirt's qemu.conf.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

# Networks, mounts and processes of libvirt's stay in here; the shell buries what loses its parent.
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", "bash", "-c", '"$@" <&0 & wait $!', "bash")  # fmt: skip
SOCKET = Path("/run/libvirt/libvirt-sock")
FOLDERS = {
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "log": "/var/log/libvirt",
    "cache": "/var/cache/libvirt",
}
_DAEMON = 'auth_unix_ro = "none"\nauth_unix_rw = "none"\nunix_sock_group = "root"\n'
_QEMU = {
    "user": '"root"',
    "group": '"root"',
    "security_driver": '"none"',
    "stdio_handler": '"file"',
    "cgroup_controllers": "[]",
    "namespaces": "[]",
}
_PATIENCE = 60.0


class Libvirt:
    """libvirtd under way; `qemu` says otherwise than what labs need, to see what becomes of it."""

    def __init__(self, base: Path, qemu: Mapping[str, str] = {}) -> None:
        self.base = base
        folder = base / "libvirt"
        for name, place in FOLDERS.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", str(folder / name), place], check=True)
        (folder / "lib" / "images").mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # of this network
        subprocess.run(["ip", "link", "set", "dev", "lo", "up"], check=True)
        (folder / "etc/libvirtd.conf").write_text(_DAEMON)
        lines = (f"{key} = {value}\n" for key, value in {**_QEMU, **qemu}.items())
        (folder / "etc/qemu.conf").write_text("".join(lines))
        with (base / "libvirtd.log").open("w") as log:
            self.daemon = subprocess.Popen(["libvirtd"], stdout=log, stderr=log)
        deadline = time.monotonic() + _PATIENCE
        while not SOCKET.exists():
            assert self.daemon.poll() is None and time.monotonic() < deadline, (
                base / "libvirtd.log"
            ).read_text()
            time.sleep(0.05)

    @property
    def env(self) -> dict[str, str]:
        """For Vagrant: everything it keeps below `base`. The machine's own KVM is left alone."""
        ours = {"VAGRANT_HOME": str(self.base / "vagrant"), "VAGRANT_CHECKPOINT_DISABLE": "1"}
        return {**os.environ, **ours, "SRV6LAB_EMULATE": "1"}

    def pids(self) -> dict[str, int]:
        """The qemu of each machine that runs."""
        files = (path for path in Path("/run/libvirt/qemu").glob("*.pid") if path.stem != "driver")
        return {path.stem: int(path.read_text()) for path in files}

    def known(self) -> list[str]:
        """The names of all that libvirt has, but for boxes and Vagrant's own network: machines, and their disks."""
        said = [["list", "--all", "--name"], ["vol-list", "default"]]
        done = [subprocess.run(["virsh", "-q", *words], capture_output=True, text=True) for words in said]
        lines = [line.split()[0] for one in done for line in one.stdout.splitlines() if line.strip()]
        return [line for line in lines if "VAGRANTSLASH" not in line]

    def tools(self) -> dict[str, list[str]]:
        return {
            "libvirtd": ["libvirtd", "--version"],
            "vagrant-libvirt": ["vagrant", "plugin", "list"],
        }

    def close(self) -> None:
        """The namespaces take all else with them."""
        self.daemon.terminate()
        self.daemon.wait()
