"""The grammar of what follows the behavior on an `add` line.  It is SREXT's.

A word is refused here if no machine could take it; whether this machine can is seen later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Union

from .behaviors import Behavior, Kind
from .chain import SEGMENTS_MAX, Chain
from .errors import UsageError

MAC = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}")

Address = Union[IPv4Address, IPv6Address]


@dataclass(frozen=True)
class Parameters:
    """What the command line said; interfaces still by name only."""

    next_hop: Address | None = None
    mac: bytes | None = None
    oif: str | None = None
    iif: str | None = None
    chain: Chain | None = None


def form(behavior: Behavior) -> str:
    """The grammar of one behavior."""
    words = [behavior.word]
    if behavior.next_hop:
        words.append(f"{{ ip IPv{behavior.next_hop}-ADDR | mac MAC-ADDR }}")
    words += ["TARGETIF", "SOURCEIF"][: behavior.interfaces]
    if behavior.kind is Kind.STATIC:
        words.append("src ADDR segs SID[,SID...] [left SEGMENTSLEFT]")
    return " ".join(words)


def parse(behavior: Behavior, words: Sequence[str]) -> Parameters:
    """Read what follows the behavior."""
    reader = _Reader(behavior, words)
    next_hop, mac = _next_hop(behavior, reader) if behavior.next_hop else (None, None)
    oif = reader.take() if behavior.interfaces > 0 else None
    iif = reader.take() if behavior.interfaces > 1 else None
    chain = _chain(reader) if behavior.kind is Kind.STATIC else None
    reader.end()
    return Parameters(next_hop, mac, oif, iif, chain)


class _Reader:
    """The words of a line, one after the other; the whole form in every complaint."""

    def __init__(self, behavior: Behavior, words: Sequence[str]) -> None:
        self._words = list(words)
        self._hint = f"After the SID comes: {form(behavior)}"

    def take(self) -> str:
        """The next word."""
        if not self._words:
            raise UsageError(f"Command line is not complete. {self._hint}")
        return self._words.pop(0)

    def keyword(self, *expected: str) -> str:
        """The next word, which must be one of these."""
        word = self.take()
        if word not in expected:
            raise UsageError(f'invalid token "{word}": "{" or ".join(expected)}" comes here. {self._hint}')
        return word

    def more(self) -> bool:
        """Whether there is another word."""
        return bool(self._words)

    def end(self) -> None:
        """There must be no other word."""
        if self._words:
            raise UsageError(f'Too many parameters, from "{self._words[0]}" on. {self._hint}')


def _next_hop(behavior: Behavior, reader: _Reader) -> tuple[Address | None, bytes | None]:
    if reader.keyword("ip", "mac") == "mac":
        return None, _mac(reader.take())
    text = reader.take()
    read: Callable[[str], Address] = _ipv4 if behavior.next_hop == 4 else ipv6
    address = read(text)
    if address.is_multicast or address.is_loopback or address.is_unspecified or _reserved(address):
        raise UsageError(f'"{text}" can\'t be a next hop: it is no address of a single neighbor')
    return address, None


def _reserved(address: Address) -> bool:
    return isinstance(address, IPv4Address) and address.is_reserved


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise UsageError(f'"{text}" is not an IPv4 address; one is such as 192.168.1.2') from None


def ipv6(text: str) -> IPv6Address:
    """An IPv6 address without a zone."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise UsageError(f'"{text}" is not an IPv6 address; one is such as fc00:a::a1') from None
    if address.scope_id is not None:
        raise UsageError(f'"{text}" names a zone; an interface has a place of its own on the line')
    return address


def sid(text: str) -> IPv6Address:
    """A SID."""
    try:
        address = ipv6(text)
    except UsageError as error:
        raise UsageError(f'"{text}" is not a SID: {error}') from None
    if address.is_multicast or address.is_link_local or address.is_loopback or address.is_unspecified:
        raise UsageError(f'"{text}" can\'t be a SID: it is no routable unicast address')
    return address


def _mac(text: str) -> bytes:
    if not MAC.fullmatch(text.lower()):
        raise UsageError(f'"{text}" is not a MAC address; one is six bytes, such as 02:00:00:00:00:02')
    mac = bytes(int(part, 16) for part in text.split(":"))
    if mac[0] & 1 or not any(mac):
        raise UsageError(f'"{text}" can\'t be a next hop: it is no MAC address of a single neighbor')
    return mac


def _chain(reader: _Reader) -> Chain:
    reader.keyword("src")
    source = sid(reader.take())
    reader.keyword("segs")
    segments = tuple(sid(text) for text in reader.take().split(","))
    if len(segments) > SEGMENTS_MAX:
        raise UsageError(f"{len(segments)} segments are too many: {SEGMENTS_MAX} fit")
    left = len(segments) - 1
    if reader.more():
        reader.keyword("left")
        left = _segments_left(reader.take(), left)
    return Chain(source, segments, left)


def _segments_left(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3) or int(text) > most:
        raise UsageError(f'"{text}" can\'t be the segments left: they are a number from 0 to {most} here')
    return int(text)
