"""What a learner's words say: addresses, numbers, names and lists, however they are spelled.

Every reader takes a text that was `cleaned` and gives its value, None where it can't be read as such. No text makes one
fail, and none takes long: what is longer than any answer is cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_address

from srv6lab.evidence.packets import Address
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.srv6.flavors import NEXT_CSID

LONGEST = 1000  # characters
_MOST = 64  # of a list
_BETWEEN = re.compile(r"[\s,;→⇒]+|[-=]?>")
_NUMBER = re.compile(r"^(?:0x([0-9a-f]{1,16})|0b([01]{1,64})|([0-9]{1,20}))$")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNITS = frozenset(
    ("byte", "bytes", "octets", "b", "packet", "packets", "hops", "segment", "segments", "times")
)
_NOTHING = frozenset(
    ("none", "no", "nothing", "nil", "null", "-", "[]", "no srh", "there is none", "not there", "empty")
)
_YES, _NO = (
    frozenset(("yes", "true", "set", "on", "1")),
    frozenset(("no", "false", "not set", "unset", "off", "0")),
)
_PROTOCOLS = {
    "hopopts": 0,
    "icmp": 1,
    "icmpv4": 1,
    "ipv4": 4,
    "ip": 4,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "ipv6": 41,
    "routing": 43,
    "srh": 43,
    "fragment": 44,
    "icmpv6": 58,
    "icmp6": 58,
    "none": 59,
    "dstopts": 60,
    "ethernet": 143,
    "eth": 143,
}
_BESIDE = frozenset(
    ("the", "a", "an", "header", "headers", "protocol", "number", "next", "with", "and", "flavor", "flavors")
)
_FLAVORS = {
    "psp": "PSP",
    "usp": "USP",
    "usd": "USD",
    "next-csid": NEXT_CSID,
    "csid": NEXT_CSID,
    "usid": NEXT_CSID,
}
_OF_FRR = {"un": "End", "ua": "End.X"}
_BY_LOWER = {name.lower(): name for name in BEHAVIORS}


def cleaned(text: str) -> str:
    """One line in lower case without what nobody sees, quotes round it, or a dot at its end."""
    text = unicodedata.normalize("NFKC", text[:LONGEST])
    seen = (" " if one.isspace() else "" if unicodedata.category(one)[0] == "C" else one for one in text)
    return " ".join("".join(seen).casefold().split()).strip(" `'\"„“”’‘").rstrip(".!")


def nothing(text: str) -> bool:
    """Whether it says that there is none."""
    return text in _NOTHING


def number(text: str) -> int | None:
    """`43`, `0x2b`, `forty` isn't one; `1500 bytes`, `two`."""
    words = text.split()
    if len(words) == 2 and words[1] in _UNITS:
        words.pop()
    if len(words) != 1:
        return None
    if words[0] in _WORDS:
        return _WORDS.index(words[0])
    if not (match := _NUMBER.match(words[0])):
        return None
    return int(match[1], 16) if match[1] else int(match[2], 2) if match[2] else int(match[3])


def address(text: str) -> Address | None:
    """By its value, in brackets or not, starred or not, with the length of a single address or none."""
    text = text.strip("[]*() ")
    plain, _, length = text.partition("/")
    try:
        found = ip_address(plain)
    except ValueError:
        return None
    if getattr(found, "scope_id", None) is not None or length not in ("", str(found.max_prefixlen)):
        return None
    return found


def addresses(text: str) -> tuple[IPv6Address, ...] | None:
    """Those of a list, in its order."""
    found = [address(word) for word in listed(text.strip("[]() "))]
    whole = tuple(one for one in found if isinstance(one, IPv6Address))
    return whole if found and len(whole) == len(found) else None


def listed(text: str) -> list[str]:
    """The words between commas, spaces and arrows."""
    return [word for word in _BETWEEN.split(text, _MOST) if word]


def mac(text: str) -> str | None:
    digits = re.sub(r"[:.-]", "", text)
    if not re.fullmatch("[0-9a-f]{12}", digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def flag(text: str) -> bool | None:
    return True if text in _YES else False if text in _NO else None


def protocol(text: str) -> int | None:
    """By its name or its number, or both: `routing`, `43`, `43 (routing)`."""
    words = [word for word in re.split(r"[^a-z0-9]+", text) if word and word not in _BESIDE]
    found = {_PROTOCOLS.get(word, number(word)) for word in words[:4]}
    return found.pop() if len(found) == 1 and len(words) <= 4 else None


def behavior(text: str) -> tuple[str, frozenset[str]] | None:
    """`End.DX4`, `end with psp`, `End (NEXT-CSID, PSP)`, or as FRR has it: `uN`, `uDT46`. The name and its flavors."""
    words = [word for word in re.split(r"[\s,;()/+&]+", text) if word and word not in _BESIDE]
    if not words:
        return None
    name = words[0].rstrip(":")
    short = _OF_FRR.get(name) or (_BY_LOWER.get(f"end.{name[1:]}") if name.startswith("u") else None)
    flavors = {_FLAVORS.get(word) for word in words[1:]} | ({NEXT_CSID} if short else set())
    known = short or _BY_LOWER.get(name)
    if known is None or None in flavors:
        return None
    return known, frozenset(one for one in flavors if one)


def one_of(names: Iterable[str]) -> Callable[[str], str | None]:
    """A reader of one of these names, whatever the case of its letters."""
    known = {name.casefold(): name for name in names}
    return lambda text: known.get(text)


def several_of(names: Iterable[str]) -> Callable[[str], tuple[str, ...] | None]:
    """A reader of a list of these names: one that comes twice in a row is one, and of `node/netns` it is the node."""
    read = one_of(names)

    def read_all(text: str) -> tuple[str, ...] | None:
        found = [read(word.partition("/")[0]) for word in listed(text.strip("[]() "))]
        whole = [name for name in found if name is not None]
        if not found or len(whole) < len(found):
            return None
        return tuple(name for at, name in enumerate(whole) if at == 0 or name != whole[at - 1])

    return read_all


def words(text: str) -> str:
    """For what is sealed: the value of an address or a number, else the words, whatever stands between them."""
    if (found := address(text)) is not None:
        return str(found)
    if (count := number(text)) is not None:
        return str(count)
    kept = [word for word in re.split(r"[^\w.:/+]+|_", text) if word]
    return " ".join(kept[1:] if kept[:1] in (["the"], ["a"], ["an"]) else kept)
