"""System calls that Python has no words for."""

from __future__ import annotations

import ctypes
import os

from .lean import signal

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBC = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 0x1000, 0x2000, 0x4000, 0x40000
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_VM = 0x100
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}


def call(name: str, *arguments: object) -> None:
    """A function of the C library that answers 0, or OSError."""
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        shown = ", ".join(a.decode() if isinstance(a, bytes) else str(a) for a in arguments if a is not None)
        raise OSError(number, f"{name}({shown}): {os.strerror(number)}")


def clone_to_wait(stack: int, namespaces: int) -> int:
    """A child in namespaces of its own that waits until it is killed: its PID, or 0 where the kernel makes none. It runs in
    this process's memory, of which a fork would copy all page tables, and nothing of Python; on a stack that ends at this
    address, which has to stay until then. Only for a process without threads."""
    return max(
        0, int(_LIBC.clone(_LIBC.pause, ctypes.c_void_p(stack), CLONE_VM | namespaces | signal.SIGCHLD, None))
    )


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    call(
        "mount",
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )


def read_only(folder: str, flags: int = 0) -> None:
    """What is mounted there is not to be written to from here on; it has these flags, too."""
    mount("none", folder, None, MS_BIND | MS_REMOUNT | MS_RDONLY | flags)


def pivot_root() -> bool:
    """The current folder, a mount, as this mount namespace's root; False where the kernel refuses."""
    number = _PIVOT_ROOT.get(os.uname().machine)
    return number is not None and _LIBC.syscall(number, b".", b".") == 0


def mounts() -> Iterator[tuple[str, str]]:
    """Mount points, outer before inner, and the types of their file systems."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            before, _, after = line.partition(" - ")
            yield _unescape(before.split()[4]), after.split()[0]


def _unescape(path: str) -> str:
    plain, *rest = path.split("\\")
    return plain + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)


def is_alone() -> bool:
    """Whether this is the user namespace of one user (see rootless.py): all that is somebody else's is nobody's there."""
    try:
        with open("/proc/self/setgroups", encoding="ascii") as file:
            return file.read().strip() == "deny"
    except FileNotFoundError:
        return False
