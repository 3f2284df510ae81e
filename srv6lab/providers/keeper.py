"""The process that a namespace lab lives and dies with.

It is PID 1 of a PID namespace of its own, and every process of the lab (nodes, daemons,
tracers) lives below it; the nodes' mounts exist only in its mount namespace. So the kernel
itself takes everything away when the keeper ends: nothing is found by name, nothing is left
behind by a crash. Until it hears `stay` on its standard input, it ends with whoever started
it, because their end of the pipe closes when they die, however they die.

It runs as a script of its own (`python3 -I -S keeper.py`), so it imports the standard library
only. It is told on standard input and answers on standard output, a JSON document a line:

    → {"scratch": "/dir", "nodes": {"r1": "/", …}}     each node with the root that it is laid over
    ← {"node": "r1", "pid": 4711, "start": 123456}     PIDs as the first namespace counts them
    ← {"error": "…"}                                   and the end of everything
    → stay

As `keeper.py more`, in the namespaces of one that keeps a lab already, it starts more nodes there and ends.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import count
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_MOVE, _MS_REC, _MS_PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWPID, _CLONE_NEWNET = 0x20000, 0x4000000, 0x20000000, 0x40000000
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# What each node gets of its own, and what somebody who isn't root writes to, two levels deep.
_FURNISHED = frozenset({"/dev", "/proc", "/run", "/sys", "/tmp"})
_WRITTEN, _WRITTEN_DEPTH = ("/etc", "/usr/local", "/var"), 3
_NOT_A_DISK = frozenset(
    {
        "proc",
        "sysfs",
        "devtmpfs",
        "devpts",
        "tmpfs",
        "ramfs",
        "cgroup",
        "cgroup2",
        "bpf",
        "debugfs",
        "tracefs",
    }
    | {"securityfs", "pstore", "mqueue", "hugetlbfs", "configfs", "fusectl", "autofs", "binfmt_misc"}
    | {"efivarfs", "nsfs", "rpc_pipefs", "selinuxfs"}
)


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        shown = ", ".join(a.decode() if isinstance(a, bytes) else str(a) for a in arguments if a is not None)
        raise OSError(number, f"{name}({shown}): {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    _call(
        "mount",
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )


def _identity() -> tuple[int, int]:
    """(PID, start time in clock ticks) of this process as the mounted /proc counts them."""
    with open("/proc/self/stat", encoding="ascii") as file:
        text = file.read()
    return int(text.split(" ", 1)[0]), int(text.rpartition(")")[2].split()[19])


def _unescape(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), path)


def _mounts() -> Iterable[tuple[str, str]]:
    """Mount points, outer before inner, and the types of their file systems."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            before, _, after = line.partition(" - ")
            yield _unescape(before.split()[4]), after.split()[0]


def _disks() -> Iterable[str]:
    """Mount points of the host's real file systems other than the root."""
    return (path for path, kind in _mounts() if path != "/" and kind not in _NOT_A_DISK)


def _overlay(lower: str, name: str, target: str, ours: Iterable[str] = ()) -> None:
    """Lay a writable layer over `lower`; the layer's folders are made in the current folder, with those of `lower` that
    are to be `ours`: a folder that both layers have is whose the upper one is."""
    upper, work = f"{name}.upper", f"{name}.work"
    os.mkdir(upper)
    os.mkdir(work)
    os.chmod(upper, os.stat(lower).st_mode & 0o7777)
    for folder in ours:
        os.makedirs(f"{upper}/{folder}", exist_ok=True)
    quoted = re.sub(r"([\\:,])", r"\\\1", lower)
    _mount("overlay", target, "overlay", 0, f"lowerdir={quoted},upperdir={upper},workdir={work}")


def _build_root(scratch: str, lower: str) -> str:
    """A root like `lower` that forgets what is written: overlays whose upper layer is memory. The host's
    other disks belong to the host's root only."""
    _mount("tmpfs", scratch, "tmpfs", _MS_NOSUID, "mode=755")
    os.chdir(scratch)
    root = f"{scratch}/root"
    os.mkdir(root)
    if _is_alone():
        _build_in_parts(scratch, lower, root)
        return root
    disks = [disk for disk in _disks() if os.path.isdir(disk) and not f"{disk}/".startswith(f"{scratch}/")]
    _overlay(lower, "root", root)
    if lower != "/":
        return root
    for number, disk in enumerate(disks):
        try:
            _overlay(disk, f"disk{number}", root + disk)
        except OSError:  # such as a file system that can't be a lower layer: readable will do
            _mount(disk, root + disk, None, _MS_BIND)
            _mount(disk, root + disk, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY)
    return root


