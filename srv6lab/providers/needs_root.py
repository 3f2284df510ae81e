"""What of a lab only root can give it: what the kernel does for nobody in a user namespace (see rootless.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from srv6lab.called import WITH_SUDO
from srv6lab.host.requirements import Lack, is_root

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan, PlannedNode

MEND = f"{WITH_SUDO}; or add --kernel 6.12, a micro-VM of your own, which needs no root"


def of_node(node: PlannedNode) -> Iterator[str]:
    """What of a node takes root, each in words."""
    if node.proxies:
        yield f"{node.name} has an SR proxy, which is an eBPF program"
    if node.hmac_keys:
        yield f"{node.name} has keys of HMACs, which only root may give to a kernel"
    if source(node):
        yield f"{node.name} encapsulates from {source(node)}, which only root may tell a kernel (ip sr tunsrc)"


def source(node: PlannedNode) -> str:
    """The address that a node's kernel is told to encapsulate from; "" if it chooses one itself."""
    by_frr = node.routing.source if node.routing else None
    return str(node.tunnel_source or by_frr or "")


def lack(plan: Plan) -> Lack | None:
    """What somebody who isn't root lacks for a lab."""
    if is_root():
        return None
    found = [reason for node in plan.nodes for reason in of_node(node)]
    if not found:
        return None
    more = f", and {len(found) - 1} more such" if len(found) > 1 else ""
    return Lack(f"{plan.name} needs root: {found[0]}{more}", MEND)
