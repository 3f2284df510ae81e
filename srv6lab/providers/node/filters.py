"""The filter of system calls that a node's processes run under: classic BPF over struct seccomp_data.

CAP_SYS_ADMIN stays with a node because `ip netns` and FRR can't do without, so what else it opens is closed here: file
systems of one's own, kernel objects of the whole machine, reading memory. What a newer kernel may bring is not there.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALLOW, _ERROR = 0x7FFF0000, 0x00050000  # answers; the error's number is added to the latter
_EPERM, _ENOTTY, _ENOSYS, _EPROTONOSUPPORT, _EAFNOSUPPORT = 1, 25, 38, 93, 97
_LOAD, _AND, _JUMP, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x54, 0x05, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

# What is refused. The numbers are those of x86_64, and those that newer architectures have in common.
_REFUSED = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
# What programs do otherwise where a kernel doesn't have it: their arguments can't be looked at, or nobody needs it.
_ABSENT = {
    "clone3": (435, 435),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "listmount": (458, 458),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "statmount": (457, 457),
}
_FIRST_UNKNOWN = 463  # what later kernels have: nobody has looked at it
_LOOKED_AT = {
    "bpf": (321, 280),
    "clone": (56, 220),
    "ioctl": (16, 29),
    "madvise": (28, 233),
    "mount": (165, 40),
    "process_madvise": (440, 440),
    "socket": (41, 198),
    "unshare": (272, 97),
}
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1), "riscv64": (0xC00000F3, 1)}

_NEW_USER = 0x10000000
# Of mount: bind mounts and how mounts are shared are a node's own affair.
_BIND_OR_SHARED = 0x1000 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20
_REMOUNT, _MAGIC, _MAGIC_MASK = 32, 0xC0ED0000, 0xFFFF0000
_READ_ONLY = 1
# Of ioctl: keys pushed into a terminal (TIOCSTI, TIOCLINUX); the console's output taken, another line discipline, a terminal
# hung up, or its settings locked. TIOCSCTTY with 1 takes a terminal from whose it is.
_OF_TERMINALS = (0x5412, 0x541C, 0x541D, 0x5423, 0x5437, 0x5457)
_TAKE_TERMINAL, _FROM_ANOTHER = 0x540E, 1
# What this machine's randomness is made of, and how much it is worth (RNDADDENTROPY and its like).
_OF_RANDOMNESS = (0x40045201, 0x40085203, 0x5204, 0x5206, 0x5207)
# Whole file systems frozen, shut down, resized (`X`, `f`, that of btrfs); consoles; namespaces, whose next one may be another's; how
# memory is cached (`M`).
_OF_THE_MACHINE_BY_TYPE = (ord("X"), ord("f"), 0x94, ord("K"), ord("V"), 0xB7, ord("M"))
# Of socket: UNIX, INET, INET6, KEY, PACKET, MPLS, XDP, and NETLINK. Others, such as VSOCK, belong to no network namespace.
_FAMILIES = (1, 2, 10, 15, 17, 28, 44)
# Of NETLINK: ROUTE, USERSOCK, SOCK_DIAG, NFLOG, XFRM, FIB_LOOKUP, NETFILTER and GENERIC. Others, such as audit, crypto, SELinux and
# the news of devices, are the machine's.
_NETLINK, _PROTOCOLS = 16, (0, 2, 4, 5, 6, 10, 12, 16)
# Of madvise: memory taken out of use as if it were broken (MADV_HWPOISON, MADV_SOFT_OFFLINE), which programs may share.
_BROKEN = (100, 101)

Instruction = tuple[int, int, int, int]


def program(machine: str, bpf: bool) -> bytes:
    """The filter as struct sock_filter, b"" for an architecture that isn't known. With `bpf`, bpf(2) is allowed."""
    if machine not in _ARCHITECTURES:
        return b""
    architecture, column = _ARCHITECTURES[machine]
    parts = [
        [_load(_ARCHITECTURE), (_EQUAL, 1, 0, architecture), _error(_ENOSYS), _load(_NUMBER)],
        [(_AT_LEAST, 0, 1, _FIRST_UNKNOWN), _error(_ENOSYS)],
        _answer(_numbers(_REFUSED, column), _EPERM),
        _answer(_numbers(_ABSENT, column), _ENOSYS),
        *(_only_for(numbers[column], _LOOK[name]) for name, numbers in _LOOKED_AT.items() if name in _LOOK),
        [] if bpf else _answer([_LOOKED_AT["bpf"][column]], _EPERM),
        [(_ANSWER, 0, 0, _ALLOW)],
    ]
    return b"".join(struct.pack("HBBI", *one) for part in parts for one in part)


