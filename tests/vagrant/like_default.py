"""The box that a lab names when its author named none, as near as it can be made here: Debian 12 with its kernel 6.1, on
which SREXT serves, under the very name that Vagrant would fetch. Beside what a box of ours has it has what SREXT is built
with, so that a machine needs no archive; SREXT itself is fetched by Day0, from a mirror."""

from __future__ import annotations

from srv6lab.images.box import PACKAGES, Contents

CONTENTS = Contents(
    "bookworm", (*PACKAGES, "git", "make", "gcc", "libc6-dev", "linux-headers-amd64"), backports=True
)
