"""The outer IPv6 header with its SRH that a policy pushes, at a headend or at a binding SID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv6Address

from .hmac import HmacKey, signed
from .packet import Header, Ipv6, Packet, Srh, Tlv
from .packet.build import NUMBERS


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """What is pushed: segments in visiting order, and the fields that RFC 8986 leaves to the node. With a `key` the SRH
    has an HMAC."""

    source: IPv6Address
    segments: tuple[IPv6Address, ...]
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0
    flags: int = 0
    tag: int = 0
    tlvs: tuple[Tlv, ...] = ()
    key: HmacKey | None = None

    @property
    def srh(self) -> Srh:
        return self._srh(reduced=False)

    @property
    def reduced(self) -> Srh | None:
        """The SRH without the first segment, which stands in the destination. One segment can't be left out of
        an SRH that is needed for what else it says; if it says nothing else, there is none."""
        if len(self.segments) > 1:
            return self._srh(reduced=True)
        return self._srh(reduced=False) if self.flags or self.tag or self.tlvs or self.key else None

    def _srh(self, *, reduced: bool) -> Srh:
        return self.srh_of(self.segments, self.source, reduced=reduced)

    def srh_of(self, segments: tuple[IPv6Address, ...], source: IPv6Address, *, reduced: bool) -> Srh:
        """An SRH for segments in a packet of that source."""
        srh = Srh.of(segments, reduced=reduced, flags=self.flags, tag=self.tag, tlvs=self.tlvs)
        return signed(srh, source, self.key) if self.key else srh


def push(packet: Packet, given: Encapsulation, srh: Srh | None) -> Packet:
    """The packet behind a new IPv6 header: the lines of RFC 8986 section 5.1, which section 4.13 has from S15."""
    number = NUMBERS[type(packet.headers[0])]
    srhs: Sequence[Srh] = () if srh is None else (replace(srh, next_header=number),)  # S01, S04
    size = sum(len(one.to_bytes()) for one in srhs) + len(packet.to_bytes())
    outer = Ipv6(
        given.source,  # S02
        given.segments[0],  # S02
        given.hop_limit,  # S03
        NUMBERS[Srh] if srhs else number,  # S04
        given.traffic_class,  # S03
        given.flow_label,  # S03
        size,  # S03
    )
    headers: tuple[Header, ...] = (outer, *srhs, *packet.headers)
    return packet.with_headers(headers)
