"""What the eBPF maps hold, as values: the only place besides srproxy.h that knows their layout."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from . import chain
from .behaviors import Behavior, Kind, by_code
from .chain import Chain
from .errors import ToolError
from .parameters import Address

SIDS, RETURNS, CHAINS, FLOWS, SCRATCH = (
    f"srp_{name}" for name in ("sids", "returns", "chains", "flows", "scratch")
)
LOCAL_SID = struct.Struct("=BBBBBBxxIII16s8s16s16s4x")  # and then its counters
WAY_BACK = struct.Struct("=II")
TRAFFIC = struct.Struct("=QQ")
HOME, THE_ONE = struct.Struct("=Q"), bytes(4)  # what srp_scratch begins with, and its key
FLOW_SIZE, FLOW_WAY = 48, struct.Struct("=IB")
SIDS_MAX, FLOWS_MAX = 1024, 8192
STAND_INS = 0xFD73_7263_6F6E << 80  # a unique local prefix (RFC 4193) of our own

# In the order of `enum counter`; the first three are no discards.
COUNTER_NAMES = (
    "entered",
    "returned",
    "only_chain",
    "no_srh",
    "segments_left_zero",
    "segments_left",
    "hop_limit",
    "malformed_srh",
    "headers_too_long",
    "inner_type",
    "inner_malformed",
    "too_big",
    "no_cache",
    "refused",
)
DISCARDS = COUNTER_NAMES[3:]

VALUE_SIZES = {
    SIDS: (16, LOCAL_SID.size + TRAFFIC.size * len(COUNTER_NAMES)),
    RETURNS: (WAY_BACK.size, 16),
    CHAINS: (16, chain.HEADERS.size),
    FLOWS: (FLOW_SIZE, 8 + chain.HEADERS_MAX),
    SCRATCH: (len(THE_ONE), HOME.size + chain.HEADERS.size + 2 * FLOW_SIZE),
}


@dataclass(frozen=True)
class Interface:
    """An interface as it was when the SID was added; the index is gone when the interface is."""

    index: int
    name: str
    mtu: int = field(default=0, compare=False)

    @property
    def current_name(self) -> str | None:
        """What it is called now; None if it is gone."""
        try:
            return socket.if_indextoname(self.index)
        except OSError:
            return None


@dataclass(frozen=True)
class LocalSid:
    """One SID of this namespace with everything `add` was told.

    `oif` leads to the next hop; for a behavior without one, it is an interface that holds the route.
    """

    sid: IPv6Address
    behavior: Behavior
    next_hop: Address | None
    mac: bytes | None
    oif: Interface
    iif: Interface | None
    chain: Chain | None = None

    @property
    def key(self) -> bytes:
        """The SID as the maps' key."""
        return self.sid.packed

    @property
    def way_back(self) -> bytes | None:
        """The key of what comes back from the service."""
        return WAY_BACK.pack(self.iif.index, self.behavior.family) if self.iif else None

    @property
    def neighbor(self) -> Address | None:
        """The next hop as a neighbor: a service that is known by its MAC only gets an address of ours.

        For IPv4, from 169.254.1.0 to 169.254.254.255, the range of RFC 3927 section 2.1.
        """
        if self.mac is None:
            return self.next_hop
        if self.behavior.next_hop == 4:
            return IPv4Address(bytes((169, 254, 1 + self.mac[4] % 254, self.mac[5])))
        return self._stand_in(int.from_bytes(self.mac, "big"))

    @property
    def target(self) -> Address | None:
        """What the SID's route names: the kernel can't look a link-local next hop up there."""
        address = self.neighbor
        if isinstance(address, IPv6Address) and address.is_link_local:
            return self._stand_in(int(address) & (1 << 64) - 1)
        return address

    def _stand_in(self, identifier: int) -> IPv6Address:
        return IPv6Address(STAND_INS | (self.oif.index & 0xFFFF) << 64 | identifier)

    def pack(self) -> bytes:
        """The value in the map of SIDs, before its counters."""
        behavior, neighbor = self.behavior, self.neighbor
        return LOCAL_SID.pack(
            behavior.code,
            behavior.kind,
            behavior.position,
            behavior.inner,
            behavior.family,
            self.mac is not None,
            self.oif.index,
            self.iif.index if self.iif else 0,
            self.oif.mtu if behavior.kind is Kind.MASQUERADE else 0,
            neighbor.packed if neighbor else b"",
            self.mac or b"",
            self.oif.name.encode(),
            self.iif.name.encode() if self.iif else b"",
        )

    def pack_chain(self) -> bytes | None:
        """The value in the map of chains, if it is the command that writes it."""
        return self.chain.pack(self.behavior.inner) if self.chain else None


def unpack_local_sid(key: bytes, value: bytes, headers: bytes | None) -> LocalSid:
    """Read an entry of the map of SIDs, and the one of the map of chains that belongs to it."""
    code, _, _, _, _, has_mac, oif, iif, mtu, next_hop, mac, oif_name, iif_name = LOCAL_SID.unpack_from(value)
    behavior = by_code(code)
    if behavior is None:
        raise ToolError("another version of srconf works here: `srconf localsid flush`, and add anew")
    address: Address | None = None
    if behavior.next_hop and not has_mac:
        address = IPv4Address(next_hop[:4]) if behavior.next_hop == 4 else IPv6Address(next_hop)
    return LocalSid(
        sid=IPv6Address(key),
        behavior=behavior,
        next_hop=address,
        mac=mac[:6] if has_mac else None,
        oif=Interface(oif, _name(oif_name), mtu),
        iif=Interface(iif, _name(iif_name)) if iif else None,
        chain=chain.unpack(headers) if behavior.kind is Kind.STATIC and headers else None,
    )


def _name(packed: bytes) -> str:
    return packed.split(b"\0")[0].decode(errors="replace")


@dataclass(frozen=True)
class Traffic:
    """Packets and bytes as the wire has them: IP packets without the link layer, GSO counted as segments."""

    packets: int = 0
    bytes: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.packets + other.packets, self.bytes + other.bytes)


@dataclass(frozen=True)
class Counters:
    """A SID's counters by name."""

    of: dict[str, Traffic]

    @property
    def good(self) -> Traffic:
        """What was handed to the service, or to the kernel's own behavior."""
        return self.of["entered"]

    @property
    def bad(self) -> Traffic:
        """What was discarded, for whatever reason, before the service or after it."""
        return sum((self.of[name] for name in DISCARDS), Traffic())


def unpack_counters(copies: tuple[bytes, ...]) -> Counters:
    """Add up what the CPUs counted in their copies of an entry of the map of SIDs."""
    totals = [Traffic()] * len(COUNTER_NAMES)
    for copy in copies:
        for index, (packets, size) in enumerate(TRAFFIC.iter_unpack(copy[LOCAL_SID.size :])):
            totals[index] += Traffic(packets, size)
    return Counters(dict(zip(COUNTER_NAMES, totals)))
