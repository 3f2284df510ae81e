"""The real VBoxManage in a chroot of Debian's newest, for tests: made once, entered with mounts of their own.

VirtualBox is in Debian's contrib of sid only. Its package wants a kernel driver, which nothing but `startvm`
needs: so the package's own dependencies are installed, and it is unpacked beside them.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

NAMESPACES = ("unshare", "--mount")
SUITE = "sid"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "srv6lab" / "virtualbox"
STAND_IN = Path(__file__).with_name("VBoxManage")
REPOSITORY = Path(__file__).resolve().parents[2]
_NOT_NEEDED = ("virtualbox", "systemd", "python3", "procps", "iproute2")

# A copy of the archive may be older than its stamp allows: what is wanted here is any version that works.
_APT = 'Acquire::Check-Valid-Until "false";'
_UNPACK = r"""
set -eu
cd "$1"
names=$(chroot . apt-cache show virtualbox | sed -n 's/^Depends: //p' | head -n 1 | tr ',' '\n' |
    sed 's/|.*//; s/(.*//; s/:any//; s/ //g' | grep -vE "^($2)")
chroot . env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $names
mkdir -p package
(cd package && chmod 777 . && chroot "$1" sh -c 'cd /package && apt-get download virtualbox')
dpkg-deb -x package/virtualbox_*.deb .
rm -r package
"""


def chroot() -> Path:
    """The chroot, made if it isn't there; needs root, mmdebstrap and a network."""
    root = CACHE / "root"
    if (root / "usr/lib/virtualbox/VBoxManage").exists():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=CACHE) as scratch:
        made = Path(scratch) / "root"
        unpack = f"sh -c {shlex.quote(_UNPACK)} unpack \"$1\" '{'|'.join(_NOT_NEEDED)}'"
        command = ["mmdebstrap", "--variant=minbase", f"--aptopt={_APT}", "--components=main,contrib"]
        command += [f"--customize-hook={unpack}", SUITE, str(made), "-"]
        done = subprocess.run(command, input=_sources(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        shutil.rmtree(root, ignore_errors=True)
        made.rename(root)
    return root


def _sources() -> str:
    """This machine's own apt sources with the suite and contrib."""
    here = subprocess.run(
        ["sh", "-c", '. /etc/os-release; echo "$VERSION_CODENAME"'], capture_output=True, text=True
    )
    script = str(REPOSITORY / "scripts" / "apt-suite")
    done = subprocess.run([script, here.stdout.strip(), SUITE], capture_output=True, text=True)
    assert done.returncode == 0, "this machine has no apt sources to take Debian from"
    return done.stdout.replace("Components: main", "Components: main contrib")


def enter(root: Path, base: Path) -> None:
    """Give the chroot the folder `base` under its own name, /proc and /dev; for a process that has mounts
    of its own."""
    inside = root / base.relative_to("/")
    inside.mkdir(parents=True, exist_ok=True)
    for kind in (["--bind", str(base), str(inside)], ["-t", "proc", "proc", str(root / "proc")]):
        subprocess.run(["mount", *kind], check=True)
    subprocess.run(["mount", "--bind", "/dev", str(root / "dev")], check=True)


def environment(root: Path, base: Path) -> Mapping[str, str]:
    """For Vagrant: the stand-in as VBoxManage, and everything it keeps below `base`."""
    folder = base / "bin"
    folder.mkdir(exist_ok=True)
    if not (folder / "VBoxManage").exists():
        (folder / "VBoxManage").symlink_to(STAND_IN)
    ours = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "VBOX_CHROOT": str(root),
        "VBOX_STATE": str(base / "run"),
        "VBOX_USER_HOME": str(base / "virtualbox"),
        "VBOX_IPC_SOCKETID": base.name,
        "VAGRANT_HOME": str(base / "vagrant"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
    }
    return {**os.environ, **ours}


class VirtualBox:
    """VBoxManage in its chroot, with machines that qemu runs."""

    def __init__(self, base: Path) -> None:
        self.base, self.root = base, chroot()
        enter(self.root, base)
        self.env = environment(self.root, base)
        self._manage("setproperty", "machinefolder", str(base / "machines"))

    def pids(self) -> dict[str, int]:
        """The qemu of each machine that runs."""
        return {path.stem: int(path.read_text()) for path in (self.base / "run").glob("*.pid")}

    def known(self) -> list[str]:
        """The machines that VirtualBox has, but for those that Vagrant clones others from."""
        masters = self.base / "vagrant" / "boxes"
        kept = [path.read_text().strip() for path in masters.rglob("master_id")]
        lines = self._manage("list", "vms").splitlines()
        return [line for line in lines if not any(identity in line for identity in kept)]

    def tools(self) -> dict[str, list[str]]:
        inside = ["/usr/sbin/chroot", str(self.root), "/usr/lib/virtualbox/VBoxManage", "--version"]
        return {"VBoxManage": inside}

    def close(self) -> None:
        """Its service ends by itself, some seconds after its last client; the mount on `base` goes now."""
        subprocess.run(["umount", str(self.root / self.base.relative_to("/"))])

    def _manage(self, *words: str) -> str:
        done = subprocess.run(["VBoxManage", *words], env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
