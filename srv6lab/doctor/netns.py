"""What labs in network namespaces need: tools, and a kernel that does what they ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from srv6lab.host import requirements
from srv6lab.host.packages import where
from srv6lab.host.system import System
from srv6lab.plan.nodes import Plan
from srv6lab.providers.netns import TOOLS

from . import kernel, needs, tools
from .asking import ask
from .findings import Finding, Looked, Need
from .probes import probes

_SRV6 = "SRv6"
_EVERY = (*TOOLS, _SRV6, kernel.NODES)
NEEDS = (*(Need((name,), "every lab under netns") for name in _EVERY), Need(("tshark",), "every check"))


def look(_: str, system: System, plans: Sequence[Plan], asked: Plan | None, folder: Path) -> Looked:
    """What is here. Tools are asked while the kernel is."""
    programs = (*tools.of_groups(("lab",)), *(one for one in tools.OTHER_ENGINES if where(one.how)))
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(ask, tools.questions(programs))
        kernels = _kernel()
        found = (*tools.findings(programs, answers.result(), system), *kernels)
    return Looked(NEEDS, found, {plan.name: needs.of_lab(plan) for plan in plans})


def _kernel() -> tuple[Finding, ...]:
    first = kernel.required(_SRV6, "segment routing over IPv6", requirements.srv6())
    return (first, *kernel.tried(probes()))
