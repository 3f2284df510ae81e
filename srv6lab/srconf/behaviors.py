"""The behaviors that `srconf localsid add` knows: one entry each, and the grammar of its parameters.

From draft-ietf-spring-sr-service-programming.  The grammar is SREXT's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from .errors import UsageError

MAC = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}")


@dataclass(frozen=True, slots=True)
class Behavior:
    """A proxy behavior: `inner` is the Next Header it takes, `action` the kernel's decapsulation."""

    code: int
    name: str
    family: int
    inner: int
    action: str
    next_hop_keyword: str

    @property
    def word(self) -> str:
        """The behavior as SREXT spells it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Parameters:
    """What follows the behavior on the command line; interfaces still by name only."""

    next_hop: IPv4Address
    mac: bytes | None
    oif: str
    iif: str


BEHAVIORS = (Behavior(code=1, name="End.AD4", family=2, inner=4, action="End.DX4", next_hop_keyword="nh4"),)


def by_word(word: str) -> Behavior:
    """The behavior that the command line names."""
    for behavior in BEHAVIORS:
        if behavior.word == word.lower():
            return behavior
    known = ", ".join(behavior.word for behavior in BEHAVIORS)
    raise UsageError(f'SRv6 behavior "{word}" is not supported; supported: {known}')


def by_code(code: int) -> Behavior | None:
    """The behavior that a map entry names."""
    return next((behavior for behavior in BEHAVIORS if behavior.code == code), None)


def parse_parameters(behavior: Behavior, words: Sequence[str]) -> Parameters:
    """Read `{ ip NEXTHOP | mac MAC } IFACE-OUT IFACE-IN`."""
    form = f"{behavior.word} {{ ip NEXTHOP | mac MAC }} IFACE_OUT IFACE_IN"
    if len(words) < 4:
        raise UsageError(f"Command line is not complete. After the SID comes: {form}")
    if len(words) > 4:
        raise UsageError(f'Too many parameters, from "{words[4]}" on. After the SID comes: {form}')
    kind, next_hop, oif, iif = words
    if kind == "ip":
        return Parameters(_next_hop(next_hop), None, oif, iif)
    if kind == "mac":
        mac = _mac(next_hop)
        return Parameters(_stand_in(mac), mac, oif, iif)
    raise UsageError(f'invalid token "{kind}": the next hop is given as "ip NEXTHOP" or "mac MAC"')


def _next_hop(text: str) -> IPv4Address:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        raise UsageError(f'"{text}" is not an IPv4 address; the service\'s is, such as 192.168.1.2') from None
    if address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved:
        raise UsageError(f'"{text}" can\'t be a next hop: it is no address of a single neighbor')
    return address


def _mac(text: str) -> bytes:
    if not MAC.fullmatch(text.lower()):
        raise UsageError(f'"{text}" is not a MAC address; one is six bytes, such as 02:00:00:00:00:02')
    mac = bytes(int(part, 16) for part in text.split(":"))
    if mac[0] & 1 or not any(mac):
        raise UsageError(f'"{text}" can\'t be a next hop: it is no MAC address of a single neighbor')
    return mac


def _stand_in(mac: bytes) -> IPv4Address:
    """An address of the link for a service that is known by its MAC only: routes need one.

    From 169.254.1.0 to 169.254.254.255, the range of RFC 3927 section 2.1.
    """
    return IPv4Address(bytes((169, 254, 1 + mac[4] % 254, mac[5])))
