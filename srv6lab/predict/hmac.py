"""The HMACs of SRHs: who signs them, and which packets a node refuses for theirs."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from srv6lab.predict.namespaces import Namespace
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.hmac import rejected
from srv6lab.srv6.outer import Outer
from srv6lab.srv6.packet import Ipv6, Packet, Srh
from srv6lab.srv6.results import LocalSid

DRAFTED = "hmac-of-a-draft"


def signing(given: Encapsulation, quirks: Set[str]) -> Encapsulation:
    """What is pushed, signed as Linux does or as the RFC says."""
    return replace(given, key=replace(given.key, drafted=DRAFTED in quirks)) if given.key else given


def refused(here: Namespace, packet: Packet, quirks: Set[str], local: LocalSid | None = None) -> str:
    """Why a namespace takes a packet neither to a SID of its own (`local`) nor to its address; "" if it does. One that
    is only moved up within a carrier isn't looked at (RFC 9800 section 4.1.1)."""
    first = packet.headers[0]
    if here.hmac_check == "never" or not isinstance(first, Ipv6):
        return ""
    if local and local.next_csid and local.next_csid.argument(first.destination):
        return ""
    outer = Outer.of(packet)
    srh = outer.srh or next((one for one in packet.headers[1 : outer.upper] if isinstance(one, Srh)), None)
    if srh is None:
        return ""
    required = here.hmac_check == "required"
    return rejected(srh, first.source, here.hmac_keys, required=required, drafted=DRAFTED in quirks)
