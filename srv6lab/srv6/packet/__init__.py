"""Packets as frozen values, exact to the bit in both directions; decides nothing about forwarding."""

from .build import build
from .extension import Authentication, DestinationOptions, Fragment, HopByHop, Option, Routing
from .ipv4 import Ipv4
from .ipv6 import Ipv6
from .link import Ethernet, Vlan
from .srh import BrokenTlvs, Hmac, Pad1, PadN, Srh, Tlv, UnknownTlv
from .stack import Header, Packet
from .upper import Icmp, Icmpv6, Tcp, Udp
from .wire import Malformed, checksum

__all__ = [
    "Authentication",
    "BrokenTlvs",
    "DestinationOptions",
    "Ethernet",
    "Fragment",
    "Header",
    "Hmac",
    "HopByHop",
    "Icmp",
    "Icmpv6",
    "Ipv4",
    "Ipv6",
    "Malformed",
    "Option",
    "Packet",
    "Pad1",
    "PadN",
    "Routing",
    "Srh",
    "Tcp",
    "Tlv",
    "Udp",
    "UnknownTlv",
    "Vlan",
    "build",
    "checksum",
]
