"""/proc, /sys, /dev, /run and /tmp of a node's own, and how its root becomes one that can't be left."""

from __future__ import annotations

import ctypes
import os
import stat

from .kernel import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MNT_DETACH,
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    call,
    clone_to_wait,
    is_alone,
    mount,
    pivot_root,
    read_only,
)
from .lean import signal

_STACK = 1 << 16
_SHARED_MEMORY = "64m"
_NOTHING = MS_NOSUID | MS_NODEV | MS_NOEXEC
_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
    "net/tun": (10, 200),
}
# What is the machine's and no node's: nothing is read there. `mtrr` is changed through a file that is open to be read, and
# ports of PCI devices answer to reading by doing something.
_MASKED = (
    *(f"proc/{name}" for name in ("kcore", "kallsyms", "kmsg", "keys", "key-users", "sysrq-trigger")),
    *(f"proc/{name}" for name in ("timer_list", "sched_debug", "latency_stats", "acpi", "scsi", "asound")),
    *("proc/mtrr", "proc/bus/pci"),
    *("sys/firmware", "sys/devices/virtual/powercap", "sys/devices/virtual/dmi"),
)


def furnish(root: str, bpf: bool) -> None:
    """With a file system for eBPF objects if the node may have any."""
    _furnish_dev(f"{root}/dev")
    _furnish_proc(f"{root}/proc")
    _furnish_sys(root, bpf)
    if not is_alone():
        _mask(root)
    if is_alone():
        mount("tmpfs", f"{root}/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
        mount("tmpfs", f"{root}/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
        # `ip netns exec` takes /sys away and mounts another: allowed in a user namespace as long as there is one still.
        os.mkdir(f"{root}/run/sys")
        mount("sysfs", f"{root}/run/sys", "sysfs", _NOTHING)
    for name in ("netns", "lock"):
        os.makedirs(f"{root}/run/{name}", exist_ok=True)


def _furnish_proc(proc: str) -> None:
    """Of the kernel's settings only the network's belong to a namespace; the others are the host's."""
    mount("proc", proc, "proc", _NOTHING)
    mount(f"{proc}/sys/net", f"{proc}/sys/net", None, MS_BIND)
    if is_alone():
        mount(f"{proc}/sys", f"{proc}/sys", None, MS_BIND | MS_REC)
        read_only(f"{proc}/sys")
    else:
        read_only(proc, _NOTHING)


def _furnish_sys(root: str, bpf: bool) -> None:
    mount("sysfs", f"{root}/sys", "sysfs", _NOTHING)
    if is_alone():
        return
    own = f"{root}/sys/devices/virtual/net"
    mount(own, own, None, MS_BIND)
    if bpf and os.path.isdir(f"{root}/sys/fs/bpf"):
        mount("bpf", f"{root}/sys/fs/bpf", "bpf", _NOTHING, "mode=700")
    read_only(f"{root}/sys", _NOTHING)


def _mask(root: str) -> None:
    buses = [f"sys/devices/{name}" for name in os.listdir(f"{root}/sys/devices") if name.startswith("pci")]
    for name in (*_MASKED, *buses):
        place = f"{root}/{name}"
        if os.path.isdir(place):
            mount("tmpfs", place, "tmpfs", MS_RDONLY | _NOTHING, "mode=555,size=4k")
        elif os.path.exists(place):
            mount(f"{root}/dev/null", place, None, MS_BIND)


def _furnish_dev(dev: str) -> None:
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in ("pts", "shm", "net"):
        os.mkdir(f"{dev}/{name}")
    for name, number in _DEVICES.items():
        _device(name, number, f"{dev}/{name}")
    mount("devpts", f"{dev}/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    mount("tmpfs", f"{dev}/shm", "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={_SHARED_MEMORY}")
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}
    links |= {name: f"/proc/self/fd/{number}" for number, name in enumerate(("stdin", "stdout", "stderr"))}
    for name, to in links.items():
        os.symlink(to, f"{dev}/{name}")


def _device(name: str, number: tuple[int, int], place: str) -> None:
    """A device of the node's own; where none may be made, this machine's."""
    if not os.path.exists(f"/dev/{name}"):
        return
    try:
        os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(*number))
        os.chmod(place, 0o666)
    except OSError:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/dev/{name}", place, None, MS_BIND)
        if not is_alone():
            read_only(place)  # as a device it is still written to


def enter(root: str) -> None:
    """Make `root` this mount namespace's root. pivot_root leaves nothing of the host's tree; where
    the host's own root is no mount point (a chroot), the new root is moved on top of it instead."""
    os.chdir(root)
    if pivot_root():
        call("umount2", b".", MNT_DETACH)
    else:
        mount(".", "/", None, MS_MOVE)
        os.chroot(".")
    os.chdir("/")


def lock() -> None:
    """Nobody takes away or changes what is mounted by now, whatever he may do otherwise: so the kernel has it with mounts
    that were copied into another user namespace's mount namespace. Where users may make none, a filter of system calls
    has to do (see guard.py)."""
    stack = ctypes.create_string_buffer(_STACK)
    pid = clone_to_wait(ctypes.addressof(stack) + _STACK, CLONE_NEWUSER | CLONE_NEWNS)
    if not pid:
        return
    try:
        copy = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
        call("setns", copy, CLONE_NEWNS)
        os.close(copy)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
