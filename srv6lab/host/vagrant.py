"""Which versions of Vagrant and VirtualBox work together: Vagrant refuses a VirtualBox that is newer than it
knows."""

from __future__ import annotations

# The first Vagrant that drives each VirtualBox, by their release notes; oldest first.
FIRST_VAGRANT: dict[tuple[int, int], tuple[int, int, int]] = {
    (6, 1): (2, 2, 7),
    (7, 0): (2, 3, 2),
    (7, 1): (2, 4, 2),
    (7, 2): (2, 4, 9),
}


def mismatch(vagrant: tuple[int, ...], virtualbox: tuple[int, ...]) -> str:
    """What to change for these two to work together; "" if they do, or if it isn't known that they don't.

    >>> mismatch((2, 3, 4), (7, 1, 4))
    'Vagrant from 2.4.2 on drives VirtualBox 7.1, and this one 7.0 and older'
    """
    release = virtualbox[:2]
    oldest, newest = min(FIRST_VAGRANT), max(FIRST_VAGRANT)
    if release < oldest:
        return f"VirtualBox {_dotted(oldest)} is the oldest that labs are made for"
    if release > newest:
        return f"VirtualBox {_dotted(newest)} is the newest that a Vagrant is known to drive"
    since = max(first for known, first in FIRST_VAGRANT.items() if known <= release)
    if vagrant >= since:
        return ""
    older = [known for known, first in FIRST_VAGRANT.items() if first <= vagrant]
    drives = f"{_dotted(max(older))} and older" if older else "none that labs are made for"
    return f"Vagrant from {_dotted(since)} on drives VirtualBox {_dotted(release)}, and this one {drives}"


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