def _numbers(table: Mapping[str, tuple[int, int | None]], column: int) -> list[int]:
    return [number for numbers in table.values() if (number := numbers[column]) is not None]


def _load(offset: int) -> Instruction:
    return _LOAD, 0, 0, offset


def _argument(number: int) -> Instruction:
    """The lower half of an argument, which is first on all architectures here."""
    return _load(_ARGUMENTS + 8 * number)


def _error(number: int) -> Instruction:
    return _ANSWER, 0, 0, _ERROR + number


def _answer(values: Sequence[int], error: int) -> list[Instruction]:
    """An error for what is loaded if it is one of these."""
    jumps = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*jumps, (_JUMP, 0, 0, 1), _error(error)]


def _only_for(number: int, rules: list[Instruction]) -> list[Instruction]:
    """Rules for one system call, which all end in an answer."""
    return [(_EQUAL, 0, len(rules), number), *rules]


def _mount() -> list[Instruction]:
    """`ip netns exec` mounts a /sys and ends if it can't: that it is answered with success, and sees the node's."""
    return [
        _argument(3),
        (_AND, 0, 0, _MAGIC_MASK),
        (_EQUAL, 0, 1, _MAGIC),
        _error(_EPERM),
        _argument(3),
        (_ANY_BIT, 0, 1, _REMOUNT),
        _error(_EPERM),
        (_ANY_BIT, 0, 1, _BIND_OR_SHARED),
        (_ANSWER, 0, 0, _ALLOW),
        (_AND, 0, 0, 0xFFFFFFFF ^ _READ_ONLY),
        (_EQUAL, 0, 1, 0),
        _error(0),
        _error(_EPERM),
    ]


def _ioctl() -> list[Instruction]:
    return [
        _argument(1),
        *_answer(_OF_TERMINALS + _OF_RANDOMNESS, _EPERM),
        *_only_for(
            _TAKE_TERMINAL, [_argument(2), *_answer([_FROM_ANOTHER], _EPERM), (_ANSWER, 0, 0, _ALLOW)]
        ),
        (_AND, 0, 0, 0xFF00),
        *_answer([kind << 8 for kind in _OF_THE_MACHINE_BY_TYPE], _ENOTTY),
        (_ANSWER, 0, 0, _ALLOW),
    ]


def _no_others(values: Sequence[int], error: int) -> list[Instruction]:
    """An error for what is loaded unless it is one of these, and an answer in any case."""
    jumps = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*jumps, _error(error), (_ANSWER, 0, 0, _ALLOW)]


def _socket() -> list[Instruction]:
    families = _no_others(_FAMILIES, _EAFNOSUPPORT)
    protocols = _no_others(_PROTOCOLS, _EPROTONOSUPPORT)
    return [_argument(0), (_EQUAL, len(families), 0, _NETLINK), *families, _argument(2), *protocols]


def _advice(place: int) -> list[Instruction]:
    return [_argument(place), *_answer(_BROKEN, _EPERM), (_ANSWER, 0, 0, _ALLOW)]


def _new_user() -> list[Instruction]:
    """User namespaces are where one has all capabilities again."""
    return [_argument(0), (_ANY_BIT, 0, 1, _NEW_USER), _error(_EPERM), (_ANSWER, 0, 0, _ALLOW)]


_LOOK = {
    "clone": _new_user(),
    "ioctl": _ioctl(),
    "madvise": _advice(2),
    "mount": _mount(),
    "process_madvise": _advice(3),
    "socket": _socket(),
    "unshare": _new_user(),
}
