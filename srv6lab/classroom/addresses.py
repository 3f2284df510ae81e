"""Other addresses for addresses, with the same structure.

Two addresses that have a prefix of the lab in common have one in common afterwards, of the same length; what is lower
stays lower among its neighbors; and a group of zeros stays one, so an address is written as it was. What means the same
everywhere isn't touched: ::/0, loopback, link-local, multicast, and that documentation prefixes are such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import count

from srv6lab.classroom.dice import Dice
from srv6lab.classroom.digits import Digits

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_COMMON6 = tuple(
    map(IPv6Network, ("::/16", "64::/16", "100::/16", "2002::/16", "fe80::/10", "fec0::/10", "ff00::/8"))
)
_COMMON4 = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")))
_DOCUMENTATION6 = IPv6Network("2001:db8::/32")
_DOCUMENTATION = 0x2001
# So many octets stay: what behind them is of the lab.
_OF_THE_LAB = {
    IPv4Network("10.0.0.0/8"): 1,
    IPv4Network("172.16.0.0/12"): 2,
    IPv4Network("192.168.0.0/16"): 2,
    IPv4Network("100.64.0.0/10"): 2,
    IPv4Network("192.0.2.0/24"): 3,
    IPv4Network("198.51.100.0/24"): 3,
    IPv4Network("203.0.113.0/24"): 3,
}
_TAKEN = {0x2001, 0x2002, 0x3FFF}  # with documentation and 6to4 in them
_WIDE = (
    IPv6Network("fc00::/7"),
    IPv6Network("fc00::/8"),
    IPv6Network("2000::/3"),
)  # in which an address stays
_MOST = 4  # hexadecimal digits of a group


class Part(Enum):
    """What a group or an octet of an address is, and so what becomes of it."""

    SAME = 0  # it stays
    HEAD = 1  # the first group of an IPv6 address
    FIRST = 2  # the first one that is the lab's alone
    NUMBER = 3  # read as a number
    FUNCTION = 4  # of a SID


@dataclass(frozen=True)
class Shape:
    """What of a lab's addresses has to stay. Behind a prefix of `kept` nothing is changed: addresses on a link, the short
    SIDs in a block. Behind one of `locators` are functions, but for the addresses that are `fixed`. `used` are all
    addresses and prefixes of the lab."""

    used: frozenset[Network]
    kept: frozenset[Network] = frozenset()
    locators: frozenset[IPv6Network] = frozenset()
    fixed: frozenset[IPv6Address] = frozenset()
    _parts: dict[Address, tuple[Part, ...]] = field(default_factory=dict, compare=False)

    def parts(self, address: Address) -> tuple[Part, ...]:
        """What each group of an IPv6 address is, or each octet of an IPv4 address."""
        if (known := self._parts.get(address)) is None:
            if common(address):
                known = (Part.SAME,) * (4 if address.version == 4 else 8)
            else:
                known = tuple(self._octets(address) if address.version == 4 else self._groups(address))
            self._parts[address] = known
        return known

    def _groups(self, address: IPv6Address) -> Iterator[Part]:
        groups = groups_of(address)
        first = 2 if address in _DOCUMENTATION6 else 1
        kept = _shortest(self.kept, address)
        function = _shortest(self.locators, address)
        for index, group in enumerate(groups):
            start = index * 16
            stays = start >= kept or group == 0 or (index < first and first == 2)
            stays = stays or (index == 0 and group == _DOCUMENTATION and self._has_documentation)
            if stays or self._is_split(6, start, start + 16):
                yield Part.SAME
            elif index <= first:
                yield Part.HEAD if index == 0 else Part.FIRST
            elif start >= function:
                yield Part.SAME if groups[: index + 1] in self._fixed else Part.FUNCTION
            else:
                yield Part.NUMBER

    def _octets(self, address: IPv4Address) -> Iterator[Part]:
        stay = next((number for net, number in _OF_THE_LAB.items() if address in net), None)
        kept = _shortest(self.kept, address)
        for index, octet in enumerate(address.packed):
            start = index * 8
            if start >= kept or index < (stay or 0) or self._is_split(4, start, start + 8):
                yield Part.SAME
            elif stay is not None and index < 3:
                yield Part.FIRST
            else:
                yield Part.NUMBER if octet < 100 else Part.SAME

    def _is_split(self, version: int, start: int, end: int) -> bool:
        """Whether a prefix of the lab ends between these bits; one such as fc00::/7 ends where nothing is changed."""
        return any(start < length < end for length in self._lengths[version])

    @cached_property
    def _has_documentation(self) -> bool:
        """Whether a prefix of the lab is around that of documentation."""
        wide = (one for one in self.used if isinstance(one, IPv6Network) and one.prefixlen == 16)
        return any(_DOCUMENTATION6.subnet_of(one) for one in wide)

    @cached_property
    def _lengths(self) -> Mapping[int, frozenset[int]]:
        every = [one for one in self.used | self.kept | self.locators if one not in _WIDE]
        return {
            version: frozenset(one.prefixlen for one in every if one.version == version) for version in (4, 6)
        }

    @cached_property
    def _fixed(self) -> frozenset[tuple[int, ...]]:
        """The addresses that are fixed, and all that they begin with."""
        every = (groups_of(one) for one in self.fixed)
        return frozenset(groups[:end] for groups in every for end in range(1, 9))

    @cached_property
    def beside(self) -> Mapping[tuple[int, tuple[int, ...]], frozenset[int]]:
        """By IP version and the groups or octets in front: what the lab has behind them."""
        found: dict[tuple[int, tuple[int, ...]], set[int]] = {}
        for one in (network.network_address for network in self.used):
            parts = groups_of(one) if one.version == 6 else tuple(one.packed)
            for end, part in enumerate(parts):
                found.setdefault((one.version, parts[:end]), set()).add(part)
        return {path: frozenset(parts) for path, parts in found.items()}


def _shortest(prefixes: Iterable[Network], address: Address) -> int:
    """The length of the shortest of the prefixes that an address is in, or that of an address."""
    most: int = address.max_prefixlen
    return min([one.prefixlen for one in prefixes if address in one], default=most)


def in_documentation(network: Network) -> bool:
    """Whether it is of a prefix that is for examples, of which there is little."""
    return network.version == 6 and network.network_address in _DOCUMENTATION6


def common(address: Address) -> bool:
    """Whether an address means the same in every network."""
    return any(address in one for one in (_COMMON4 if address.version == 4 else _COMMON6))


@dataclass(frozen=True)
class Renumbering:
    """The addresses of a lab → those of a learner's. `digits` are for what is read as a number, `functions` for those of
    SIDs."""

    key: str
    shape: Shape
    digits: Digits
    functions: Digits
    _found: dict[Address, Address] = field(default_factory=dict, compare=False)
    _octets: dict[tuple[int, ...], dict[int, int]] = field(default_factory=dict, compare=False)

    def of(self, address: Address) -> Address:
        if (known := self._found.get(address)) is None:
            parts = zip(self.shape.parts(address), _split(address), strict=True)
            version, fresh = address.version, b""
            path: tuple[int, ...] = ()
            for part, number in parts:
                fresh += self._part(part, version, path, number).to_bytes(2 if version == 6 else 1, "big")
                path = (*path, number)
            known = type(address)(fresh)
            self._found[address] = known
        return known

    def of_network(self, network: Network) -> Network:
        base = self.of(network.network_address)
        return type(network)((int(base), network.prefixlen), strict=False)

    def _part(self, part: Part, version: int, path: tuple[int, ...], number: int) -> int:
        if part is Part.HEAD:
            return self._heads.get(number, number)
        if part is Part.FIRST:
            return (
                self._first(path, number) if version == 6 else self._octets_behind(path).get(number, number)
            )
        if part is Part.FUNCTION:
            return self.functions.of_number(number)
        if part is Part.NUMBER:
            return self.digits.of_number(number, "x" if version == 6 else "d")
        return number

    @cached_property
    def _heads(self) -> dict[int, int]:
        """The first groups: what is unique local stays so, and so does what is global."""
        used = self.shape.beside.get((6, ()), frozenset())
        found: dict[int, int] = {}
        for low, high in _ranges():
            inside = {one for one in used if low <= one <= high}
            throws = (Dice(self.key, "head", low, number).rising(inside, low, high) for number in count())
            found |= next(one for one in throws if not _TAKEN & set(one.values()))
        return found

    def _first(self, path: tuple[int, ...], group: int) -> int:
        """In front of its number stand digits that are the learner's."""
        beside = self.shape.beside.get((6, path), frozenset())
        length = max(len(format(one, "x")) for one in beside | {group})
        dice = Dice(self.key, "first", length)
        if length < _MOST:
            low, high = (0x10, 0xFF) if length == 1 else (1, 0xF)
            lead = low + dice.below(high - low + 1)
            return lead << 4 * length | self.digits.of_number(group)
        if beside <= {0, group}:
            text = (format(1 + dice.below(15), "x") if char != "0" else char for char in format(group, "x"))
            return int("".join(text), 16)
        return self.digits.of_number(group)

    def _octets_behind(self, path: tuple[int, ...]) -> dict[int, int]:
        if path not in self._octets:
            beside = self.shape.beside.get((4, path), frozenset())
            self._octets[path] = Dice(self.key, "octet", path).rising(beside, 0, 255)
        return self._octets[path]


def _ranges() -> Iterator[tuple[int, int]]:
    """First groups, so that each stays among its like."""
    for nibble in range(1, 15):
        yield nibble << 12, (nibble << 12) + 0xFFF
    yield from ((0xFC00, 0xFCFF), (0xFD00, 0xFDFF))


def groups_of(address: IPv6Address) -> tuple[int, ...]:
    packed = address.packed
    return tuple(int.from_bytes(packed[at : at + 2], "big") for at in range(0, 16, 2))


def _split(address: Address) -> tuple[int, ...]:
    return groups_of(address) if isinstance(address, IPv6Address) else tuple(address.packed)


def digits_in(shape: Shape, addresses: Iterable[IPv6Address]) -> tuple[set[str], set[str]]:
    """The digits in the groups that are read as numbers, and those in functions."""
    found: dict[bool, set[str]] = {False: set(), True: set()}
    for address in addresses:
        for part, group in zip(shape.parts(address), groups_of(address), strict=True):
            if part in (Part.FIRST, Part.NUMBER, Part.FUNCTION):
                found[part is Part.FUNCTION].update(format(group, "x"))
    return found[False], found[True]
