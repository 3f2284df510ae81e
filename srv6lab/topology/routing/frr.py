"""What an author writes for FRR in its own words, beside what other keys say."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.scalars import FileName, Model

Daemon = Literal[
    "isisd",
    "ospfd",
    "ospf6d",
    "bgpd",
    "bfdd",
    "ripd",
    "ripngd",
    "eigrpd",
    "babeld",
    "fabricd",
    "pimd",
    "pim6d",
    "ldpd",
    "nhrpd",
    "pbrd",
    "vrrpd",
    "pathd",
]
# The daemon that a block of the configuration is for; vtysh takes it without the daemon, and nothing comes of it.
OF_DAEMONS = {
    "isis": "isisd",
    "ospf": "ospfd",
    "ospf6": "ospf6d",
    "bgp": "bgpd",
    "rip": "ripd",
    "ripng": "ripngd",
    "eigrp": "eigrpd",
    "babel": "babeld",
    "openfabric": "fabricd",
    "pim": "pimd",
    "pim6": "pim6d",
}
FrrLine = Annotated[str, StringConstraints(pattern=r"^[ -~]+$", max_length=500)]
_OF_VTYSH = ("do", "end", "output", "start-shell", "find")
_BLOCK = re.compile(r"\s*ro(?:u|ut|ute|uter)?\s+(\S+)")


class Frr(Model):
    """Lines of FRR's configuration behind what other keys make of it, first those of a `file` in the lab's folder;
    `daemons` are those that the lines need, if no other key does."""

    lines: Annotated[tuple[FrrLine, ...], Field(max_length=1000)] = ()
    file: FileName | None = None
    daemons: tuple[Daemon, ...] = ()


def command_of_vtysh(line: str) -> str:
    """The word by which a line is a command of vtysh, which may write files or start a shell; "" if it is none. vtysh takes
    any beginning of a command for it, such as `outp`."""
    word = next(iter(line.split()), "")
    return word if word and any(one.startswith(word) for one in _OF_VTYSH) else ""


def daemon_of(line: str) -> str:
    """The daemon that a block is for which begins with the line, "" if it begins none."""
    found = _BLOCK.match(line)
    return OF_DAEMONS.get(found[1], "") if found else ""
