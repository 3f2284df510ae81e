"""What a process in a node may not do, taken from it before anything of the lab runs.

Root in a node is root of this machine with less: capabilities, and a filter of system calls for what CAP_SYS_ADMIN would
allow, which `ip netns` can't do without. docs/security.md says what is kept, and why.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct

from . import filters
from .kernel import call

# Capabilities by their numbers (linux/capability.h). Whoever changes this table changes docs/security.md, too.
KEPT = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "SYS_ADMIN": 21,
}
BPF = 39
_EVERY = range(64)

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SECCOMP = 4, 24, 22
_SECCOMP_MODE_FILTER = 2
_CAPABILITIES_3 = 0x20080522

# What of a user's share processes of a node may take, root's too: the rest is this machine's. And no program of the host
# is given a core, which a limit of 1 says to the kernel.
_LIMITS = {
    resource.RLIMIT_CORE: 1,
    resource.RLIMIT_MEMLOCK: 256 << 20,  # kernels before 5.11 count memory of eBPF by it
    resource.RLIMIT_SIGPENDING: 4096,
    resource.RLIMIT_MSGQUEUE: 400_000,
}


def mask(bpf: bool) -> int:
    """The capabilities of a node, one bit each."""
    return sum(1 << number for number in (*KEPT.values(), *([BPF] if bpf else [])))


def bound(kept: int) -> None:
    """No program that this process starts has another capability than these."""
    for number in _EVERY:
        if not kept >> number & 1:
            try:
                _prctl(_PR_CAPBSET_DROP, number)
            except OSError:  # the kernel knows no such number, and none behind it
                return


def guard(kept: int) -> None:
    """Leave this process what a node may do, for ever."""
    hidden()
    _limit()
    bound(kept)
    _filter(bool(kept >> BPF & 1))
    _set_capabilities(kept)


def hidden() -> None:
    """From here on this process may not be looked into by others of a node, nor its children, until one becomes a program of
    theirs."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _limit() -> None:
    for limit, value in _LIMITS.items():
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):  # there is a lower one, which nobody may raise here
            continue


def _set_capabilities(kept: int) -> None:
    """Those of `kept` that this process has, permitted and effective. None is inherited: those that are would come in
    spite of the bounding set."""
    kept &= _permitted()
    low, high = kept & 0xFFFFFFFF, kept >> 32
    header = struct.pack("=Ii", _CAPABILITIES_3, 0)
    call("capset", header, struct.pack("=6I", low, low, 0, high, high, 0))


def _permitted() -> int:
    """The capabilities of this process."""
    have = ctypes.create_string_buffer(24)
    call("capget", struct.pack("=Ii", _CAPABILITIES_3, 0), have)
    _, low, _, _, high, _ = struct.unpack("=6I", have.raw)
    return int(low | high << 32)


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _filter(bpf: bool) -> None:
    """On architectures whose numbers aren't known here there is no filter: docs/security.md says so."""
    program = filters.program(os.uname().machine, bpf)
    if program:
        structure = _Program(len(program) // 8, program)
        _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(structure))


def _prctl(*words: int) -> None:
    call("prctl", *(ctypes.c_ulong(word) for word in (*words, 0, 0, 0, 0)[:5]))
