"""Interfaces, and the program on them: by a filter of the clsact qdisc, or by tcx where that was asked for.

The kernel takes a filter off an interface that is moved to another namespace, but no tcx program: one is known there
by the namespace that it was loaded for, and detached.

The filter's handle remembers whether its clsact qdisc was made by us, so that no state is kept elsewhere and
the two can't disagree after a crash.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from . import bpf, netlink, state, tcx
from .errors import ToolError
from .state import Interface
from .tools import read

OBJECT = Path(__file__).resolve().parent / "srproxy.bpf.o"
PROGRAM = "srproxy"
PREFERENCE = 8986  # the number of the RFC; tc's own choice for a filter without one is 49152
DIRECT, GUEST, OWNER = 0, 1, 2  # handles: there is no filter; the qdisc was there before us; we made it
LOADER = """
tc qdisc add dev lo clsact &&
tc filter add dev lo ingress bpf da object-file "$1" section tc &&
tc -j filter show dev lo ingress &&
echo && read -r _
"""


@dataclass(frozen=True)
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
            found.append(Interface(link["ifindex"], link["ifname"], link["mtu"]))
    return tuple(found)


def named(name: str) -> Interface | None:
    """Any interface but the loopback: the kernel's own behaviors send through tunnels, too."""
    try:
        return None if name == "lo" else Interface(socket.if_nametoindex(name), name)
    except (OSError, ValueError):
        return None


def attachments() -> tuple[Attachment, ...]:
    """Where a program of this namespace is attached, wanted there or not."""
    here = bpf.namespace_cookie()
    return tuple(
        item
        for link in _all()
        for item in (*(item for item, home in _direct(link) if home == here), *_filters(link))
    )


def _strays() -> tuple[Attachment, ...]:
    """The programs of another namespace, which interfaces brought along."""
    here = bpf.namespace_cookie()
    return tuple(item for link in _all() for item, home in _direct(link) if home != here)


def _all() -> list[Interface]:
    return [Interface(index, name) for index, name in socket.if_nameindex()]


def _direct(link: Interface) -> Iterator[tuple[Attachment, int]]:
    """By tcx, each with the namespace that it was loaded for."""
    for number in tcx.programs(link.index) or ():
        with suppress(FileNotFoundError):  # gone meanwhile
            program = bpf.program(number)
            maps = bpf.program_maps(program)
            if bpf.program_name(program) == PROGRAM and state.VALUE_SIZES.keys() <= maps.keys():
                value = maps[state.SCRATCH].get(state.THE_ONE) or (bytes(state.HOME.size),)
                yield Attachment(link, number, DIRECT), state.HOME.unpack_from(value[0])[0]


def _filters(link: Interface) -> Iterator[Attachment]:
    for item in netlink.filters(link.index):
        if item.name == PROGRAM and item.preference == PREFERENCE and item.program_id is not None:
            yield Attachment(link, item.program_id, item.handle)


def attach_everywhere(links: tuple[Interface, ...], there: tuple[Attachment, ...]) -> tuple[int, bool]:
    """Have one and the same program on these interfaces and no others; returns its id, and whether it wasn't so."""
    served = {item.interface.index: item for item in there}
    indexes = {link.index for link in links}
    astray = [*_strays(), *(item for item in there if item.interface.index not in indexes)]
    for item in astray:
        _detach(item)
    if not links:
        raise ToolError("no Ethernet interface is here to serve")
    program_id = next((served[link.index].program_id for link in links if link.index in served), None)
    missing = [
        link for link in links if link.index not in served or served[link.index].program_id != program_id
    ]
    if not missing and program_id is not None:
        return program_id, bool(astray)
    direct = _asks_for_tcx(there)
    program = load() if program_id is None else bpf.program(program_id)
    for link in missing:
        if link.index in served:
            _detach(served[link.index])
    with_qdisc = netlink.with_ingress()
    for link in missing:
        with _unless_gone(link):
            if direct:
                tcx.attach(link.index, program)
            else:
                _attach(link.index, program, served.get(link.index), own=link.index not in with_qdisc)
    return bpf.program_id(program), True


def _asks_for_tcx(there: tuple[Attachment, ...]) -> bool:
    """What is there already decides, then the environment."""
    if there:
        return there[0].handle == DIRECT
    asked = os.environ.get("SRCONF_HOOK", "clsact")
    if asked not in ("clsact", "tcx"):
        raise ToolError(f"SRCONF_HOOK is clsact or tcx, and not {asked!r}")
    if asked == "tcx" and all(tcx.programs(link.index) is None for link in _all()):
        raise ToolError("tcx needs Linux 6.6 or later: leave SRCONF_HOOK out")
    return asked == "tcx"


@contextmanager
def _unless_gone(link: Interface) -> Iterator[None]:
    """An interface that is gone meanwhile needs nothing."""
    try:
        yield
    except (ToolError, OSError):
        if link.current_name is not None:
            raise


def _attach(index: int, program: bpf.Descriptor, before: Attachment | None, *, own: bool) -> None:
    """By a filter, in a qdisc of our `own` if there is none; a qdisc that was ours stays so."""
    handle = OWNER if own or (before and before.handle == OWNER) else GUEST
    fd = program.fileno()
    netlink.attach(index, name=PROGRAM, program=fd, preference=PREFERENCE, handle=handle, qdisc=own)


def load() -> bpf.Descriptor:
    """The program, loaded anew and attached nowhere.

    tc can load only what it attaches: it does so in a network namespace that ends with its process, so that
    nothing stays behind if ours ends too.
    """
    import tempfile  # which takes longer to import than most commands take

    if not OBJECT.exists():
        raise ToolError(f"{OBJECT} is missing; copy the whole folder, or build it with make")
    command = ("sh", "-c", LOADER, "sh", str(OBJECT))
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as said,  # no pipe: what the verifier says of a program fills one
        subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=said, text=True, preexec_fn=bpf.leave_network
        ) as process,
    ):
        assert process.stdout is not None
        answer = process.stdout.readline()
        if not answer.strip():
            process.communicate()
            said.seek(0)
            raise ToolError(_refusal(said.read()))
        listed = [item["options"]["prog"]["id"] for item in json.loads(answer) if "options" in item]
        descriptor = bpf.program(int(listed[0]))
        process.communicate("\n")
    home = state.HOME.pack(bpf.namespace_cookie())
    bpf.program_maps(descriptor)[state.SCRATCH].put(state.THE_ONE, home)
    return descriptor


def _refusal(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if "failed: " in line or "rror" in line] or lines
    needed = "root, Linux 5.10 or later, an iproute2 whose `tc -V` names libbpf"
    return f"loading {OBJECT.name}: {lines[-1] if lines else 'tc said nothing'} (needed: {needed})"


def detach_everywhere() -> bool:
    """Take the program off, and the qdiscs that we made and nobody else uses; whether there was anything."""
    there = (*attachments(), *_strays())
    for item in there:
        _detach(item)
    return bool(there)


def _detach(item: Attachment) -> None:
    index = item.interface.index
    with _unless_gone(item.interface):
        if item.handle == DIRECT:
            tcx.detach(index, bpf.program(item.program_id))
        elif item.handle == OWNER and not _others(index):
            netlink.delete_clsact(index)
        else:
            netlink.delete_filter(index, PREFERENCE)


def _others(index: int) -> bool:
    """Whether somebody else's filters live in the qdisc."""
    hooks = (netlink.INGRESS, netlink.EGRESS)
    return any(item.preference != PREFERENCE for hook in hooks for item in netlink.filters(index, hook))
