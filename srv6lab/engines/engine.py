"""What is known of an engine, the program that a service's sensor is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

_WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True, eq=False)  # each is itself, and a key
class Dialect:
    """What a version of an engine reads in rules; the options that it knows are listed in `words/FILE.txt`.

    No `protocols` means any word, for each is taken for a service. `instead` says what to write for an option that it doesn't
    know. Whether archives of Debian or Ubuntu have this version; `commas`: content takes its modifiers behind commas;
    `ends`: the last option may go without its semicolon; `services`: a rule may begin with a service and no addresses.
    """

    title: str
    file: str
    actions: frozenset[str]
    protocols: frozenset[str]
    instead: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    archived: bool = True
    commas: bool = True
    ends: bool = True
    services: bool = False

    @cached_property
    def options(self) -> frozenset[str]:
        """The names of all options, in lower case."""
        lines = (_WORDS / f"{self.file}.txt").read_text().splitlines()
        return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine by the command that starts it; `templates/services/NAME.sh.j2` does.

    `package` is Debian's, `in_debian` whether the release that boxes are made of has it. Alerts go to the file `log` in
    the service's folder, and `read` takes them from its text. `started` is what the engine says in the file that is
    called `log` there once it looks at packets, "" where it says so too early and its packet socket is looked at instead.
    A `daemon` leaves the shell that starts it, and says itself whether it could. Whether it `tells_tunnel`: the addresses
    around the packet that it looked at. Its rules are written in one of the `dialects`; of an engine without, any text is taken.
    """

    name: str
    package: str
    in_debian: bool
    log: str
    started: str
    daemon: bool
    read: Callable[[str], Iterator[LoggedAlert]]
    version: str = "-V"
    tells_tunnel: bool = False
    dialects: tuple[Dialect, ...] = ()


class LoggedAlert(NamedTuple):
    """An alert as the log has it: the rule's number, the addresses, and the tunnel's where it looked behind one."""

    signature: int
    source: str
    destination: str
    tunnel_source: str = ""
    tunnel_destination: str = ""


def shortest(text: str) -> str:
    """An address in its shortest form; some engines write IPv6 in full."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text
