"""What a lab in namespaces can't do without, whatever is in it: one function a requirement.

Each answers with what is lacking, or None. `up` refuses by them, and `doctor` shows them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srv6lab.errors import MachineError

from .packages import missing, remedy
from .system import this_system

_SEG6 = Path("/proc/sys/net/ipv6/conf/all/seg6_enabled")


@dataclass(frozen=True, slots=True)
class Lack:
    """What this machine lacks, and the command or act that mends it."""

    what: str
    mend: str


def root(why: str = "network namespaces need root") -> Lack | None:
    if os.geteuid() == 0:
        return None
    return Lack(why, "run the same command with sudo")


def tools(names: Sequence[str], group: str = "lab") -> Lack | None:
    """Those of the commands that PATH lacks; `group` is who of the list of `scripts/setup` needs them."""
    found = missing(names, group)
    if not found:
        return None
    return Lack(f"not on this machine: {', '.join(tool.how for tool in found)}", remedy(found))


def srv6() -> Lack | None:
    if _SEG6.exists():
        return None
    mend = "boot one built with CONFIG_IPV6_SEG6_LWTUNNEL (Debian's and Ubuntu's are), with IPv6 switched on"
    return Lack(f"this kernel ({this_system().kernel}) has no SRv6", mend)


def require(*lacks: Lack | None) -> None:
    """MachineError with all that is lacking."""
    found = [lack for lack in lacks if lack]
    if found:
        *others, last = found
        text = "".join(f"{lack.what}\n  mend: {lack.mend}\n" for lack in others)
        raise MachineError(f"{text}{last.what}", last.mend)
