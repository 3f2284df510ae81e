"""The box that a lab has when its author named none, as near as it can be made here: Debian 12 with its kernel 6.1, on
which SREXT serves, under the very name that Vagrant would fetch. Beside what our own box has it has what SREXT is built
with, so that no machine needs an archive. SREXT itself is fetched by Day0, over a network that e2e.py gives or not."""

from __future__ import annotations

import subprocess
from pathlib import Path

from srv6lab.images.box import PACKAGES, Contents
from srv6lab.topology.model import STANDARD

NAME = str(STANDARD.box)
_BACKPORTED = ("suricata", "libhtp2")  # Debian 12 has no Suricata of its own
_BUILDS_SREXT = ("git", "make", "gcc", "libc6-dev", "linux-headers-amd64")
_OWN = (one for one in PACKAGES if one not in _BACKPORTED)
CONTENTS = Contents(
    "bookworm",
    (*_OWN, *_BUILDS_SREXT, *(f"{one}/bookworm-backports" for one in _BACKPORTED)),
    backports=True,
)

_ORIGIN = "https://github.com/netgroup/"
_REPOSITORY = "SRv6-net-prog"
_SERVER = "10.0.2.100"  # on the network behind a machine's first NIC, which is qemu's own
# What is done in a machine before its snapshot is made.
PREPARED = f"sudo git config --system url.git://{_SERVER}/.insteadOf {_ORIGIN}"

OFFLINE = ",restrict=on"  # for that network: nothing gets out, and ssh gets in


def mirrored(clone: Path, folder: Path) -> str:
    """For that network: a server in it that has what a clone of SREXT has, and nothing else."""
    folder.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--bare", clone, folder / _REPOSITORY], check=True)
    server = f"git daemon --inetd --export-all --base-path={folder}"
    return f",restrict=on,guestfwd=tcp:{_SERVER}:9418-cmd:{server}"
