"""VPNs in namespaces: where the kernel has no VRFs, a node's VPN is a network namespace in it.

The NICs of the VPN are then born there, since a NIC that is moved later loses its tracer. Day0 finds the
namespace, and wires it to the core.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from srv6lab.called import CALLED
from srv6lab.errors import MachineError
from srv6lab.host.requirements import is_root
from srv6lab.plan.converged.parted_vpns import parted_vpns
from srv6lab.plan.frr.vpn import beyond_namespaces
from srv6lab.providers import needs_root

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Nic, Plan

# Numbers of NICs in the namespace are ours to give: those of the core's NICs have to be free in it.
_FIRST_INDEX = 1000
_QUIET = (
    "ip netns add {0} && ip netns exec {0} sh -c "
    "'cd /proc/sys/net/ipv6/conf/default; echo 1 >disable_ipv6"
    "; for name in accept_ra accept_dad dad_transmits; do echo 0 >$name; done'"
)
_PROBE = "ip link add name vrf-probe type vrf table 4096 && ip link del dev vrf-probe"

Tries = Callable[..., bool]  # of a node and a command


def make_namespaces(plan: Plan, tries: Tries, places: Collection[str] | None = None) -> bool:
    """Make the namespace of every VPN, of all nodes or of some, if the kernel has no VRFs; `tries` says whether a command
    in a node ends well. Whether they were made; MachineError for what no namespaces can serve."""
    nodes = [node for node in plan.nodes if places is None or node.name in places]
    wanted = [(machine.name, name) for machine in nodes for name in machine.vrf_names()]
    if not wanted or tries(wanted[0][0], "sh", "-c", _PROBE):
        return False
    if not is_root():
        name, vrf = wanted[0]
        what = f"{name}: this kernel has no VRFs, and only root can let namespaces stand in for {vrf}"
        raise MachineError(what, needs_root.MEND)
    for machine in nodes:
        for vrf, other, what in beyond_namespaces(machine.routing.vrfs if machine.routing else ()):
            raise MachineError(
                f"{machine.name}: {vrf} takes {what} from {other}, and only a kernel with VRFs can lead them",
                f"{CALLED} up --kernel 6.12 boots one",
            )
    for machine, vrf, hop, _ in parted_vpns(plan):
        raise MachineError(
            f"{machine.name}: {hop}, the next hop of {vrf}, is reached by several ways, and only with VRFs FRR lays such a route",
            f"make one of the ways shorter, don't redistribute static routes there, or {CALLED} up --kernel 6.12",
        )
    for node, vrf in wanted:
        if not tries(node, "sh", "-c", _QUIET.format(vrf)):
            raise MachineError(f"{node}: the kernel has no VRFs, and the namespace {vrf} can't be made")
    return True


def index(nic: Nic) -> int:
    """A number of its own for each NIC of a node: of those that aren't numbered, one that its name gives."""
    number = nic.name.removeprefix("eth")
    if number.isdigit():
        return _FIRST_INDEX + int(number)
    return 20_000 + crc32(nic.name.encode()) % 1_000_000
