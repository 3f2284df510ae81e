"""Filters as people know them from tcpdump (pcap-filter(7)), compiled and run by libpcap, which tcpdump needs anyway.

It is called through ctypes: the kept bindings on PyPI (pcapy-ng, libpcap) are compiled at their installation or wrap
more of it than these four calls.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from functools import lru_cache

from srv6lab.errors import MachineError, UsageError

ETHERNET = 1  # LINKTYPE_ of tcpdump.org
_SNAPSHOT = 262144
_ANY_NETMASK = 0xFFFFFFFF
_NAMES = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so", "libpcap.dylib", "wpcap.dll")
_DLT = {101: 12}  # LINKTYPE_RAW has another number in libpcap


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


class _Packet(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("kept", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    )


def compiled(expression: str, link: int = ETHERNET) -> Callable[[bytes, int], bool]:
    """Whether a filter keeps a packet, by its bytes and the length that it had on the wire; `link` is its LINKTYPE_.

    UsageError with libpcap's words for what is no filter.
    """
    pcap = _library()
    handle = pcap.pcap_open_dead(_DLT.get(link, link), _SNAPSHOT)
    if not handle:
        raise MachineError("libpcap gives no handle: this machine has no memory left")
    program = _Program()
    try:
        if pcap.pcap_compile(
            handle, ctypes.byref(program), expression.encode(errors="replace"), 1, _ANY_NETMASK
        ):
            said = pcap.pcap_geterr(handle).decode(errors="replace").strip()
            raise UsageError(
                f"{expression!r} is no filter: {said}",
                "filters are written as for tcpdump (man pcap-filter), such as 'ip6 and not icmp6'",
            )
    finally:
        pcap.pcap_close(handle)
    head = _Packet()
    run, of_program, of_head = pcap.pcap_offline_filter, ctypes.byref(program), ctypes.byref(head)

    def keeps(data: bytes, length: int) -> bool:
        head.kept, head.length = len(data), length
        return bool(run(of_program, of_head, data))

    return keeps


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """libpcap with the types of what is called."""
    pcap = _loaded()
    pcap.pcap_open_dead.restype = ctypes.c_void_p
    pcap.pcap_geterr.restype = ctypes.c_char_p
    pcap.pcap_geterr.argtypes = [ctypes.c_void_p]
    pcap.pcap_close.argtypes = [ctypes.c_void_p]
    pcap.pcap_compile.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(_Program),
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint32,
    ]
    pcap.pcap_offline_filter.argtypes = [ctypes.POINTER(_Program), ctypes.POINTER(_Packet), ctypes.c_char_p]
    return pcap


def _loaded() -> ctypes.CDLL:
    found = ctypes.util.find_library("pcap")
    for name in (*_NAMES, *([found] if found else [])):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise MachineError("this machine has no libpcap, which filters need", "apt-get install tcpdump")
