"""What this machine can run, found out by trying: `invoke doctor`.

Tools are asked for their versions; the kernel is asked in a throwaway node, which is made as a lab's are and
ends with this process. Nothing is installed, changed or left behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from srv6lab.errors import UsageError
from srv6lab.host.system import System, this_system
from srv6lab.plan.nodes import Plan
from srv6lab.providers.registry import PROVIDERS, RECORDS

from . import needs, vagrant
from .asking import ask
from .findings import Diagnosis, Finding, LabAnswer, Need, unmet


def choose(provider: str, system: System | None = None) -> str:
    """The provider that was asked for, else the one that this system's people use."""
    system = system or this_system()
    if provider and provider not in PROVIDERS:
        raise UsageError(f"there is no provider {provider!r}", f"there are: {', '.join(PROVIDERS)}")
    here = [name for name in PROVIDERS if system.is_linux or not RECORDS[name].linux_only]
    if provider and provider not in here:
        raise UsageError(f"{provider} is for Linux, and this is {system.name}", f"--provider {here[0]}")
    return provider or here[0]


def diagnose(provider: str, plans: Iterable[Plan], asked: Plan | None, folder: Path) -> Diagnosis:
    """Look at this machine for one provider: what it has, and which of the planned labs run, with the one
    that was asked for among them. `folder` is where labs' files will lie."""
    system = this_system()
    plans = [*plans, *([asked] if asked else [])]
    if not RECORDS[provider].makes_machines:
        from . import netns  # for Linux only

        base, findings = netns.NEEDS, netns.look(system)
        more = {plan.name: needs.of_lab(plan) for plan in plans}
    else:
        findings = _virtual(provider, system, asked, folder)
        base = vagrant.needs(provider, findings)
        more = {plan.name: vagrant.ROOM if asked else () for plan in plans}
    labs = tuple(LabAnswer(name, unmet((*base, *own), findings)) for name, own in more.items())
    wanted = (*base, *(more[asked.name] if asked else ()))
    return Diagnosis(provider, system, findings, wanted, labs, asked.name if asked else "")


def _virtual(provider: str, system: System, asked: Plan | None, folder: Path) -> tuple[Finding, ...]:
    answers = ask(vagrant.questions(provider, system), vagrant.LIMITS)
    machines = len(asked.nodes) if asked else 0
    memory = needs.memory(asked) if asked else 0
    return vagrant.findings(provider, system, answers, vagrant.free_disk(folder), machines, memory)


__all__ = ["PROVIDERS", "Diagnosis", "Finding", "LabAnswer", "Need", "choose", "diagnose"]
