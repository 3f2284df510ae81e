"""Which provider is meant: by its name, by the options of `up`, by an instance's state."""

from __future__ import annotations

from srv6lab.errors import UsageError
from srv6lab.providers.base import Provider
from srv6lab.providers.records import DEFAULT_PROVIDER, RECORDS
from srv6lab.providers.state import Home, State

_ALL = tuple(RECORDS.values())
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
