"""Interfaces, and the program on them.

The filter's handle remembers whether its clsact qdisc was made by us, so that no state is kept elsewhere and
the two can't disagree after a crash.
"""

import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from . import bpf
from .errors import ToolError
from .state import Interface
from .tools import read, run

OBJECT = Path(__file__).resolve().parent / "srproxy.bpf.o"
PROGRAM = "srproxy"
PREFERENCE = 8986  # the number of the RFC; tc's own choice for a filter without one is 49152
GUEST, OWNER = 1, 2  # handles: the qdisc was there before us; we made it

RTM_NEWTFILTER, NLM_REQUEST_CREATE_ACK = 44, 0x1 | 0x400 | 0x200 | 0x4
CLSACT_INGRESS = 0xFFFFFFF2
ETH_P_ALL = 3
TCA_KIND, TCA_OPTIONS, TCA_BPF_FD, TCA_BPF_NAME, TCA_BPF_FLAGS, DIRECT_ACTION = 1, 2, 6, 7, 8, 1


@dataclass(frozen=True, slots=True)
class Attachment:
    """Our program on an interface."""

    interface: Interface
    program_id: int
    handle: int


def interfaces() -> tuple[Interface, ...]:
    """The interfaces that can be served: Ethernet, and no port of a bridge or a bond.

    What a port receives comes up again on its master, and must not be handled twice; a VRF is no such master.
    """
    found = []
    for link in read("ip", "-j", "-d", "link", "show"):
        port = link.get("linkinfo", {}).get("info_slave_kind")
        if link.get("link_type") == "ether" and port in (None, "vrf"):
            found.append(Interface(link["ifindex"], link["ifname"]))
    return tuple(found)


def attachments(links: tuple[Interface, ...]) -> tuple[Attachment, ...]:
    """Where our program is attached."""
    with_qdisc = _with_ingress()
    return tuple(item for link in links if link.name in with_qdisc for item in _attached(link))


def _with_ingress() -> set[str]:
    return {q["dev"] for q in read("tc", "-j", "qdisc", "show") if q["kind"] in ("clsact", "ingress")}


def _attached(link: Interface) -> list[Attachment]:
    found = []
    for entry in read("tc", "-j", "filter", "show", "dev", link.name, "ingress", "pref", str(PREFERENCE)):
        options = entry.get("options", {})
        program = options.get("prog", {})
        if program.get("name") == PROGRAM:
            found.append(Attachment(link, int(program["id"]), int(options["handle"], 16)))
    return found


def attach_everywhere(links: tuple[Interface, ...], there: tuple[Attachment, ...]) -> tuple[int, bool]:
    """Put one and the same program on every interface; returns its id, and whether it was missing anywhere.

    The first interface gets it loaded from the object by tc, the others by its file descriptor.
    """
    program_id = there[0].program_id if there else None
    served = {item.interface.index: item for item in there}
    missing = [
        link for link in links if link.index not in served or served[link.index].program_id != program_id
    ]
    with_qdisc = _with_ingress() if missing else set()
    for link in missing:
        present = served.get(link.index)
        handle = present.handle if present else GUEST if link.name in with_qdisc else OWNER
        if present:
            _detach_filter(link)
        if link.name not in with_qdisc:
            run("tc", "qdisc", "add", "dev", link.name, "clsact")
        if program_id is None:
            program_id = _load(link, handle)
        else:
            _attach(link, handle, bpf.program_fd(program_id))
    if program_id is None:
        raise ToolError("no Ethernet interface is here to serve")
    return program_id, bool(missing)


def _load(link: Interface, handle: int) -> int:
    if not OBJECT.exists():
        raise ToolError(f"{OBJECT} is missing; copy the whole folder, or build it with make")
    where = ("dev", link.name, "ingress", "pref", str(PREFERENCE), "handle", str(handle))
    try:
        run("tc", "filter", "add", *where, "bpf", "da", "object-file", str(OBJECT), "section", "tc")
    except ToolError as error:
        needed = "root, Linux 5.10 or later, an iproute2 whose `tc -V` names libbpf"
        raise ToolError(f"{error} (needed: {needed})") from None
    for item in _attached(link):
        return item.program_id
    raise ToolError(f"tc attached the program to {link.name} but doesn't show it")


def _attach(link: Interface, handle: int, program: int) -> None:
    """What `tc filter add` can't do: attach a program by its file descriptor, so that no pin is needed."""
    options = (
        _attribute(TCA_BPF_FD, struct.pack("=I", program))
        + _attribute(TCA_BPF_NAME, PROGRAM.encode() + b"\0")
        + _attribute(TCA_BPF_FLAGS, struct.pack("=I", DIRECT_ACTION))
    )
    info = PREFERENCE << 16 | socket.htons(ETH_P_ALL)
    body = (
        struct.pack("=BxxxiIII", socket.AF_UNSPEC, link.index, handle, CLSACT_INGRESS, info)
        + _attribute(TCA_KIND, b"bpf\0")
        + _attribute(TCA_OPTIONS, options)
    )
    message = struct.pack("=IHHII", 16 + len(body), RTM_NEWTFILTER, NLM_REQUEST_CREATE_ACK, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(message)
        (code,) = struct.unpack_from("=i", kernel.recv(65536), 16)
    if code:
        raise ToolError(f"attaching the program to {link.name}: {os.strerror(-code)}")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def detach_everywhere(links: tuple[Interface, ...]) -> bool:
    """Take the program off, and the qdiscs that we made and nobody else uses; whether there was anything."""
    there = attachments(links)
    for item in there:
        name = item.interface.name
        if item.handle == OWNER and not _others(name):
            run("tc", "qdisc", "del", "dev", name, "clsact")  # takes the filter along, in one step
        else:
            _detach_filter(item.interface)
    return bool(there)


def _detach_filter(link: Interface) -> None:
    run("tc", "filter", "del", "dev", link.name, "ingress", "pref", str(PREFERENCE))


def _others(name: str) -> bool:
    """Whether somebody else's filters live in the qdisc: text, since tc's JSON is broken for some kinds."""
    listed = [run("tc", "filter", "show", "dev", name, hook) for hook in ("ingress", "egress")]
    firsts = [line for line in "".join(listed).splitlines() if line.startswith("filter ")]
    return any(f" pref {PREFERENCE} " not in line for line in firsts)
