"""Checks of names as what they become: host names (RFC 1123 section 2.1), files, folders."""

from __future__ import annotations

import re
from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.checks.services import TAKEN
from srv6lab.topology.places import Place
from srv6lab.topology.scalars import NUMBERED

# Windows takes these for devices, with any extension, wherever they lie.
DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10))]
)


# The kernel makes them by itself, and a machine of Vagrant has eth0 for its own.
_DEVICES_OF_A_KERNEL = [
    "eth0",
    "sit0",
    "tunl0",
    "ip6tnl0",
    "gre0",
    "gretap0",
    "erspan0",
    "ip6gre0",
    "ip_vti0",
    "ip6_vti0",
]


def _files(view: Facts) -> Iterator[tuple[str, Path, bool]]:
    """What becomes a file or a folder: its name, its place, and whether that is a key's."""
    if view.name is not None:
        yield view.name, ("name",), False
    for name in view.node_names:
        yield name, ("nodes", name), True
    for exercise in view.exercises:
        if exercise.name is not None:
            yield exercise.name, (*exercise.path, "name"), False
    for nics in view.nics.values():
        yield from ((nic.endpoint.trace or "", (*nic.path, "trace"), False) for nic in nics)
    for name, service in view.services.items():
        for index, port in enumerate(service.ports):
            yield port.trace or "", ("services", name, "ports", index, "trace"), False


@check
def device_names(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, path, key in _files(view):
        if name.lower() in DEVICES:
            what = f"{name} becomes a file, and on Windows that is a device"
            yield Problem(locate(path, key=key), what, "take another name")


def _alike(name: str) -> str:
    """What is the same name to some machines: case is not told apart, and a host name has no `_`."""
    return name.casefold().replace("_", "-")


@check
def names_alike(view: Facts, locate: Locate) -> Iterator[Problem]:
    """VirtualBox, host names and some file systems don't tell R1 from r1."""
    nodes: list[tuple[str, str, Path, bool]] = [
        ("node", name, ("nodes", name), True)
        for name in sorted(view.node_names, key=lambda name: locate(("nodes", name), key=True))
    ]
    links = [("link", one.value.name, (*one.path, "name"), False) for one in view.links]
    exercises = [
        ("exercise", one.name, (*one.path, "name"), False) for one in view.exercises if one.name is not None
    ]
    first: dict[tuple[str, str], tuple[str, Path, bool]] = {}
    for kind, name, path, key in [*nodes, *links, *exercises]:
        other, where, is_key = first.setdefault((kind, _alike(name)), (name, path, key))
        if other != name:
            what = f"{name} is {other} (line {locate(where, key=is_key).line}) to machines that don't tell them apart"
            yield Problem(locate(path, key=key), what, f"give the {kind} another name")


@check
def nic_names(view: Facts, locate: Locate) -> Iterator[Problem]:
    for node, nics in view.nics.items():
        first: dict[str, str] = {}
        vrfs = view.nodes[node].vrfs if node in view.nodes else ()
        ports = {name for name in view.places.get(Place(node), ()) if not NUMBERED.fullmatch(name)}
        taken = {*TAKEN, *_DEVICES_OF_A_KERNEL, *vrfs, *ports}
        for nic in nics:
            name, where = nic.endpoint.nic, locate((*nic.path, "at"))
            other = first.setdefault(re.sub("[._-]", "_", name.casefold()), name)
            if name in taken:
                what = f"a NIC of {node} can't be called {name}, which something else there is called"
                like = ", such as eth1" if name != "eth1" else ""
                yield Problem(where, what, f"take another name{like}")
            elif other != name:
                what = f"{node}:{name} and {node}:{other} are one to scripts and some file systems"
                yield Problem(where, what, "let them differ in a letter or a digit")


@check
def host_names(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name in view.node_names:
        where = locate(("nodes", name), key=True)
        if name.endswith(("-", "_")):
            what = f"{name} becomes a host name, and those don't end with `{name[-1]}`"
            yield Problem(where, what, f"write `{name.rstrip('-_')}`")
        elif name.lower() == "localhost":
            yield Problem(where, f"{name} is the name of every machine for itself", "take another name")
