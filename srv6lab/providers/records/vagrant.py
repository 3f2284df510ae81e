"""Virtual machines that Vagrant makes: a node each, or one for the whole lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srv6lab.images import OUR_BOX
from srv6lab.providers.base import Provider, Record

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan
    from srv6lab.render.files import Files

_HYPERVISORS = {"virtualbox": "in VirtualBox", "libvirt": "with libvirt and qemu"}


def _machines(record: Record) -> Provider:
    from srv6lab.providers.vagrant import Machines  # python-vagrant is for those who use it

    return Machines(record)


def _single_vm(record: Record) -> Provider:
    from srv6lab.providers.vagrant.single import SingleVm

    return SingleVm(record)


def _rendered(plan: Plan) -> Files:
    from srv6lab.render.vagrant import vagrant

    return vagrant(plan)


def _rendered_for_one(plan: Plan) -> Files:
    from srv6lab.render.vagrant import single_vm

    return single_vm(plan)


def _a_node_each(hypervisor: str) -> Record:
    return Record(
        name=hypervisor,
        kind=hypervisor,
        summary=f"virtual machines, which Vagrant makes {_HYPERVISORS[hypervisor]}",
        make=_machines,
        rendering=_rendered,
        doctor="vagrant",
        makes_machines=True,
    )


def _one_for_all(hypervisor: str) -> Record:
    """The file's boxes are for its nodes, so this has ours."""
    return Record(
        name=f"{hypervisor}-single-vm",
        kind=hypervisor,
        summary=f"network namespaces in one virtual machine, which Vagrant makes with {hypervisor}",
        make=_single_vm,
        rendering=_rendered_for_one,
        doctor="vagrant",
        makes_machines=True,
        single_vm=True,
        box=OUR_BOX,
    )


RECORDS = (*map(_a_node_each, _HYPERVISORS), *map(_one_for_all, _HYPERVISORS))
