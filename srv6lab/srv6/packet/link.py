"""Ethernet (IEEE 802.3) and its VLAN tag (IEEE 802.1Q)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .wire import fit, take


@dataclass(frozen=True, slots=True)
class Ethernet:
    """The Ethernet header, IEEE 802.3 clause 3."""

    destination: bytes
    source: bytes
    ethertype: int = 0

    def to_bytes(self) -> bytes:
        if len(self.destination) != 6 or len(self.source) != 6:
            raise ValueError("a MAC address has 6 bytes")
        return self.destination + self.source + struct.pack("!H", self.ethertype)

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Ethernet:
        return cls(*struct.unpack("!6s6sH", take(data, at, 14, "Ethernet header")))


@dataclass(frozen=True, slots=True)
class Vlan:
    """What follows the tag protocol identifier, IEEE 802.1Q 9.6."""

    identifier: int
    ethertype: int = 0
    priority: int = 0
    drop_eligible: bool = False

    def to_bytes(self) -> bytes:
        control = fit(self.priority, 3, "VLAN priority") << 13 | self.drop_eligible << 12
        return struct.pack("!HH", control | fit(self.identifier, 12, "VLAN identifier"), self.ethertype)

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Vlan:
        control, ethertype = struct.unpack("!HH", take(data, at, 4, "VLAN tag"))
        return cls(control & 0xFFF, ethertype, control >> 13, bool(control & 0x1000))
