"""A lab's texts with other addresses and names: each token in its place, the rest byte for byte.

An address is what `ipaddress` reads, also with one of its groups in bold; a name is replaced only as a whole word. So what
stands in a comment, a hint, a command or a walk-through is the learner's, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from srv6lab.classroom.addresses import Renumbering, groups_of

_BOLD = r"(?:\*\*)?"
_GROUP = rf"{_BOLD}[0-9A-Fa-f]{{1,4}}{_BOLD}"
_SIX = rf"(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}})?|{_GROUP}(?::{_GROUP}){{7}}"
_LENGTH = r"(?:/[0-9]{1,3}(?![0-9A-Za-z]))?"
SIX = rf"(?<![\w.:])(?:{_SIX}){_LENGTH}(?![\w:])"
FOUR = rf"(?<![\w.])[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}{_LENGTH}(?!\.?\w)"
_CUT = r"(?<![\w.:])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6}(?=:…)"  # the beginning of an address
_HEX = r"(?<!\w)0x(?:[0-9a-f]{8}|[0-9a-f]{6})(?!\w)"
_HEAD = r"(?<=grep )[0-9a-f]{4}(?![\w:])"  # what an address begins with, by itself
_FENCE = re.compile(r"^(```)(\w*)$", re.MULTILINE)
_FILL = re.compile(r" {2,}|[─═]{2,}")


def addresses_in(text: str) -> list[IPv4Network | IPv6Network]:
    """All that are written in a text; an address of a link as the address alone, and that of nobody as none."""
    found: list[IPv4Network | IPv6Network] = []
    for token in re.findall(f"{SIX}|{FOUR}", text):
        if (one := _network(token.replace("*", ""))) is not None and one.prefixlen:
            found.append(one)
    return found


def _network(token: str) -> IPv4Network | IPv6Network | None:
    address, _, length = token.partition("/")
    kind = IPv6Network if ":" in address else IPv4Network
    try:
        return kind(token)
    except ValueError:
        pass
    try:
        return kind(address) if length and int(length) <= (128 if ":" in address else 32) else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Rewriting:
    """What a lab's words become. `said` are the addresses of its file: in other texts what looks like an IPv4 address may
    be a version."""

    renumbering: Renumbering
    names: Mapping[str, str]
    protected: frozenset[str]
    said: frozenset[IPv4Network | IPv6Network]

    def text(self, text: str) -> str:
        """A text with all of its tokens replaced."""
        return self._pattern.sub(self._replaced, text)

    def page(self, text: str) -> str:
        """The same for a page of Markdown, whose drawings keep their columns."""
        parts = _FENCE.split(text)
        found, language, inside = [], "", False
        for index, part in enumerate(parts):
            if index % 3 == 1:
                inside = not inside
            elif index % 3 == 2:
                language = part
            elif inside and not language:
                part = "\n".join(map(self._drawn, part.split("\n")))
            else:
                part = self.text(part)
            found.append(part)
        return "".join(found)

    def _drawn(self, line: str) -> str:
        """A line of a drawing: what is longer now takes of the space behind it."""
        found, place, over = "", 0, 0
        for token in self._pattern.finditer(line):
            before = line[place : token.start()]
            before, over = _narrowed(before, over)
            new = self._replaced(token)
            over += len(new) - len(token[0])
            found += before + new
            place = token.end()
        return found + _narrowed(line[place:], over)[0]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = [rf"(?P<six>{SIX})", rf"(?P<four>{FOUR})", rf"(?P<cut>{_CUT})", rf"(?P<hex>{_HEX})"]
        words.append(rf"(?P<head>{_HEAD})")
        if self.protected:
            words.append(rf"(?P<same>(?<![\w.])(?:{_any(self.protected)})(?![\w-]))")
        if self.names:
            shouted = {name.upper() for name in self.names}
            words.append(rf"(?P<name>(?<![\w.-])(?:{_any({*self.names, *shouted})})(?!\w))")
        return re.compile("|".join(words))

    def _replaced(self, token: re.Match[str]) -> str:
        text = token[0]
        kinds: Mapping[str, Callable[[str], str]] = {
            "six": self._six,
            "four": self._four,
            "cut": lambda text: self._six(f"{text}::").removesuffix("::"),
            "hex": self._hex,
            "head": lambda text: self._six(f"{text}::").removesuffix("::"),
            "name": self._name,
        }
        kind = kinds.get(token.lastgroup or "")
        return kind(text) if kind else text

    def _name(self, text: str) -> str:
        return self.names.get(text) or self.names[text.lower()].upper()

    def _six(self, text: str) -> str:
        """Group by group, so that the bold one and the zeros stay where they are."""
        written, slash, length = text.partition("/")
        try:
            address = IPv6Address(written.replace("*", ""))
            new = self.renumbering.of(address)
        except ValueError:
            return text
        groups = iter(map("{:x}".format, groups_of(IPv6Address(int(new)))))
        parts = written.split(":")
        missing = 8 - sum(bool(part) for part in parts)
        found = []
        for index, part in enumerate(parts):
            if part:
                found.append(re.sub("[0-9A-Fa-f]+", next(groups), part))
            else:
                found.append(part)
                if missing and (index or len(parts) > 1):
                    for _ in range(missing):
                        next(groups)
                    missing = 0
        return ":".join(found) + slash + length

    def _four(self, text: str) -> str:
        one = _network(text)
        if not isinstance(one, IPv4Network) or not self._is_said(one):
            return text
        written, slash, length = text.partition("/")
        if slash and "/" in text and str(one) == text:
            return str(self.renumbering.of_network(one))
        return f"{self.renumbering.of(IPv4Address(written))}{slash}{length}"

    def _is_said(self, one: IPv4Network) -> bool:
        if one in self.said:
            return True
        near = (known for known in self.said if isinstance(known, IPv4Network) and known.prefixlen)
        return one.prefixlen > 0 and any(one.overlaps(known) for known in near)

    def _hex(self, text: str) -> str:
        """An address as a number, or the three octets of a prefix."""
        digits = text[2:]
        length = len(digits) * 4
        one = IPv4Network((int(digits, 16) << (32 - length), length))
        if one not in self.said:
            return text
        new = int(self.renumbering.of_network(one).network_address) >> (32 - length)
        return f"0x{new:0{len(digits)}x}"


def _any(words: set[str] | frozenset[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def _narrowed(text: str, over: int) -> tuple[str, int]:
    """The text with less of its first long space, or more, and what is still over."""
    space = _FILL.search(text)
    if not over or not space:
        return text, over
    length = len(space[0])
    fewer = min(over, length - 1)
    return text[: space.start()] + space[0][0] * (length - fewer) + text[space.end() :], over - fewer