def _is_alone() -> bool:
    """Whether this is the user namespace of one user (see rootless.py): all that is somebody else's is nobody's there."""
    try:
        with open("/proc/self/setgroups", encoding="ascii") as file:
            return file.read().strip() == "deny"
    except FileNotFoundError:
        return False


def _build_in_parts(scratch: str, lower: str, root: str) -> None:
    """A root for somebody who is alone in a user namespace. There the kernel lays nothing over a folder that has mounts
    of the host below it, since those hide what lies under them: such a folder is made of its entries."""
    hiding = [path for path, _ in _mounts() if path != scratch]
    names = (f"part{number}" for number in count())

    def lay(folder: str, at: str) -> None:
        if not any(path.startswith(f"{folder.rstrip('/')}/") for path in hiding):
            _overlay_or_bind(folder, next(names), root + at, _written(folder, at))
            return
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            part = f"{at}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), root + part)
            elif entry.is_dir():
                os.mkdir(root + part)
                if part not in _FURNISHED:
                    lay(entry.path, part)
            elif entry.is_file():
                os.close(os.open(root + part, os.O_CREAT | os.O_WRONLY, 0o644))
                _mount(entry.path, root + part, None, _MS_BIND)

    _mount(root, root, None, _MS_BIND)  # a node's root has to be a mount
    lay(lower, "")


