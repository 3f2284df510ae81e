"""What went wrong in a `vagrant` command, in our words: Vagrant's name for the error → what, and how to mend it.

An error that has no words of ours is told in Vagrant's own, with the file that has all it said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from srv6lab.called import CALLED
from srv6lab.errors import MachineError, NodeError
from srv6lab.host.command import Completed
from srv6lab.providers.base import day0_error
from srv6lab.providers.vagrant.command import Failure

_NO_ROOM = ("VERR_DISK_FULL", "No space left on device", "not enough free space", "ENOSPC")
_RAISED = re.compile(r"^/\S+\.rb:\d+:in [`'][^']*': ")
_THROUGH = re.compile(r"^from /\S+:\d+:in ")
_CLOSED = ("net dump: can't open",)
_TAKEN = ("Address already in use", "Could not set up host forwarding rule", "VERR_NET_ADDRESS_IN_USE")

_BOX = (
    "its box is not here and can't be had",
    f"vagrant box add NAME, where there is a network; or {CALLED} box.build, then up with --box srv6lab/debian13",
)
_BOOT = (
    "it was started and can't be logged in to",
    f"its console shows why: open it in the hypervisor, or give it more memory; {CALLED} up tries it again, "
    f"{CALLED} destroy begins anew",
)
_PORT = (
    "a port of this machine that it needs is in use",
    f"end what listens there (ss -ltnup shows it), then {CALLED} up",
)
_ROOM = ("the disk of this machine is full", f"free some room (vagrant box prune, df -h), then {CALLED} up")
_TRACES = (
    "libvirt's qemu may not write the traces",
    'let it run as you: in /etc/libvirt/qemu.conf user = "YOUR NAME" and security_driver = "none", '
    "then systemctl restart libvirtd",
)

_SSH = (
    "NetSSHException",
    "SSHConnectionTimeout",
    "SSHConnectionRefused",
    "SSHConnectionReset",
    "SSHDisconnected",
)
_BOOTING = ("VMBootTimeout", "VMBootBadState", *_SSH)
_WORDS = {
    "BoxNotFound": _BOX,
    "BoxNotFoundWithProvider": _BOX,
    "BoxNotFoundWithProviderAndVersion": _BOX,
    "BoxAddShortNotFound": _BOX,
    "BoxAddNoMatchingProvider": _BOX,
    "BoxAddNoMatchingVersion": _BOX,
    "DownloaderError": _BOX,
    **dict.fromkeys(_BOOTING, _BOOT),
    "ForwardPortCollision": _PORT,
    "ForwardPortAutolistEmpty": _PORT,
    "VagrantInterrupt": ("Vagrant was interrupted", f"{CALLED} up goes on"),
    "MachineLocked": ("another vagrant is at work on it", f"wait until it is done, then {CALLED} up"),
    "ProviderNotUsable": (
        "Vagrant can't use its hypervisor here",
        "install VirtualBox, and a Vagrant that knows its version",
    ),
}


def error(machine: str, failure: Failure, day0: str = "") -> MachineError:
    """A failed command as one clear message about a machine. `day0` is its script: where that failed, the
    message names the line."""
    if day0 and f"day0/{machine}.sh:" in failure.printed:
        told = day0_error(machine, f"day0/{machine}.sh", day0, Completed(1, "", _since_day0(failure.printed)))
        return NodeError(str(told), f"mend that, and {CALLED} up goes on\n  log: {failure.log}")
    what, mend, own = _told(failure)
    lines = [f"{machine}: {what}", *(f"  {line}" for line in own)]
    return MachineError("\n".join(lines), f"{mend}\n  log: {failure.log}")


def errors(failed: Mapping[str, tuple[Failure, str]]) -> MachineError:
    """The failures of machines that came up at once, with the script of each, as one error."""
    told = [error(machine, failure, day0) for machine, (failure, day0) in failed.items()]
    return told[0] if len(told) == 1 else MachineError("\n".join(map(str, told)))


def _told(failure: Failure) -> tuple[str, str, list[str]]:
    """What and how to mend it, and what of the tool's own words is worth a look."""
    own = _own_words(failure)
    if failure.late:
        what = f"vagrant was not done after {failure.late / 60:.0f} minutes"
        return what, f"its log says how far it came; {CALLED} up goes on", own[-1:]
    for signs, (what, mend) in ((_NO_ROOM, _ROOM), (_TAKEN, _PORT), (_CLOSED, _TRACES)):
        if found := [line for line in own if any(sign in line for sign in signs)]:
            return what, mend, found[:1]
    if failure.error in _WORDS:
        return *_WORDS[failure.error], own[-1:] if failure.error not in _BOOTING else []
    return "vagrant failed", f"mend what it says, then {CALLED} up goes on", own[-8:]


def _since_day0(printed: str) -> str:
    """What the machine printed while Day0 ran: it is behind the provisioner's start, and Vagrant's word that it runs a file."""
    lines = printed.rpartition("Running provisioner: shell")[2].splitlines()[1:]
    return "\n".join(line for line in lines if not line.startswith("Running: "))


def _own_words(failure: Failure) -> list[str]:
    """Vagrant's words, or where it had none the end of its log, without the places in Ruby that an error came
    through."""
    lines = (line.strip() for line in (failure.words or _tail(failure)).splitlines())
    return [_RAISED.sub("", line) for line in lines if line and not _THROUGH.match(line)]


def _tail(failure: Failure, size: int = 20_000) -> str:
    try:
        return failure.log.read_text(encoding="utf-8", errors="replace")[-size:]
    except OSError:
        return ""
