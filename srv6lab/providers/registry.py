"""The providers: a record each, from which follow the options of `up`, what `doctor` can be asked, and all that
concerns a provider before it is at work."""

from __future__ import annotations

from collections.abc import Mapping

from srv6lab.errors import UsageError
from srv6lab.images import SUITES
from srv6lab.images.box import NAME as OUR_BOX
from srv6lab.providers.base import Provider, Record
from srv6lab.providers.state import Home, State
from srv6lab.render.day0 import render
from srv6lab.render.vagrant import single_vm as one_machine
from srv6lab.render.vagrant import vagrant


def _netns(record: Record) -> Provider:
    from srv6lab.providers.netns import Netns  # for Linux only; what needs no provider runs anywhere

    return Netns(record)


def _microvm(record: Record) -> Provider:
    from srv6lab.providers.microvm import Microvm

    return Microvm(record)


def _machines(record: Record) -> Provider:
    from srv6lab.providers.vagrant import Machines  # python-vagrant is for those who use it

    return Machines(record)


def _single_vm(record: Record) -> Provider:
    from srv6lab.providers.vagrant.single import SingleVm

    return SingleVm(record)


def _with_kernel(kernel: str) -> Record:
    words = f"network namespaces in a micro-VM, on Debian's kernel {kernel}"
    return Record(f"microvm:{kernel}", "microvm", words, _microvm, render, kernel=kernel, linux_only=True)


def _by_vagrant(kind: str, words: str) -> tuple[Record, Record]:
    """A hypervisor with a machine a node, and with one machine for the whole lab: the file's boxes are not for that."""
    whole = f"network namespaces in one virtual machine, which Vagrant makes with {kind}"
    each = Record(kind, kind, f"virtual machines, which Vagrant makes {words}", _machines, vagrant, True)
    name = f"{kind}-single-vm"
    return each, Record(name, kind, whole, _single_vm, one_machine, True, single_vm=True, box=OUR_BOX)


_ALL = (
    Record(
        "netns",
        "netns",
        "network namespaces on this machine, on its own kernel",
        _netns,
        render,
        linux_only=True,
    ),
    *_by_vagrant("virtualbox", "in VirtualBox"),
    *_by_vagrant("libvirt", "with libvirt and qemu"),
    *map(_with_kernel, SUITES),
)
RECORDS: Mapping[str, Record] = {record.name: record for record in _ALL}
DEFAULT_PROVIDER = _ALL[0].name
KERNELS = tuple(record.kernel for record in _ALL if record.kernel)
PROVIDERS = tuple(record.name for record in _ALL if record.name == record.kind)
WITH_MACHINES = tuple(name for name in PROVIDERS if RECORDS[name].makes_machines)


def provider_named(name: str) -> Provider:
    """The provider; UsageError for one that isn't there."""
    if record := RECORDS.get(name):
        return record.make(record)
    kind, _, kernel = name.partition(":")
    if any(record.kernel for record in _ALL if record.kind == kind):
        what = f"there is no kernel {kernel!r}" if kernel else f"{kind} needs a kernel"
        raise UsageError(what, f"--kernel with one of: {', '.join(KERNELS)}")
    raise UsageError(f"there is no provider {name!r}", f"there are: {', '.join(PROVIDERS)}")


def provider_of(state: State | None) -> Provider:
    """The provider that an instance runs under, or the default for one that wasn't begun."""
    return provider_named(state.provider if state else DEFAULT_PROVIDER)


def choose_provider(home: Home, asked: str, kernel: str = "", *, single_vm: bool = False) -> Provider:
    """The provider that was asked for, else the one that the instance runs under, else the default; a
    kernel other than this machine's is asked of the micro-VM, and `single_vm` of one that makes machines."""
    if single_vm and kernel:
        raise UsageError("one machine has the kernel of its box", "leave out --single-vm or --kernel")
    if single_vm:
        return provider_named(_in_one_machine(asked or DEFAULT_PROVIDER))
    kinds = [record.kind for record in _ALL if record.kernel]
    if kernel and asked not in ("", *kinds):
        raise UsageError(f"{asked} runs on no kernel of your choice", "leave out --provider or --kernel")
    if kernel or asked in kinds:
        return provider_named(f"{asked or kinds[0]}:{kernel}")
    return provider_named(asked) if asked else provider_of(home.read())


def _in_one_machine(asked: str) -> str:
    """The name of the provider that has a lab in one machine of the kind that was asked for."""
    for record in _ALL:
        if record.single_vm and asked in (record.kind, record.name):
            return record.name
    kind = provider_named(asked).record.kind
    raise UsageError(f"{kind} makes no machines", f"--single-vm is for {' and '.join(WITH_MACHINES)}")


def provider_line(provider: Provider, *, explicit: bool) -> str:
    """The first line of `up`: where the lab runs, and how to choose."""
    line = f"provider: {provider.record.name} ({provider.record.summary})"
    if explicit:
        return line
    return f"{line}; choose with --provider {'|'.join(PROVIDERS)}, or --kernel {'|'.join(KERNELS)}"
