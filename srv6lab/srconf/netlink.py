"""rtnetlink: qdiscs and filters, and news of interfaces and routes.

`tc` attaches a loaded program only from a pin, and makes a qdisc and its filter in two processes: a death between
them would leave an empty qdisc.  Here both are one message to the kernel.  Nothing here knows SRv6.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import ToolError

RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46
REQUEST, ACK, EXCL, DUMP, CREATE = 0x1, 0x4, 0x200, 0x300, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
CLSACT, CLSACT_HANDLE, INGRESS, EGRESS = 0xFFFFFFF1, 0xFFFF0000, 0xFFFFFFF2, 0xFFFFFFF3
ETH_P_ALL = 3
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_BPF_FD, TCA_BPF_NAME, TCA_BPF_FLAGS, TCA_BPF_ID, DIRECT_ACTION = 6, 7, 8, 11, 1
GROUPS = 1 << 0 | 1 << 3 | 1 << 10  # of interfaces, of traffic control, of IPv6 routes
MESSAGES_AT_ONCE = 1000
ROUTE_PROTOCOL = 5  # its offset in struct rtmsg
HEADER, TC, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxxxiIII"), struct.Struct("=HH")

Attributes = dict[int, bytes]


@dataclass(frozen=True)
class Filter:
    """A filter of the clsact or ingress qdisc; `program_id` and `name` are a bpf filter's."""

    preference: int
    handle: int
    program_id: int | None
    name: str


def with_ingress() -> set[int]:
    """The indexes of the interfaces that have a clsact or ingress qdisc."""
    dumped = _ask(RTM_GETQDISC, DUMP, TC.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
    return {
        index for _, (_, index, _, _, _), attributes in dumped if _kind(attributes) in ("clsact", "ingress")
    }


def filters(index: int, hook: int = INGRESS) -> list[Filter]:
    """The filters of an interface; those of one that is gone are none."""
    try:
        dumped = list(_ask(RTM_GETTFILTER, DUMP, TC.pack(socket.AF_UNSPEC, index, 0, hook, 0)))
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.EINVAL, errno.EOPNOTSUPP):
            return []
        raise
    return [_filter(handle, info, attributes) for _, (_, _, handle, _, info), attributes in dumped if handle]


def _filter(handle: int, info: int, attributes: Attributes) -> Filter:
    options = _attributes(attributes.get(TCA_OPTIONS, b"")) if _kind(attributes) == "bpf" else {}
    program = options.get(TCA_BPF_ID)
    return Filter(
        preference=info >> 16,
        handle=handle,
        program_id=struct.unpack("=I", program)[0] if program else None,
        name=_text(options.get(TCA_BPF_NAME, b"")),
    )


def attach(index: int, *, name: str, program: int, preference: int, handle: int, qdisc: bool) -> None:
    """Attach a program, by its file descriptor, to the interface's ingress; make the clsact qdisc if asked.

    The kernel takes both messages in one system call: whoever kills us, there are both or none.
    """
    options = (
        _attribute(TCA_BPF_FD, struct.pack("=I", program))
        + _attribute(TCA_BPF_NAME, name.encode() + b"\0")
        + _attribute(TCA_BPF_FLAGS, struct.pack("=I", DIRECT_ACTION))
    )
    body = (
        TC.pack(socket.AF_UNSPEC, index, handle, INGRESS, _info(preference))
        + _attribute(TCA_KIND, b"bpf\0")
        + _attribute(TCA_OPTIONS, options)
    )
    filter_ = _message(RTM_NEWTFILTER, ACK | EXCL | CREATE, body)
    _change(
        index, [_message(RTM_NEWQDISC, ACK | EXCL | CREATE, _clsact(index)), filter_] if qdisc else [filter_]
    )


def delete_filter(index: int, preference: int) -> None:
    """Delete the filters of one preference at the interface's ingress."""
    _change(index, [_message(RTM_DELTFILTER, ACK, TC.pack(0, index, 0, INGRESS, _info(preference)))])


def delete_clsact(index: int) -> None:
    """Delete the clsact qdisc with all that is in it, in one step."""
    _change(index, [_message(RTM_DELQDISC, ACK, _clsact(index))])


def _clsact(index: int) -> bytes:
    return TC.pack(socket.AF_UNSPEC, index, CLSACT_HANDLE, CLSACT, 0) + _attribute(TCA_KIND, b"clsact\0")


def _info(preference: int) -> int:
    return preference << 16 | socket.htons(ETH_P_ALL)


def _change(index: int, messages: list[bytes]) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(b"".join(messages))
        answers = [_error(kernel.recv(65536)) for _ in messages]
    if failed := [code for code in answers if code]:
        raise ToolError(f"traffic control of interface {index}: {os.strerror(failed[0])}")


def _error(message: bytes) -> int:
    (code,) = struct.unpack_from("=i", message, HEADER.size)
    return -int(code)


def _ask(kind: int, flags: int, body: bytes) -> Iterator[tuple[int, tuple[int, ...], Attributes]]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(_message(kind, flags, body))
        while True:
            data = kernel.recv(1 << 20)
            while data:
                length, answer, _, _, _ = HEADER.unpack_from(data)
                if answer in (NLMSG_DONE, NLMSG_ERROR):
                    if code := _error(data):
                        raise OSError(code, os.strerror(code))
                    return
                fields = TC.unpack_from(data, HEADER.size)
                yield answer, fields, _attributes(data[HEADER.size + TC.size : length])
                data = data[-(-length // 4) * 4 :]


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, REQUEST | flags, 1, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _attributes(data: bytes) -> Attributes:
    found = {}
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        found[kind & 0x3FFF] = data[ATTRIBUTE.size : length]
        data = data[-(-length // 4) * 4 :]
    return found


def _kind(attributes: Attributes) -> str:
    return _text(attributes.get(TCA_KIND, b""))


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode(errors="replace")


def news() -> socket.socket:
    """A socket that becomes readable when an interface, a filter or an IPv6 route of this namespace changes."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    kernel.bind((0, GROUPS))
    return kernel


def wait(kernel: socket.socket, protocol: int, seconds: float) -> None:
    """Wait for news, so long at most, and take those that have come: what they say is read from the kernel anew.

    Of routes, only that one of this protocol is gone is news: a router has many others.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([kernel], [], [], left)[0] and _drain(kernel, protocol):
            return


def _drain(kernel: socket.socket, protocol: int) -> bool:
    """Whether there was news among what has come."""
    told = False
    for _ in range(MESSAGES_AT_ONCE):
        try:
            told |= _is_news(kernel.recv(1 << 20, socket.MSG_DONTWAIT), protocol)
        except BlockingIOError:
            break
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # more news than the socket holds are news too
                raise
            told = True
    return told


def _is_news(data: bytes, protocol: int) -> bool:
    while len(data) > HEADER.size:
        length, kind, _, _, _ = HEADER.unpack_from(data)
        if kind not in (RTM_NEWROUTE, RTM_DELROUTE):
            return True
        if kind == RTM_DELROUTE and data[HEADER.size + ROUTE_PROTOCOL] == protocol:
            return True
        data = data[-(-length // 4) * 4 :]
    return False
