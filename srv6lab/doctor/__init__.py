"""What this machine can run, found out by trying: `invoke doctor`.

Tools are asked for their versions; the kernel is asked in a throwaway node, which is made as a lab's are and
ends with this process. Nothing is installed, changed or left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path

from srv6lab.errors import UsageError
from srv6lab.host.system import System, this_system
from srv6lab.plan.nodes import Plan
from srv6lab.providers.records import RECORDS
from srv6lab.providers.registry import PROVIDERS

from .findings import Diagnosis, Finding, LabAnswer, Looked, Need, unmet

# What a provider's module here is asked: the provider, the system, the labs, that which was asked for, and the folder
# where its files will lie.
Look = Callable[[str, System, Sequence[Plan], Plan | None, Path], Looked]


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
    look: Look = import_module(f"{__name__}.{RECORDS[provider].doctor}").look
    found = look(provider, system, plans, asked, folder)
    labs = tuple(LabAnswer(name, unmet((*found.base, *own), found.all)) for name, own in found.more.items())
    wanted = (*found.base, *(found.more[asked.name] if asked else ()))
    return Diagnosis(provider, system, found.all, wanted, labs, asked.name if asked else "")


__all__ = ["PROVIDERS", "Diagnosis", "Finding", "LabAnswer", "Need", "choose", "diagnose"]
