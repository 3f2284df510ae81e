"""What the eBPF maps hold, as values: the only place besides srproxy.bpf.c that knows their layout."""

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from .behaviors import Behavior, by_code
from .errors import ToolError

SIDS, RETURNS, COUNTERS, FLOWS = "srp_sids", "srp_returns", "srp_counters", "srp_flows"
LOCAL_SID = struct.Struct("=BBBBII16s8s16s16s")
WAY_BACK = struct.Struct("=II")
TRAFFIC = struct.Struct("=QQ")
FLOW_SIZE, FLOW_IIF = 48, struct.Struct("=I")
SIDS_MAX, FLOWS_MAX = 1024, 8192

# In the order of `enum counter`; the first two are no discards.
COUNTER_NAMES = (
    "entered",
    "returned",
    "no_srh",
    "segments_left_zero",
    "hop_limit",
    "malformed_srh",
    "headers_too_long",
    "inner_type",
    "inner_malformed",
    "no_cache",
    "cache_failed",
    "push_failed",
)
DISCARDS = COUNTER_NAMES[2:]

VALUE_SIZES = {
    SIDS: (16, LOCAL_SID.size),
    RETURNS: (WAY_BACK.size, 16),
    COUNTERS: (16, TRAFFIC.size * len(COUNTER_NAMES)),
    FLOWS: (FLOW_SIZE, 8 + 512),
}


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as it was when the SID was added; the index is gone when the interface is."""

    index: int
    name: str

    @property
    def current_name(self) -> str | None:
        """What it is called now; None if it is gone."""
        try:
            return socket.if_indextoname(self.index)
        except OSError:
            return None


@dataclass(frozen=True, slots=True)
class LocalSid:
    """One SID of this namespace with everything `add` was told."""

    sid: IPv6Address
    behavior: Behavior
    next_hop: IPv4Address
    mac: bytes | None
    oif: Interface
    iif: Interface

    @property
    def key(self) -> bytes:
        """The SID as the maps' key."""
        return self.sid.packed

    @property
    def way_back(self) -> bytes:
        """The key of what comes back from the service."""
        return WAY_BACK.pack(self.iif.index, self.behavior.family)

    def pack(self) -> bytes:
        """The value in the map of SIDs."""
        return LOCAL_SID.pack(
            self.behavior.code,
            self.behavior.inner,
            self.behavior.family,
            self.mac is not None,
            self.oif.index,
            self.iif.index,
            self.next_hop.packed,
            self.mac or b"",
            self.oif.name.encode(),
            self.iif.name.encode(),
        )


def unpack_local_sid(key: bytes, value: bytes) -> LocalSid:
    """Read an entry of the map of SIDs."""
    code, _, _, has_mac, oif, iif, next_hop, mac, oif_name, iif_name = LOCAL_SID.unpack(value)
    behavior = by_code(code)
    if behavior is None:
        raise ToolError("another version of srconf works here: `srconf localsid flush`, and add anew")
    return LocalSid(
        sid=IPv6Address(key),
        behavior=behavior,
        next_hop=IPv4Address(next_hop[:4]),
        mac=mac[:6] if has_mac else None,
        oif=Interface(oif, _name(oif_name)),
        iif=Interface(iif, _name(iif_name)),
    )


def _name(field: bytes) -> str:
    return field.split(b"\0")[0].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Packets and bytes as the wire has them: IP packets without the link layer, GSO counted as segments."""

    packets: int = 0
    bytes: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.packets + other.packets, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class Counters:
    """A SID's counters by name."""

    of: dict[str, Traffic]

    @property
    def good(self) -> Traffic:
        """What was handed to the service."""
        return self.of["entered"]

    @property
    def bad(self) -> Traffic:
        """What was discarded, for whatever reason, before the service or after it."""
        return sum((self.of[name] for name in DISCARDS), Traffic())


def unpack_counters(copies: tuple[bytes, ...]) -> Counters:
    """Add up the CPUs' counters."""
    totals = [Traffic()] * len(COUNTER_NAMES)
    for copy in copies:
        for index, (packets, size) in enumerate(TRAFFIC.iter_unpack(copy)):
            totals[index] += Traffic(packets, size)
    return Counters(dict(zip(COUNTER_NAMES, totals, strict=True)))
