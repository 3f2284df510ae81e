"""What was found out about this machine, and what of it is needed. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from srv6lab.host.system import System


class State(StrEnum):
    OK = "ok"
    LACKING = "lacking"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that this machine has or lacks. `found` is a version, or what was said when it was tried;
    `mend` the command or act that mends its absence."""

    area: str
    name: str
    state: State
    found: str = ""
    purpose: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that has to be OK: a finding by its name, or any one of several."""

    names: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        return " or ".join(self.names)


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is of what a provider needs: what every lab needs, and `more` what each does by its name."""

    base: tuple[Need, ...]
    all: tuple[Finding, ...]
    more: Mapping[str, tuple[Need, ...]]


@dataclass(frozen=True, slots=True)
class LabAnswer:
    """Whether a lab runs here: `lacks` are the needs that aren't met."""

    name: str
    lacks: tuple[Need, ...]

    @property
    def runs(self) -> bool:
        return not self.lacks


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What this machine can run under one provider. `needs` are those of what was asked for: of every lab,
    and of one if one was named (`lab`)."""

    provider: str
    system: System
    findings: tuple[Finding, ...]
    needs: tuple[Need, ...]
    labs: tuple[LabAnswer, ...]
    lab: str = ""

    @property
    def unmet(self) -> tuple[Need, ...]:
        return unmet(self.needs, self.findings)

    @property
    def works(self) -> bool:
        return not self.unmet

    def needed(self, finding: Finding) -> bool:
        """Whether what was asked for can't do without it; one that another stands in for isn't."""
        return any(
            finding.name in need.names and (need in self.unmet or finding.state is State.OK)
            for need in self.needs
        )


def unmet(needs: Iterable[Need], findings: Iterable[Finding]) -> tuple[Need, ...]:
    """The needs for which nothing was found that is OK."""
    fine = {finding.name for finding in findings if finding.state is State.OK}
    return tuple(need for need in needs if not fine & set(need.names))
