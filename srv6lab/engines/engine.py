"""What is known of an engine, the program that a service's sensor is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine by the command that starts it; `templates/services/NAME.sh.j2` does.

    `package` is Debian's, `in_debian` whether the release that boxes are made of has it. Alerts go to the file `log` in
    the service's folder, and `read` takes them from its text. `started` is what the engine says in the file that is
    called `log` there once it looks at packets, "" where it says so too early and its packet socket is looked at instead.
    A `daemon` leaves the shell that starts it, and says itself whether it could. Whether it `tells_tunnel`: the addresses
    around the packet that it looked at.
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
