"""The routes and neighbors that a local SID needs, and making the kernel's agree with them.

All of ours carry one protocol number, so that they are told from the administrator's, and what a crash left
behind is found without a record of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from .errors import Refused
from .state import LocalSid
from .tools import read, run

PROTOCOL = "173"


@dataclass(frozen=True, slots=True)
class Neighbor:
    """The MAC of a service that has no address of its own."""

    address: IPv4Address
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


@dataclass(frozen=True, slots=True)
class HostRoute:
    """The next hop through itself: else End.DX4 asks ARP for the inner destination."""

    next_hop: IPv4Address
    device: str

    def add(self) -> bool:
        """Add it, unless the administrator has the very same; whether it was added."""
        present = read("ip", "-j", "-4", "route", "show", f"{self.next_hop}/32")
        if any(r.get("gateway") == str(self.next_hop) and r.get("dev") == self.device for r in present):
            return False
        if present:
            device = present[0].get("dev", "no interface")
            raise Refused(f"{self.next_hop}/32 has a route already, through {device}: remove it first")
        where = (f"{self.next_hop}/32", "via", str(self.next_hop), "dev", self.device)
        run("ip", "-4", "route", "add", *where, "onlink", "protocol", PROTOCOL)
        return True

    def remove(self) -> None:
        """Remove it."""
        run("ip", "-4", "route", "del", f"{self.next_hop}/32", "dev", self.device, "protocol", PROTOCOL)


@dataclass(frozen=True, slots=True)
class SidRoute:
    """The kernel's own decapsulation for the SID (RFC 8986 section 4.5)."""

    sid: IPv6Address
    action: str
    keyword: str
    next_hop: IPv4Address
    device: str

    def add(self) -> bool:
        """Add it; a route of somebody else for this SID is not ours to replace."""
        if present := read("ip", "-j", "-6", "route", "show", f"{self.sid}/128", "table", "all"):
            kind = _flat(present[0]).get("action") or present[0].get("type") or present[0].get("dev", "")
            raise Refused(f"{self.sid} has a route or an address already ({kind}): remove it first")
        action = ("encap", "seg6local", "action", self.action, self.keyword, str(self.next_hop))
        run("ip", "-6", "route", "add", f"{self.sid}/128", *action, "dev", self.device, "protocol", PROTOCOL)
        return True

    def remove(self) -> None:
        """Remove it."""
        run("ip", "-6", "route", "del", f"{self.sid}/128", "dev", self.device, "protocol", PROTOCOL)


Entry = Neighbor | HostRoute | SidRoute


def wanted(local_sid: LocalSid) -> tuple[Entry, ...]:
    """What one SID needs, in the order of adding; nothing helps when its interface is gone."""
    behavior, device = local_sid.behavior, local_sid.oif.current_name
    if device is None:
        return ()
    route = SidRoute(local_sid.sid, behavior.action, behavior.next_hop_keyword, local_sid.next_hop, device)
    host = HostRoute(local_sid.next_hop, device)
    if local_sid.mac is None:
        return host, route
    return Neighbor(local_sid.next_hop, local_sid.mac.hex(":"), device), host, route


def present() -> set[Entry]:
    """What stands in the kernel with our protocol number."""
    found: set[Entry] = set()
    for item in read("ip", "-j", "-4", "neigh", "show", "proto", PROTOCOL):
        found.add(Neighbor(IPv4Address(item["dst"]), item["lladdr"], item["dev"]))
    for item in read("ip", "-j", "-4", "route", "show", "protocol", PROTOCOL):
        found.add(HostRoute(IPv4Address(item["dst"]), item["dev"]))
    for item in map(_flat, read("ip", "-j", "-6", "route", "show", "protocol", PROTOCOL)):
        keyword = next((word for word in ("nh4", "nh6") if word in item), "")
        next_hop = IPv4Address(item.get(keyword, "0.0.0.0"))
        found.add(SidRoute(IPv6Address(item["dst"]), item.get("action", ""), keyword, next_hop, item["dev"]))
    return found


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
