"""Debians of other suites and Ubuntus, as boxes have them: each a folder that mmdebstrap made once, in which scripts of ours run.

A run has its own mounts, processes and layer over the folder, so nothing of it stays. The kernel is this machine's.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from srv6lab.host.command import output
from srv6lab.host.files import cache
from srv6lab.images import debian
from tests.conftest import REPOSITORY, silent

# What a box has before Day0: a machine that Vagrant can talk to, and no tool of a lab but `ip` and Python.
PACKAGES = ("ca-certificates", "iproute2", "iputils-ping", "openssh-server", "procps", "python3", "sudo")
# Suites that mmdebstrap knows the archive of by itself. Suricata is in Ubuntu's universe, as it is in its boxes' sources.
UBUNTU = ("jammy", "noble")
_LEFT_OUT = tuple(f"/usr/share/{name}/*" for name in ("doc", "man", "info", "locale"))
_ENTER = """
set -e
mount -t tmpfs layers "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs sys sys
mount -t bpf bpf sys/fs/bpf
mount --rbind /dev dev
mount -t tmpfs run run
mkdir -p run/netns run/lock mnt tmp
cp -L /etc/resolv.conf etc/resolv.conf
cat /etc/hosts >etc/hosts
mount -o bind,ro "$3" mnt
while [ "$4" != -- ]; do
  mkdir "$4"
  mount -o bind,ro "$5" "$4"
  shift 2
done
shift 4
exec chroot . env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
"""


def userland(suite: str, more: Sequence[str] = ()) -> Path:
    """The folder of a suite, with `more` packages; it is built if none of that recipe was."""
    packages = [*PACKAGES, *more]
    folder = cache("userlands") / f"{suite}-{debian.recipe(suite, *packages)}"
    with debian.alone(folder.with_name(f".{folder.name}.lock"), lambda: silent("")):
        if not folder.exists():
            with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as work:
                tree = Path(work) / "root"
                _bootstrap(suite, tree, packages)
                tree.rename(folder)
    return folder


def _bootstrap(suite: str, tree: Path, packages: Sequence[str]) -> None:
    options = ["--variant=minbase"]
    if suite not in UBUNTU:
        debian.mmdebstrap(suite, tree, packages, _LEFT_OUT, options)
        return
    command = [
        "mmdebstrap",
        "--quiet",
        *options,
        "--components=main,universe",
        f"--include={','.join(['apt', *packages])}",  # Ubuntu's minbase has none
    ]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    output(
        [*command, suite, str(tree)], 1800.0, mend="it needs Ubuntu's archive and the package ubuntu-keyring"
    )


def inside(
    suite: str,
    argv: Sequence[str],
    folder: Path,
    given: str = "",
    timeout: float = 900,
    *,
    more: Sequence[str] = (),
    shares: Mapping[str, Path] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a suite's userland, as root, with this repository at /mnt, and `shares` read-only at the names
    below / that they have. `folder` is empty, and is left so."""
    apart = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
    tree = userland(suite, more)
    shared = [word for name, path in (shares or {}).items() for word in (name, str(path.resolve()))]
    command = [
        *apart,
        "sh",
        "-c",
        _ENTER,
        "sh",
        str(folder),
        str(tree),
        str(REPOSITORY),
        *shared,
        "--",
        *argv,
    ]
    return subprocess.run(command, capture_output=True, text=True, input=given, timeout=timeout)
