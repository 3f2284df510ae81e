"""From what was tried out in a throwaway node to findings, and the words for how to mend them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from srv6lab.called import WITH_SUDO
from srv6lab.errors import MachineError
from srv6lab.host.packages import named, remedy
from srv6lab.host.requirements import IN_A_CONTAINER, Lack, is_root, no_namespaces
from srv6lab.host.system import kernel_release
from srv6lab.providers import needs_root

from .findings import Finding, State
from .probes import Probe

AREA = "kernel"
NODES = "nodes"
NODES_PROBE = Probe(NODES, "namespaces, and a root that is an overlay of this machine's", ())
# How iproute2 refuses a word before the kernel sees it.
_OLD_TOOL = re.compile(r"is wrong: |is a garbage|value is invalid|unknown option", re.IGNORECASE)
_NOT_PERMITTED = re.compile(r"not permitted|permission denied", re.IGNORECASE)
_WITH_ALL = f"run it as root with all capabilities; {IN_A_CONTAINER}"
_NO_PROGRAM = re.compile(r"failed to run command .(\w+).: No such file")


def tried(probes: Sequence[Probe]) -> Iterator[Finding]:
    """Every probe as a finding, after that of the node they are tried in."""
    from . import node  # for Linux only

    try:
        with node.throwaway() as one:
            answers = node.try_out(one, probes)
    except MachineError as error:
        yield no_node(error.what)
        yield from untried(probes, "not tried: there is no node")
        return
    yield Finding(AREA, NODES, State.OK, purpose=NODES_PROBE.purpose)
    for probe, answer in zip(probes, answers, strict=True):
        yield judged(probe, answer.ok, answer.said)


def no_node(said: str) -> Finding:
    mend = "boot a kernel built with CONFIG_NAMESPACES and CONFIG_OVERLAY_FS (Debian's and Ubuntu's are)"
    if not is_root():
        mend = f"{no_namespaces()}; or {WITH_SUDO}"
    elif _NOT_PERMITTED.search(said):
        mend = _WITH_ALL
    return Finding(AREA, NODES, State.LACKING, said, NODES_PROBE.purpose, mend)


def untried(probes: Sequence[Probe], why: str, mend: str = "") -> Iterator[Finding]:
    """Every probe, unknown."""
    return (Finding(AREA, probe.name, State.UNKNOWN, why, probe.purpose, mend) for probe in probes)


def required(name: str, purpose: str, lack: Lack | None) -> Finding:
    """A requirement that `up` refuses by."""
    if lack is None:
        return Finding(AREA, name, State.OK, purpose=purpose)
    return Finding(AREA, name, State.LACKING, lack.what, purpose, lack.mend)


def judged(probe: Probe, ok: bool, said: str) -> Finding:
    """A probe's answer as a finding."""
    if ok:
        return Finding(AREA, probe.name, State.OK, purpose=probe.purpose)
    return Finding(AREA, probe.name, State.LACKING, said, probe.purpose, _mend(probe, said))


def _mend(probe: Probe, said: str) -> str:
    if absent := _NO_PROGRAM.search(said):
        return remedy([named(absent[1])])
    if _OLD_TOOL.search(said):
        return "install a newer iproute2: this one has no word for it"
    if _NOT_PERMITTED.search(said):
        return _WITH_ALL if is_root() else needs_root.MEND
    if probe.since and kernel_release() < probe.since:
        return f"boot Linux {probe.since[0]}.{probe.since[1]} or newer"
    return f"boot a kernel that has {probe.config}: Debian's and Ubuntu's do"
