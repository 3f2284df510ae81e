"""One cause: its words, the command that proves it, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.called import CALLED
from srv6lab.judge.diagnose.answers import Reader

LINK = ("ip", "-oneline", "link", "show", "dev", "{nic}")
MATCH = ("ip", "{version}", "route", "show", "match", "{destination}")


@dataclass(frozen=True, slots=True)
class Cause:
    """`words`, `argv` and `mend` are filled in with what a suspicion is about. Without `argv` the captures alone prove
    it. `mend` is a command on the node, or what to do: `up` sets up anew what Day0 sets up. `differs` are the sections of
    which one is another than Day0 left it wherever this is the cause; none where it may be another reason. What `reads`
    takes for a proof and `surely` doesn't may be innocent: it is a suspicion still, and others are asked first."""

    name: str
    words: str
    argv: tuple[str, ...] = ()
    reads: Reader | None = None
    mend: str = f"{CALLED} up lab=LAB"
    differs: tuple[str, ...] = ()
    surely: Reader | None = None
