"""What is up, and how it fares: for a person, or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from srv6lab.called import CALLED
from srv6lab.evidence.drift import Difference
from srv6lab.live.changed_file import CHANGE
from srv6lab.providers.base import Health
from srv6lab.report.table import aligned

DIFFERS = f"differs from Day0, which {CALLED} up runs again"
AS_DAY0 = "settings are as Day0 left them"


@dataclass(frozen=True, slots=True)
class Begun:
    """A lab that was begun here. `called` is how a task names it (`lab=NAME`), `since` when it was ready, in ISO 8601,
    or nothing; `trouble` says why nothing is known of its nodes."""

    instance: str
    lab: str
    provider: str
    called: str
    since: str = ""
    health: tuple[Health, ...] = ()
    trouble: str = ""

    def alive(self, kind: str) -> tuple[int, int]:
        """How many nodes or tracers are, and of how many."""
        found = [one.alive for one in self.health if one.kind == kind]
        return sum(found), len(found)

    @property
    def sound(self) -> bool:
        return not self.trouble and all(one.alive for one in self.health)


def overview_text(begun: Sequence[Begun], first: str) -> str:
    """A line a lab, and how to go on; `first` is the lab to begin with where nothing is up."""
    if not begun:
        return (
            f"nothing is up\n  begin: {CALLED} labs lists the labs, {CALLED} up lab={first} brings one up\n"
        )
    rows = [("INSTANCE", "LAB", "PROVIDER", "UP SINCE", "ALIVE")]
    for one in begun:
        since = one.since[:16].replace("T", " ") or "-"
        rows.append((one.instance, one.lab, one.provider, since, one.trouble or _alive(one)))
    return "\n".join([*aligned(rows), *(line for one in begun for line in _next(one))]) + "\n"


def _alive(one: Begun) -> str:
    counts = [(kind, *one.alive(kind)) for kind in ("node", "tracer")]
    return ", ".join(alive_of(*each) for each in counts)


def alive_of(kind: str, alive: int, all_: int) -> str:
    """How many of them are."""
    return f"{alive} of {all_} {kind}s"


def _next(one: Begun) -> list[str]:
    """What to type."""
    if one.trouble:
        return [f"  {CALLED} destroy {one.called} takes away what is left of {one.instance}"]
    if not one.sound:
        return [f"  {CALLED} status {one.called} says what is dead, {CALLED} up {one.called} brings it back"]
    return [f"  next: {CALLED} check {one.called}, or {CALLED} destroy {one.called}"]


def overview_json(begun: Sequence[Begun], first: str) -> str:
    """Each lab with all that is known of it."""
    return json.dumps([asdict(one) for one in begun], indent=2) + "\n"


def status_text(
    lab: str, instance: str, provider: str, health: Sequence[Health], drift: Sequence[Difference] | None
) -> str:
    """A line a node and tracer, the dead ones marked; then what isn't as Day0 left it, None where nobody could tell."""
    lines = [f"{instance}: lab {lab} on {provider}"]
    lines += [f"  {_word(one):4} {one.kind:6} {one.name:16} {one.detail}".rstrip() for one in health]
    if drift:
        lines.append(f"{DIFFERS}:")
        lines += [f"  {line}" for one in drift for line in one.sentences()]
    elif drift is not None:
        lines.append(AS_DAY0)
    return "\n".join(lines) + "\n"


def _word(one: Health) -> str:
    return "ok" if one.alive else "HALF" if one.kind == CHANGE else "DEAD"


def status_json(
    lab: str, instance: str, provider: str, health: Sequence[Health], drift: Sequence[Difference] | None
) -> str:
    """Each node and tracer, and whether it is alive; each setting that differs, of the kind `difference`."""
    entries = [asdict(entry) for entry in health]
    for one in drift or ():
        entries += [asdict(Health("difference", str(one.place), True, line)) for line in one.sentences()]
    return json.dumps(entries, indent=2) + "\n"
