"""A lab of somebody who isn't root: in a user namespace of his own, where he is root over what it holds and over nothing else.

As a script (`python3 -I -S rootless.py new COMMAND…`, or the PID of a process to join) it enters such a namespace and
becomes the command. Only one user exists in there, so the kernel refuses what daemons do to become somebody else: give
groups back, change their user, give files away. Those calls are answered with success and do nothing, by a filter
that all that the command starts inherits.

It imports the standard library only.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import warnings  # noqa: F401 - which execvp imports, and within the namespace that may not be read

TYPE_CHECKING = False  # as in node/enter.py
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CLONE_NEWUSER = 0x10000000
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _SUCCEED = 0x7FFF0000, 0x00050000  # answers: go on; SECCOMP_RET_ERRNO with error 0
_LOAD, _IF_EQUAL, _ANSWER = 0x20, 0x15, 0x06  # instructions of classic BPF
_NUMBER, _ARCHITECTURE = 0, 4  # where struct seccomp_data has them
# setuid, setgid, setreuid, setregid, setgroups, setresuid, setresgid, setfsuid, setfsgid, chown, fchown, lchown, fchownat.
_BECOMING = {
    "x86_64": (0xC000003E, (105, 106, 113, 114, 116, 117, 119, 122, 123, 92, 93, 94, 260)),
    "aarch64": (0xC00000B7, (146, 144, 145, 143, 159, 147, 149, 151, 152, 55, 54)),
    "riscv64": (0xC00000F3, (146, 144, 145, 143, 159, 147, 149, 151, 152, 55, 54)),
}
_NEW = "new"


def begin() -> tuple[str, ...]:
    """The beginning of a command line that runs what follows in a new user namespace; nothing for root."""
    return () if os.geteuid() == 0 else _by_script(_NEW)


def within(pid: int) -> tuple[str, ...]:
    """The beginning of a command line that runs what follows in the user namespace of a process; nothing where that is
    this process's own, or isn't for it to know."""
    try:
        theirs = os.stat(f"/proc/{pid}/ns/user")
    except OSError:
        return ()
    return () if os.path.samestat(theirs, os.stat("/proc/self/ns/user")) else _by_script(str(pid))


def _by_script(place: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-S", __file__, place


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _make() -> None:
    """A user namespace in which this user is root, and nobody else is anybody."""
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _join(pid: int) -> None:
    """The user namespace of a process, as its owner: whoever is root outside leaves that there, since what runs inside
    is the owner's."""
    owner = os.stat(f"/proc/{pid}")
    descriptor = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
    _call("setns", descriptor, _CLONE_NEWUSER)
    os.close(descriptor)


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _pretend() -> None:
    """Becoming somebody else succeeds and does nothing, in this process and all that it starts."""
    machine = os.uname().machine
    if machine not in _BECOMING:
        return
    program = filter_of(*_BECOMING[machine])
    structure = _Program(len(program) // 8, program)
    _call("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(structure), 0, 0)


def filter_of(architecture: int, numbers: Sequence[int]) -> bytes:
    """The filter, as struct sock_filter: those system calls get error 0. What calls by another architecture's numbers
    (32 bits) may mean others by them, and goes on."""
    count = len(numbers)
    instructions = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, count + 1, architecture),
        (_LOAD, 0, 0, _NUMBER),
        *((_IF_EQUAL, count - place, 0, number) for place, number in enumerate(numbers)),
        (_ANSWER, 0, 0, _ALLOW),
        (_ANSWER, 0, 0, _SUCCEED),
    ]
    return b"".join(struct.pack("HBBI", *one) for one in instructions)


def main(place: str, command: list[str]) -> None:
    enter: Callable[[], None] = _make if place == _NEW else lambda: _join(int(place))
    try:
        enter()
        _pretend()
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} can't be run in a user namespace: {error}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
