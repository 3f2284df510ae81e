"""The HMAC TLV of an SRH: made by who pushes it, and verified where it is processed (RFC 8754 section 2.1.2)."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv6Address

from .packet import Hmac, Srh

FIELD = 32  # bytes of the digest at most; Linux fills a shorter one up with zeros
ALGORITHMS = ("sha256", "sha1")
LINUX_FLAG = 0x08  # "there is an HMAC", of a draft; RFC 8754 section 2 has no such flag


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A key that is shared by those who sign and those who verify. `drafted` is whether as Linux does: by the text of a
    draft, and not of the RFC."""

    number: int
    algorithm: str
    secret: bytes
    drafted: bool = False

    def digest(self, srh: Srh, source: IPv6Address, tlv: Hmac) -> bytes:
        """RFC 8754 section 2.1.2.1. The draft's text lacks the 16 bits in front of the key's number."""
        bits = b"" if self.drafted else struct.pack("!H", tlv.without_destination << 15 | tlv.reserved)
        number = struct.pack("!I", tlv.key_id)
        segments = b"".join(one.packed for one in srh.segment_list)
        text = source.packed + bytes((srh.last_entry, srh.flags)) + bits + number + segments
        return hmac.digest(self.secret, text, self.algorithm)[:FIELD].ljust(FIELD, b"\0")


def signed(srh: Srh, source: IPv6Address, key: HmacKey) -> Srh:
    """The SRH with an HMAC TLV behind its segments. In a reduced one the first segment can't be held against the
    destination, which the D-bit says; a draft has none."""
    reduced = srh.segments_left > srh.last_entry
    tlv = Hmac(key.number, bytes(FIELD), without_destination=reduced and not key.drafted)
    srh = replace(srh, flags=srh.flags | LINUX_FLAG if key.drafted else srh.flags)
    return replace(srh, tlvs=(*srh.tlvs, replace(tlv, digest=key.digest(srh, source, tlv))))


def rejected(
    srh: Srh, source: IPv6Address, keys: Mapping[int, HmacKey], *, required: bool, drafted: bool
) -> str:
    """Why a node throws a packet away that comes to it with this SRH; "" if it doesn't. With `drafted` as Linux does."""
    tlv = next((one for one in srh.tlvs if isinstance(one, Hmac)), None)
    if tlv is None or (drafted and not srh.flags & LINUX_FLAG):
        return "its SRH has no HMAC" if required else ""
    if (key := keys.get(tlv.key_id)) is None:
        return f"its HMAC is of key {tlv.key_id}, which isn't there"
    if replace(key, drafted=drafted).digest(srh, source, tlv) != tlv.digest:
        return f"its HMAC isn't that of key {tlv.key_id}"
    return ""
