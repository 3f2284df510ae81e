"""The frame that a packet is in on an Ethernet link, put around it and taken off."""

from __future__ import annotations

from srv6lab.evidence.packets import PacketView
from srv6lab.srv6.packet import Ethernet, Ipv4, Packet

FRAMES = ("H.Encaps.L2", "H.Encaps.L2.Red")
_IPV4, _IPV6 = 0x0800, 0x86DD  # ethertypes


def framed(packet: Packet, seen: PacketView) -> Packet:
    """An IP packet in the frame that it was seen in."""
    ethertype = _IPV4 if isinstance(packet.headers[0], Ipv4) else _IPV6
    frame = Ethernet(_bytes(seen.destination_mac), _bytes(seen.source_mac), ethertype)
    return packet.with_headers((frame, *packet.headers))


def _bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def unframed(packet: Packet) -> tuple[Ethernet, Packet]:
    """A frame's header, and what is in it."""
    frame, *headers = packet.headers
    assert isinstance(frame, Ethernet)
    return frame, packet.with_headers(tuple(headers))
