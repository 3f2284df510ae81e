"""A local SID, as its author writes it."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from srv6lab.srv6.csid import NextCsid
from srv6lab.srv6.flavors import NEXT_CSID, in_linux
from srv6lab.topology.routing.vrf import VrfName
from srv6lab.topology.scalars import Address, Flag, Model, Name, NicName, V4Address, V6Address
from srv6lab.topology.steering import Target

if TYPE_CHECKING:
    FlavorName = str
else:
    FlavorName = Literal[*in_linux()]


KEYS = {"oif": "nic"}  # what an author calls a parameter, where that isn't the kernel's word


class SidPolicy(Target):
    """What a SID pushes: of a static SR proxy, whose own the tunnel is, with its `source`."""

    source: V6Address | None = None


class LocalSid(Model):
    """A SID that a node owns and the behavior bound to it (RFC 8986 section 3), with its flavors. One that is `anycast`
    is several nodes' (RFC 8402 section 3.3); one `by: frr` is a static SID of FRR's."""

    node: Name
    sid: V6Address
    behavior: str
    nh4: V4Address | None = None
    nh6: V6Address | None = None
    table: Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)] | None = None
    vrf: VrfName | None = None
    policy: SidPolicy | None = None
    service: Name | None = None
    nic: NicName | None = None
    flavors: tuple[FlavorName, ...] = ()
    anycast: Flag = False
    by: Literal["frr"] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """What the author gave, by the names of the behavior's registry entry."""
        names = ("nh4", "nh6", "oif", "policy", "service", "table", "vrf")
        given = {name: getattr(self, KEYS.get(name, name)) for name in names}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def next_hop(self) -> Address | None:
        """The neighbor that it hands packets to. The unspecified address is none: then Linux looks them up."""
        given = self.nh4 or self.nh6
        return None if given is None or given.is_unspecified else given

    @property
    def prefix(self) -> IPv6Network:
        """The destinations that the SID takes: with NEXT-CSID whatever follows it, else itself."""
        if self.by:
            return IPv6Network((self.sid, _length(self.sid)))
        return self.csid.prefix(self.sid) if self.csid else IPv6Network(self.sid)

    @property
    def csid(self) -> NextCsid | None:
        """How it moves a carrier up, None without NEXT-CSID."""
        if NEXT_CSID not in self.flavors:
            return None
        return NextCsid(node_function=_length(self.sid) - NextCsid().block) if self.by else NextCsid()


_GROUP = 16


def _length(sid: IPv6Address) -> int:
    """The bits of a static SID of FRR's: node and function are whole groups, and zeros follow them."""
    shortest = NextCsid().block + NextCsid().node_function
    zeros = next(bits for bits in range(0, 128, _GROUP) if int(sid) >> bits & 0xFFFF) if int(sid) else 0
    return max(128 - zeros, shortest)
