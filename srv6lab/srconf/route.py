"""The routes and neighbors that a local SID needs, and making the kernel's agree with them.

All of ours carry one protocol number, so that they are told from the administrator's, and what a crash left
behind is found without a record of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Union

from .errors import Refused
from .parameters import Address
from .state import LocalSid
from .tools import read, run

PROTOCOL = "173"


@dataclass(frozen=True)
class Neighbor:
    """The MAC of a service that has no address of its own."""

    address: Address
    mac: str
    device: str

    def add(self) -> bool:
        """Set it, as a permanent one."""
        where = (str(self.address), "lladdr", self.mac, "dev", self.device)
        run("ip", "neigh", "replace", *where, "nud", "permanent", "protocol", PROTOCOL)
        return True

    def remove(self) -> None:
        """Forget it."""
        run("ip", "neigh", "del", str(self.address), "dev", self.device)


@dataclass(frozen=True)
class HostRoute:
    """The next hop as a gateway: else End.DX4 asks ARP for the inner destination, and End.DX6 makes a route
    of its own for each packet."""

    target: Address
    gateway: Address
    device: str

    @property
    def _prefix(self) -> str:
        return f"{self.target}/{self.target.max_prefixlen}"

    def add(self) -> bool:
        """Add it, unless the administrator has the very same; whether it was added."""
        version = f"-{self.target.version}"
        present = read("ip", "-j", version, "route", "show", self._prefix)
        if any(r.get("gateway") == str(self.gateway) and r.get("dev") == self.device for r in present):
            return False
        if present:
            device = present[0].get("dev", "no interface")
            raise Refused(f"{self._prefix} has a route already, through {device}: remove it first")
        where = (self._prefix, "via", str(self.gateway), "dev", self.device)
        run("ip", version, "route", "add", *where, "onlink", "protocol", PROTOCOL)
        return True

    def remove(self) -> None:
        """Remove it."""
        where = (self._prefix, "dev", self.device, "protocol", PROTOCOL)
        run("ip", f"-{self.target.version}", "route", "del", *where)


@dataclass(frozen=True)
class SidRoute:
    """The kernel's own behavior for the SID (RFC 8986 section 4); `option` is its parameter, if it has one."""

    sid: IPv6Address
    action: str
    option: tuple[str, ...]
    device: str

    def add(self) -> bool:
        """Add it; a route of somebody else for this SID is not ours to replace."""
        if present := read("ip", "-j", "-6", "route", "show", f"{self.sid}/128", "table", "all"):
            kind = _flat(present[0]).get("action") or present[0].get("type") or present[0].get("dev", "")
            raise Refused(f"{self.sid} has a route or an address already ({kind}): remove it first")
        action = ("encap", "seg6local", "action", self.action, *self.option)
        run("ip", "-6", "route", "add", f"{self.sid}/128", *action, "dev", self.device, "protocol", PROTOCOL)
        return True

    def remove(self) -> None:
        """Remove it."""
        run("ip", "-6", "route", "del", f"{self.sid}/128", "dev", self.device, "protocol", PROTOCOL)


Entry = Union[Neighbor, HostRoute, SidRoute]


def wanted(local_sid: LocalSid) -> tuple[Entry, ...]:
    """What one SID needs, in the order of adding; nothing helps when its interface is gone."""
    behavior, device = local_sid.behavior, local_sid.oif.current_name
    if device is None:
        return ()
    neighbor, target = local_sid.neighbor, local_sid.target
    if neighbor is None or target is None:
        option = ("oif", device) if behavior.interfaces else ()
        return (SidRoute(local_sid.sid, behavior.action, option, device),)
    option = (f"nh{behavior.next_hop}", str(target))
    routes = (
        HostRoute(target, neighbor, device),
        SidRoute(local_sid.sid, behavior.action, option, device),
    )
    if local_sid.mac is None:
        return routes
    return Neighbor(neighbor, local_sid.mac.hex(":"), device), *routes


def present() -> set[Entry]:
    """What stands in the kernel with our protocol number."""
    found: set[Entry] = set()
    for version in ("-4", "-6"):
        for item in read("ip", "-j", version, "neigh", "show", "proto", PROTOCOL):
            found.add(Neighbor(ip_address(item["dst"]), item["lladdr"], item["dev"]))
        for item in map(_flat, read("ip", "-j", version, "route", "show", "protocol", PROTOCOL)):
            found.add(_route(item))
    return found


def _route(item: dict[str, Any]) -> Entry:
    target = ip_address(item["dst"])
    if "action" not in item or not isinstance(target, IPv6Address):
        return HostRoute(target, ip_address(item["gateway"]), item["dev"])
    option = next(((word, str(item[word])) for word in ("nh4", "nh6", "oif") if word in item), ())
    return SidRoute(target, item["action"], option, item["dev"])


def _flat(route: dict[str, Any]) -> dict[str, Any]:
    """A route with its encapsulation's keys beside its own, as iproute2 6.1 has them; later ones nest."""
    encap = route.get("encap")
    return {**route, **encap} if isinstance(encap, dict) else route


def reconcile(local_sids: Iterable[LocalSid]) -> bool:
    """Make the kernel's entries those that these SIDs need; whether anything had to be done."""
    needed = dict.fromkeys(entry for local_sid in local_sids for entry in wanted(local_sid))
    there = present()
    order = (SidRoute, HostRoute, Neighbor)
    surplus = sorted(there - needed.keys(), key=lambda entry: order.index(type(entry)))
    for entry in surplus:
        entry.remove()
    added = [entry.add() for entry in needed if entry not in there]
    return bool(surplus) or any(added)
