"""What a lab in namespaces can't do without, whatever is in it: one function a requirement.

Each answers with what is lacking, or None. `up` refuses by them, and `doctor` shows them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from srv6lab.called import WITH_SUDO
from srv6lab.errors import MachineError

from .packages import missing, remedy
from .system import this_system

# What an engine has to leave a container, for a lab in it: namespaces and mounts, NICs, tracers, and SR proxies.
IN_A_CONTAINER = "in a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW --cap-add BPF"
_SEG6 = Path("/proc/sys/net/ipv6/conf/all/seg6_enabled")


@dataclass(frozen=True, slots=True)
class Lack:
    """What this machine lacks, and the command or act that mends it."""

    what: str
    mend: str


def is_root() -> bool:
    return os.geteuid() == 0


def root(why: str) -> Lack | None:
    return None if is_root() else Lack(why, WITH_SUDO)


# Settings that keep users from having namespaces, with the values that do, and where they may be read. Debian has the
# first, Ubuntu the second since 23.10.
_SYSCTL = Path("/proc/sys")
_FORBIDDING = (
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user.max_user_namespaces", "0", "65536"),
)


def no_namespaces(settings: Path = _SYSCTL) -> str:
    """What to do where a user can't have namespaces of his own: the settings that forbid it, if they are known."""
    wrong = []
    for name, forbids, allows in _FORBIDDING:
        with suppress(OSError):
            if (settings / name.replace(".", "/")).read_text("ascii").strip() == forbids:
                wrong.append(f"sudo sysctl {name}={allows}")
    return (
        " && ".join(wrong) or "boot a kernel (5.11 or newer) that lets users have namespaces: CONFIG_USER_NS"
    )


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
