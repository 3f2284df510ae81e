"""What a machine boots into: busybox, the modules that reach its root, and a script that goes there.

The root is an overlay of a folder that is shared read-only, with its upper layer in memory. The archive is
in the `newc` format, which the kernel unpacks.
"""

from __future__ import annotations

import lzma
import shlex
from collections.abc import Mapping
from pathlib import Path

from srv6lab.images.kernel import Kernel

_MODULES = ("virtio_pci", "virtio_console", "virtio_rng", "9pnet_virtio", "9p", "overlay")
_AGENT = "/run/srv6lab-agent.py"
_9P = "trans=virtio,version=9p2000.L,msize=524288"

_START = """\
#!/bin/busybox sh
set -e
/bin/busybox --install -s /bin
trap 'echo "boot failed at line $LINENO of /init" >/dev/console; reboot -f' EXIT
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for module in /modules/*; do insmod "$module"; done
mkdir /lower /layers /new
mount -t 9p -o ro,cache=loose,{options} root /lower
mount -t tmpfs -o mode=755,size=75% layers /layers
mkdir /layers/upper /layers/work
mount -t overlay -o lowerdir=/lower,upperdir=/layers/upper,workdir=/layers/work root /new
cd /new
mount --move /dev dev
mount --move /proc proc
mount --move /sys sys
mkdir -p dev/pts dev/shm
ln -s /proc/self/fd dev/fd
mount -t devpts -o mode=620,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t tmpfs -o mode=755 run run
mount -t bpf -o mode=700 bpf sys/fs/bpf
mkdir -p run/netns run/lock lib/modules/{release}
mount -t 9p -o ro,cache=loose,{options} modules lib/modules/{release}
{shares}
ip link set lo up
hostname {hostname}
cp /agent.py .{agent}
trap - EXIT
exec switch_root /new {command}
"""


def build(kernel: Kernel, agent: bytes, python: str, ports: int, shares: Mapping[str, str]) -> bytes:
    """The archive. `shares` maps the tag of a writable share to the folder it is mounted on."""
    files = {"init": _script(kernel, python, ports, shares).encode(), "agent.py": agent}
    files["bin/busybox"] = kernel.busybox.read_bytes()
    for number, path in enumerate(_needed(kernel.modules)):
        files[f"modules/{number:02}-{path.name.removesuffix('.xz')}"] = _decompressed(path)
    return archive(files)


def _script(kernel: Kernel, python: str, ports: int, shares: Mapping[str, str]) -> str:
    mounts = []
    for tag, folder in shares.items():
        place = shlex.quote(f".{folder}")
        mounts.append(f"mkdir -p {place}; mount -t 9p -o cache=none,{_9P} {shlex.quote(tag)} {place}")
    return _START.format(
        options=_9P,
        release=kernel.release,
        shares="\n".join(mounts),
        hostname=shlex.quote(f"linux-{kernel.folder.name}"),
        agent=_AGENT,
        command=shlex.join([python, "-I", "-S", _AGENT, str(ports)]),
    )


def _needed(folder: Path) -> list[Path]:
    """The modules that a boot needs, each after those that it needs itself; what is built in isn't there."""
    known = {}
    for line in (folder / "modules.dep").read_text("ascii").splitlines():
        path, _, rest = line.partition(":")
        known[_name(path)] = (path, rest.split())
    found: list[str] = []
    for name in _MODULES:
        if name in known:
            path, needs = known[name]
            found += [one for one in (*reversed(needs), path) if one not in found]
    return [folder / path for path in found]


def _name(path: str) -> str:
    return Path(path).name.partition(".")[0].replace("-", "_")


def _decompressed(path: Path) -> bytes:
    """Debian's modules are plain or, from 6.12, compressed with xz."""
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def archive(files: Mapping[str, bytes]) -> bytes:
    """A `newc` archive of executable files, with the folders they are in."""
    folders = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}
    entries = [(name, 0o040755, b"") for name in (*sorted(folders), "dev", "proc", "sys")]
    entries += [(name, 0o100755, content) for name, content in files.items()]
    parts = [_entry(number, *one) for number, one in enumerate(entries, start=1)]
    return b"".join([*parts, _entry(0, "TRAILER!!!", 0, b"")])


def _entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    path = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + path
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
