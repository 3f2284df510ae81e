"""What a lab can be run by, and what it can be rendered for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from srv6lab.errors import UsageError
from srv6lab.images import SUITES
from srv6lab.plan.nodes import Plan
from srv6lab.providers.base import Provider
from srv6lab.providers.state import Home
from srv6lab.render.day0 import render
from srv6lab.render.files import Files
from srv6lab.render.vagrant import SINGLE_VM, single_vm, vagrant


def _netns() -> Provider:
    from srv6lab.providers.netns import Netns  # for Linux only; what needs no provider runs anywhere

    return Netns()


def _microvm(version: str) -> Provider:
    from srv6lab.providers.microvm import Microvm

    return Microvm(version)


def _machines(name: str, summary: str) -> Callable[[], Provider]:
    def make() -> Provider:
        from srv6lab.providers.vagrant import Machines  # python-vagrant is for those who use it

        return Machines(name, summary)

    return make


def _single_vm(hypervisor: str, name: str) -> Provider:
    from srv6lab.providers.vagrant.single import SingleVm

    return SingleVm(hypervisor, name, SINGLE_VM)


KERNELS = tuple(SUITES)
DEFAULT_PROVIDER = "netns"
PROVIDERS: Mapping[str, Callable[[], Provider]] = {
    DEFAULT_PROVIDER: _netns,
    "virtualbox": _machines("virtualbox", "virtual machines, which Vagrant makes in VirtualBox"),
    "libvirt": _machines("libvirt", "virtual machines, which Vagrant makes with libvirt and qemu"),
}
# The provider `microvm:VERSION`: another kernel under the same lab.
MICROVM = "microvm"
# The providers `virtualbox-single-vm` and `libvirt-single-vm`: one machine with the whole lab in it.
SINGLE_VM_SUFFIX = "-single-vm"


def provider_named(name: str) -> Provider:
    kind, _, version = name.partition(":")
    if kind == MICROVM:
        if version not in KERNELS:
            what = f"there is no kernel {version!r}" if version else "a micro-VM needs a kernel"
            raise UsageError(what, f"--kernel with one of: {', '.join(KERNELS)}")
        return _microvm(version)
    hypervisor = name.removesuffix(SINGLE_VM_SUFFIX)
    if hypervisor not in PROVIDERS:
        raise UsageError(f"there is no provider {name!r}", f"there are: {', '.join(PROVIDERS)}")
    provider = PROVIDERS[hypervisor]()
    if name == hypervisor:
        return provider
    if not provider.resumes:
        raise UsageError(f"{hypervisor} makes no machines", "--single-vm is for virtualbox and libvirt")
    return _single_vm(hypervisor, name)


def rendering(provider: Provider) -> Callable[[Plan], Files]:
    """What a provider takes a lab from."""
    if provider.name.endswith(SINGLE_VM_SUFFIX):
        return single_vm
    return vagrant if provider.resumes else render


def choose_provider(home: Home, asked: str, kernel: str = "", *, single_vm: bool = False) -> str:
    """The provider that was asked for, else the one that the instance runs under, else the default; a
    kernel other than this machine's is asked of the micro-VM, and `single_vm` of one that makes machines."""
    if single_vm and not kernel:
        asked = (asked or DEFAULT_PROVIDER).removesuffix(SINGLE_VM_SUFFIX) + SINGLE_VM_SUFFIX
    elif single_vm:
        raise UsageError("one machine has the kernel of its box", "leave out --single-vm or --kernel")
    if kernel and asked not in ("", MICROVM):
        raise UsageError(f"{asked} runs on no kernel of your choice", "leave out --provider or --kernel")
    if kernel or asked == MICROVM:
        asked = f"{MICROVM}:{kernel}"
    state = home.read()
    return provider_named(asked or (state.provider if state else DEFAULT_PROVIDER)).name


def provider_line(name: str, *, explicit: bool) -> str:
    """The first line of `up`: where the lab runs, and how to choose."""
    line = f"provider: {name} ({provider_named(name).summary})"
    if explicit:
        return line
    return f"{line}; choose with --provider {'|'.join(PROVIDERS)}, or --kernel {'|'.join(KERNELS)}"