def _overlay_or_bind(lower: str, name: str, target: str, ours: Iterable[str]) -> None:
    closed = [folder for folder in ours if not os.access(f"{lower}/{folder}", os.R_OK | os.X_OK)]
    if not os.access(lower, os.R_OK | os.X_OK):  # such as root's own folder
        _mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
        return
    try:
        _overlay(lower, name, target, ours)
    except OSError:  # such as a file system that can't be a lower layer: readable will do
        _mount(lower, target, None, _MS_BIND | _MS_REC)
        return
    for folder in closed:  # what may not be looked into is empty
        _mount("tmpfs", f"{target}/{folder}", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")


def _written(folder: str, at: str) -> list[str]:
    """The folders that programs write to below one that lies at a place of the node's root, relative to it. Somebody who
    is alone may change nothing in them unless they are his."""
    found = []
    for place in _WRITTEN:
        levels = [place[len(at) :].strip("/")] if f"{place}/".startswith(f"{at}/") else []
        for _ in range(_WRITTEN_DEPTH):
            found += levels
            levels = [
                f"{level}/{name}".lstrip("/") for level in levels for name in _folders(f"{folder}/{level}")
            ]
    return found


def _folders(folder: str) -> list[str]:
    try:
        return [one.name for one in os.scandir(folder) if one.is_dir(follow_symlinks=False)]
    except OSError:  # nobody may look into it, or it isn't there
        return []


def _furnish(root: str) -> None:
    """/proc, /sys, /dev, /run and /tmp of the node's own."""
    _mount("proc", f"{root}/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    # Of the kernel's settings only the network's belong to a namespace; the others are the host's.
    _mount(f"{root}/proc/sys/net", f"{root}/proc/sys/net", None, _MS_BIND)
    _mount(f"{root}/proc/sys", f"{root}/proc/sys", None, _MS_BIND | _MS_REC)
    _mount("none", f"{root}/proc/sys", None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY)
    _mount("sysfs", f"{root}/sys", "sysfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    if os.path.isdir(f"{root}/sys/fs/bpf") and not _is_alone():
        _mount("bpf", f"{root}/sys/fs/bpf", "bpf", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "mode=700")
    _mount("tmpfs", f"{root}/run", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755")
    _mount("tmpfs", f"{root}/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777")
    os.mkdir(f"{root}/run/netns")
    if _is_alone():
        # `ip netns exec` takes /sys away and mounts another: allowed in a user namespace as long as there is one still.
        os.mkdir(f"{root}/run/sys")
        _mount("sysfs", f"{root}/run/sys", "sysfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    os.mkdir(f"{root}/run/lock")
    _furnish_dev(f"{root}/dev")


def _furnish_dev(dev: str) -> None:
    _mount("tmpfs", dev, "tmpfs", _MS_NOSUID, "mode=755")
    for name in ("pts", "shm", "net"):
        os.mkdir(f"{dev}/{name}")
    for name in (*_DEVICES, "net/tun"):
        if os.path.exists(f"/dev/{name}"):
            os.close(os.open(f"{dev}/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
            _mount(f"/dev/{name}", f"{dev}/{name}", None, _MS_BIND)
    _mount("devpts", f"{dev}/pts", "devpts", _MS_NOSUID | _MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    _mount("tmpfs", f"{dev}/shm", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777")
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}
    links |= {name: f"/proc/self/fd/{number}" for number, name in enumerate(("stdin", "stdout", "stderr"))}
    for name, to in links.items():
        os.symlink(to, f"{dev}/{name}")


def _enter(root: str) -> None:
    """Make `root` this mount namespace's root. pivot_root leaves nothing of the host's tree; where
    the host's own root is no mount point (a chroot), the new root is moved on top of it instead."""
    os.chdir(root)
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None or _LIBC.syscall(number, b".", b".") != 0:
        _mount(".", "/", None, _MS_MOVE)
        os.chroot(".")
    else:
        _call("umount2", b".", _MNT_DETACH)
    os.chdir("/")


def _quiet_network() -> None:
    """No packet leaves a NIC before its tracer is live: IPv6 starts switched off, and addresses
    then come up without the two seconds of duplicate address detection that nobody here needs."""
    for name, value in (("disable_ipv6", "1"), ("accept_dad", "0"), ("dad_transmits", "0")):
        with open(f"/proc/sys/net/ipv6/conf/default/{name}", "w", encoding="ascii") as file:
            file.write(value)


def _reap_for_ever() -> None:
    """What PID 1 owes its namespace. The end comes by SIGKILL from outside."""
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


def _become_node(name: str, scratch: str, lower: str, tell: Callable[..., None]) -> None:
    """PID 1 of a node: a machine of its own, but for the kernel."""
    pid, start = _identity()
    root = _build_root(scratch, lower)
    _furnish(root)
    _enter(root)
    _call("sethostname", name.encode(), len(name))
    _quiet_network()
    tell(node=name, pid=pid, start=start)
    _reap_for_ever()


def _fork(work: Callable[[], None], tell: Callable[..., None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as error:
            tell(error=str(error))
        os._exit(1)
    return pid


def _start_node(name: str, scratch: str, lower: str, tell: Callable[..., None]) -> None:
    _call("unshare", _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWNET | _CLONE_NEWPID)
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    _fork(lambda: _become_node(name, scratch, lower, tell), tell)


def _tell(**document: object) -> None:
    os.write(1, json.dumps(document).encode() + b"\n")  # one write: lines of several nodes don't mix


def _start_nodes(order: Mapping[str, Any]) -> None:
    for name, lower in order["nodes"].items():
        # A helper makes the namespaces, forks the node into them and ends.
        helper = _fork(partial(_start_node, name, order["scratch"], lower, _tell), _tell)
        os.waitpid(helper, 0)


def _keep() -> None:
    """PID 1 of the lab: starts the nodes, then waits for `stay` or for the pipe to close."""
    order = json.loads(sys.stdin.readline())
    pid, start = _identity()
    _tell(keeper=pid, start=start)
    _start_nodes(order)
    if sys.stdin.readline().strip() != "stay":
        return
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    _reap_for_ever()


def _own_mounts() -> None:
    """From here on no mount of ours shows anywhere else."""
    _call("unshare", _CLONE_NEWNS)
    try:
        _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _make_the_root_a_mount()


def _make_the_root_a_mount() -> None:
    """In a chroot, / may be no mount point, and then nothing can be said about mounts below it. Our own
    mount namespace's root is one: seen from there, the chroot is bound to itself and entered again."""
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    _call("setns", os.open("/proc/self/ns/mnt", os.O_RDONLY), _CLONE_NEWNS)
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    os.fchdir(root)
    path = os.getcwd()
    _mount(path, path, None, _MS_BIND | _MS_REC)
    os.chdir(path)
    os.chroot(".")


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # for sigwait, in every process below
    if sys.argv[1:] == ["more"]:
        _start_nodes(json.loads(sys.stdin.readline()))  # whoever ends leaves them to the keeper, their PID 1
        return
    _own_mounts()
    _call("unshare", _CLONE_NEWPID)
    _fork(_keep, _tell)


if __name__ == "__main__":
    main()
