"""What a node has of its own: what its author told it beside all that the model knows, and from where on the model
doesn't know what the node does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from srv6lab.topology.model import Node
from srv6lab.topology.own import NodeFile, OwnWords
from srv6lab.topology.routing.frr import Frr

if TYPE_CHECKING:  # whose nodes have an Own
    from srv6lab.plan.nodes import Plan

# Settings that change nothing of which the model speaks: buffers, what ends of connections do, and the outer flow label;
# and by which fields routes share flows, of which it speaks.
_HARMLESS = re.compile(
    r"net\.(?:core\.|unix\.|ipv4\.(?:tcp|udp)_|ipv6\.seg6_flowlabel$|ipv[46]\.fib_multipath_hash_policy$)"
)
# Lines of FRR's configuration that say nothing of routes.
_IDLE = re.compile(
    r"\s*(?:[!#].*|exit|interface \S+|(?:no )?(?:log|debug|service|description)\b.*|.* description .*)?"
)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A text file with its whole content."""

    path: str
    content: str
    mode: str
    owner: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class OwnSysctl:
    """A setting of the kernel below /proc/sys/net; in `file` a NIC stands as `$eth1`, whatever the machine calls it."""

    name: str
    value: str
    file: str


@dataclass(frozen=True, slots=True)
class Own:
    """What Day0 does in a node beside the lab's network."""

    commands: tuple[str, ...] = ()
    sysctls: tuple[OwnSysctl, ...] = ()
    files: tuple[OwnFile, ...] = ()
    packages: tuple[str, ...] = ()
    frr: tuple[str, ...] = ()

    @property
    def unmodeled(self) -> str:
        """What the model doesn't know the outcome of, as `commands of its own`; "" if there is nothing."""
        settings = any(not _HARMLESS.match(one.name) for one in self.sysctls)
        found = {
            "commands": self.commands,
            "files": self.files,
            "settings": settings,
            "lines of FRR": not all(map(_IDLE.fullmatch, self.frr)),
        }
        words = [what for what, given in found.items() if given]
        listed = " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
        return f"{listed} of its own" if words else ""


def plan_own(words: Node, nics: Collection[str], texts: Mapping[str, str]) -> Own:
    """The words of a node with these NICs; `texts` are the files that the topology names."""
    sysctls, files = tuple(_sysctls(words, nics)), tuple(_files(words, texts))
    return Own(words.commands, sysctls, files, words.packages, tuple(_frr(words.frr, texts)))


def _frr(words: Frr | None, texts: Mapping[str, str]) -> Iterator[str]:
    """The lines of the file, then the others."""
    if words:
        yield from texts.get(words.file or "", "").splitlines()
        yield from words.lines


def _sysctls(words: OwnWords, nics: Collection[str]) -> Iterator[OwnSysctl]:
    for name, value in words.sysctls.items():
        parts = (f"${part}" if part in nics else part for part in name.split("."))
        yield OwnSysctl(name, value, "/proc/sys/" + "/".join(parts))


def _files(words: OwnWords, texts: Mapping[str, str]) -> Iterator[OwnFile]:
    for one in words.files:
        yield OwnFile(one.path, _content(one, texts), one.mode, one.owner, one.source or "")


def _content(one: NodeFile, texts: Mapping[str, str]) -> str:
    return texts.get(one.source, "") if one.source else one.content or ""


def unmodeled(plan: Plan) -> dict[str, str]:
    """Why the model doesn't know what a node does, by the node; nodes that aren't here are modeled. Routers learn from
    each other, so where one of them isn't, none is."""
    found = {node.name: f"{node.name} has {why}" for node in plan.nodes if (why := node.own.unmodeled)}
    teacher = next((node.name for node in plan.nodes if node.routing and node.name in found), None)
    if teacher:
        for node in plan.nodes:
            if node.routing:
                found.setdefault(node.name, f"{node.name} learns routes, and {found[teacher]}")
    return found
