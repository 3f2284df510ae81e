"""How a node's answers on its VRFs are read: those of the kernel's own, then those of the namespace that may stand for
one. `about` is what they are held against, as in `answers`."""

from __future__ import annotations

import re
from collections.abc import Mapping


def not_for_it(output: str, code: int, about: Mapping[str, str]) -> bool:
    """A SID's route in the main table, and that in the namespace: neither looks into the VRF's table."""
    shown = " ".join(output.split()) + " "
    led = f" dev {about['vrf']} " in shown and f" {about['inside']} " in shown
    return f" {about['own']} " not in shown and not led


def lacks_nic(output: str, code: int, about: Mapping[str, str]) -> bool:
    """The NICs that have the VRF as their master, and those in its namespace."""
    return not re.search(rf"^\d+: {re.escape(about['nic'])}[@:]", output, re.MULTILINE)


def only_in_main(output: str, code: int, about: Mapping[str, str]) -> bool:
    """The routes to a policy's prefix in the VRF, then those of the main table."""
    inside, _, outside = output.partition("main:")
    return "encap seg6" not in inside and "encap seg6" in outside
