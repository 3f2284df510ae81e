"""Checks of names as what they become: host names (RFC 1123 section 2.1), files, folders."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.registry import Locate, check

# Windows takes these for devices, with any extension, wherever they lie.
DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{kind}{number}" for kind in ("com", "lpt") for number in range(1, 10))]
)


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


@check
def host_names(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name in view.node_names:
        where = locate(("nodes", name), key=True)
        if name.endswith("-"):
            what = f"{name} becomes a host name, and those don't end with `-`"
            yield Problem(where, what, f"write `{name.rstrip('-')}`")
        elif name == "localhost":
            yield Problem(where, "localhost is the name of every machine for itself", "take another name")
