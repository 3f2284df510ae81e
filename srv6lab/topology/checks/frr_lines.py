"""Checks of a node's own lines of FRR's configuration."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.model import Node
from srv6lab.topology.routing.frr import command_of_vtysh, daemon_of


def _lines(view: Facts) -> Iterator[tuple[str, Node, Path, str]]:
    for name, node in view.nodes.items():
        for index, line in enumerate(node.frr.lines if node.frr else ()):
            yield name, node, ("nodes", name, "frr", "lines", index), line


@check
def frr_line_is_configuration(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, _, path, line in _lines(view):
        if word := command_of_vtysh(line):
            what = f"`{word}` is a command of vtysh, and no line of FRR's configuration"
            yield Problem(locate(path), what, "take the line away")


@check
def frr_line_for_no_daemon(view: Facts, locate: Locate) -> Iterator[Problem]:
    """vtysh takes the line all the same, and nothing comes of it."""
    for name, node, path, line in _lines(view):
        daemon = daemon_of(line)
        if daemon and node.frr and daemon not in (*node.frr.daemons, *_started(node)):
            what = f"{daemon} doesn't run on {name}, and nobody else reads what follows this line"
            yield Problem(locate(path), what, f"add `daemons: [{daemon}]` under `frr`")


def _started(node: Node) -> Iterator[str]:
    """Those that other keys need."""
    keys = {"isisd": node.isis, "ospfd": node.ospf, "ospf6d": node.ospf6, "bgpd": node.bgp}
    return (daemon for daemon, key in keys.items() if key)
