"""The short notation of a packet: what `check` prints is what a file accepts.

    2001:12::1 → fc00:2::a hl 63 [fc00:3::a, *fc00:2::a] SL 1 | 10.0.0.1 → 10.0.1.1 hl 64 icmp

IP headers from the outermost to the innermost, `|` between them. The segment list is in wire order (RFC 8754 section 2),
the active segment has a star: with it `SL` needn't be written, and `[]` says that there is no SRH. `->` is `→`, `*` is
an address of which nothing is said. What isn't written isn't judged; but what is written together belongs together: an
SRH follows its IPv6 header at once, and a header is of the protocol that the one behind it has. `| eth` stands behind
a header that holds a whole frame: `… [*fc00:3::2] | eth | 10.0.0.1 → 10.0.0.2 icmp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address, ip_address
from typing import Any

from srv6lab.suggest import or_all

HEADERS = 3  # the outermost, one in the middle, and the innermost
PROTOCOLS = ("icmp", "icmpv6", "tcp", "udp", "ipv4", "ipv6")
ETHERNET, FRAME = "ethernet", "eth"  # the protocol, and its word between two `|`
SAME = "same"
ANY = "*"


class NotationError(ValueError):
    """What is wrong in a text, `at` how many characters from its beginning, and how to mend it."""

    def __init__(self, at: int, what: str, mend: str) -> None:
        super().__init__(what)
        self.at, self.what, self.mend = at, what, mend


@dataclass(frozen=True, slots=True)
class Said:
    """One value of a text, and where it stands."""

    value: Any
    at: int


Names = Mapping[str, Sequence[str]]  # the addresses that a name stands for
Fields = Mapping[str, Said]  # by the names of topology/expectations.py


@dataclass(frozen=True, slots=True)
class Packet:
    """What a text says: of each header its fields, and of the packet as a whole (`length`, `count`, `share`)."""

    headers: tuple[Fields, ...]
    whole: Fields = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What a `packets` entry calls the headers behind the outermost."""
        return ((), ("inner",), ("middle", "inner"))[len(self.headers) - 1]

    def document(self) -> dict[str, Any]:
        """What a `packets` entry would say of it."""
        found = {name: said.value for name, said in {**self.headers[0], **self.whole}.items()}
        for name, header in zip(self.names, self.headers[1:], strict=True):
            found[name] = {key: said.value for key, said in header.items()}
        return found


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    at: int


_WORD = re.compile(r"[|\[\],]|[^\s|\[\],]+")
_ARROWS = ("→", "->")
_NUMBERS = {"hl": "hop_limit", "SL": "segments_left", "tag": "tag", "hmac": "hmac", "flow": "flow_label"}
_OF_OUTERMOST = ("tag", "hmac", "flow")
_OF_WHOLE = {"len": "length", "count": "count"}
_WHOLE = {**_OF_WHOLE, "share": "share"}
_FOLLOWING = ("next_header",)  # from what is written behind it
_OUTERMOST_ONLY = ("tag", "hmac", "flow_label", "oam")
_NUMBER = "0|[1-9][0-9]{0,8}|0x[0-9a-f]{1,8}"
_KNOWN = (*_NUMBERS, *_OF_WHOLE, "share", "oam", *PROTOCOLS)


def _line() -> str:
    """What every text looks like that `parse` reads: for editors, which can't say more of it."""
    address = r"(?:[0-9A-Fa-f:.]+|\*|@[A-Za-z][A-Za-z0-9_-]*|[A-Za-z][A-Za-z0-9_-]*\.End[A-Za-z0-9.]*)"
    end = r"(?=[\s|\[]|$)"
    words = "|".join(("oam", *PROTOCOLS))
    numbers = rf"(?:{'|'.join((*_NUMBERS, *_OF_WHOLE))})\s+(?:{_NUMBER})|share\s+(?:any\b|[0-9/]+)"
    addresses = rf"(?:{SAME}|(?:{address}\s+)?(?:{'|'.join(_ARROWS)})\s+{address}){end}"
    header = rf"\s*{addresses}(?:\s*(?:\[[^|\[\]]*\]|(?:{numbers}|{words}){end}))*\s*"
    frame = rf"(?:\|\s*{FRAME}\s*)?"
    return rf"^{header}{frame}(?:\|{header}{frame}){{0,{HEADERS - 1}}}$"


LINE = _line()


def parse(text: str, before: Packet | None = None, names: Names | None = None) -> Packet:
    """The packet that a text says; NotationError for one that says none. `same` is the header of the packet `before`
    that is as far from the innermost. An address may be said by one of the `names`."""
    parts, holding = _without_frames(_split(text))
    if len(parts) > HEADERS:
        raise NotationError(
            parts[HEADERS][0].at, f"more than {HEADERS} IP headers", "nothing here has so many"
        )
    whole: dict[str, Said] = {}
    headers = []
    for index, words in enumerate(parts):
        below = len(parts) - 1 - index
        header = _Header(words, whole, names or {}, index == 0, below == 0)
        headers.append(
            header.read(before.headers[-1 - below] if before and below < len(before.headers) else None)
        )
    return Packet(tuple(_belonging(headers, holding)), whole)


def written(packet: Packet, before: Packet | None = None) -> str:
    """The text of a packet, `same` for the headers that are those of the packet `before`, but for a hop limit: what
    `parse` reads back."""
    parts = []
    for index, header in enumerate(packet.headers):
        below = len(packet.headers) - 1 - index
        known = before.headers[-1 - below] if before and below < len(before.headers) else None
        parts.append(_words(header, known, innermost=below == 0))
        if (held := header.get("protocol")) and held.value == ETHERNET:
            parts.append(FRAME)
    whole = [f"{word} {packet.whole[name].value}" for word, name in _WHOLE.items() if name in packet.whole]
    return " ".join([" | ".join(parts), *whole])


def _words(header: Fields, before: Fields | None, *, innermost: bool) -> str:
    values = {name: said.value for name, said in header.items() if name not in _FOLLOWING}
    last = values.pop("protocol", None)
    if before is not None:
        known = {name: said.value for name, said in before.items() if name not in _FOLLOWING}
        if known.pop("protocol", None) == last or not innermost:
            if known == values:
                return SAME
            if {**known, "hop_limit": values.get("hop_limit")} == values:
                return f"{SAME} hl {values['hop_limit']}"
    words = [f"{values.get('source', ANY)} → {values.get('destination', ANY)}"]
    if "hop_limit" in values:
        words.append(f"hl {values['hop_limit']}")
    words += _srh_words(values)
    words += [f"{word} {values[_NUMBERS[word]]}" for word in _OF_OUTERMOST if _NUMBERS[word] in values]
    words += ["oam"] if values.get("oam") else []
    return " ".join([*words, *([last] if last and last != ETHERNET and innermost else [])])


def _srh_words(values: Mapping[str, Any]) -> Iterator[str]:
    """The segment list with its star, and `SL` where no segment can have that."""
    segments, left = list(values.get("segment_list", ())), values.get("segments_left")
    starred = None if left is None or left >= len(segments) else int(left)
    if starred is not None:
        segments[starred] = f"*{segments[starred]}"
    if "segment_list" in values:
        yield f"[{', '.join(map(str, segments))}]"
    if left is not None and starred is None:
        yield f"SL {left}"


def _split(text: str) -> list[list[_Word]]:
    parts: list[list[_Word]] = [[]]
    for found in _WORD.finditer(text):
        word = _Word(found.group(), found.start())
        if word.text != "|":
            parts[-1].append(word)
        elif not parts[-1]:
            raise NotationError(
                word.at, "no IP header stands before `|`", "write 10.0.0.1 → 10.0.1.1, or same"
            )
        else:
            parts.append([])
    if not parts[-1]:
        raise NotationError(len(text), "an IP header is missing", "write 10.0.0.1 → 10.0.1.1, or same")
    return parts


def _without_frames(parts: list[list[_Word]]) -> tuple[list[list[_Word]], dict[int, int]]:
    """The parts that are IP headers, and which of them hold a frame, each with the place of its word."""
    found: list[list[_Word]] = []
    holding: dict[int, int] = {}
    for words in parts:
        if [word.text for word in words] != [FRAME]:
            found.append(words)
        elif len(found) - 1 in holding or not found:
            mend = "write it once behind the IP header that holds the frame"
            raise NotationError(words[0].at, f"`{FRAME}` stands behind no IP header", mend)
        else:
            holding[len(found) - 1] = words[0].at
    return found, holding


def _belonging(headers: Sequence[dict[str, Said]], holding: Mapping[int, int]) -> Iterator[dict[str, Said]]:
    """Each header with what follows from the one behind it, and from its own SRH; `holding` are those that hold a
    frame."""
    for index, header in enumerate(headers):
        found = dict(header)
        if index in holding:
            found["protocol"] = Said(ETHERNET, holding[index])
        elif index + 1 < len(headers):
            behind = headers[index + 1]
            address = behind.get("source") or behind.get("destination")
            if address:
                found["protocol"] = Said(f"ipv{ip_address(address.value).version}", address.at)
        listed = found.get("segment_list")
        following = (
            "routing" if listed and listed.value else found["protocol"].value if "protocol" in found else ""
        )
        if index == 0 and listed and following:
            found["next_header"] = Said(following, listed.at)
        yield found


class _Header:
    """Reads the words of one header."""

    def __init__(
        self, words: list[_Word], whole: dict[str, Said], names: Names, outermost: bool, innermost: bool
    ) -> None:
        self._words, self._whole, self._names = words, whole, names
        self._outermost, self._innermost = outermost, innermost
        self._fields: dict[str, Said] = {}
        self._written: set[str] = set()  # the fields that this text says, not the line before
        self._next = 0

    def read(self, same: Fields | None) -> dict[str, Said]:
        if self._peek() == SAME:
            self._same(self._take(), same)
        else:
            self._addresses()
        while self._next < len(self._words):
            self._one(self._take())
        return self._fields

    def _peek(self) -> str:
        return self._words[self._next].text if self._next < len(self._words) else ""

    def _take(self) -> _Word:
        if self._next == len(self._words):
            last = self._words[-1]
            end = last.at + len(last.text)
            raise NotationError(end, f"something is missing behind `{last.text}`", "see docs/topology.md")
        self._next += 1
        return self._words[self._next - 1]

    def _same(self, word: _Word, same: Fields | None) -> None:
        if same is None:
            mend = "write the addresses: 10.0.0.1 → 10.0.1.1"
            raise NotationError(word.at, "no line before has such a header, so nothing is the same", mend)
        left = (
            {"next_header"} if self._innermost else {"next_header", "protocol"}
        )  # they follow from what is behind
        self._fields = {name: Said(said.value, word.at) for name, said in same.items() if name not in left}

    def _addresses(self) -> None:
        if self._peek() not in _ARROWS:
            self._address(self._take(), "source")
        arrow = self._take()
        if arrow.text not in _ARROWS:
            raise NotationError(
                arrow.at, f"`{arrow.text[:60]}` stands where → should", "write source → destination"
            )
        self._address(self._take(), "destination")

    def _address(self, word: _Word, name: str) -> None:
        if word.text != ANY:
            self._say(name, _address(word, self._names), word)

    def _one(self, word: _Word) -> None:
        if word.text == "[":
            self._segments(word)
        elif word.text in _NUMBERS:
            name = _NUMBERS[word.text]
            number = self._take()
            self._say(name, _number(number, word.text), number)
        elif word.text in _OF_WHOLE:
            number = self._take()
            self._say_of_whole(_OF_WHOLE[word.text], Said(_number(number, word.text), number.at))
        elif word.text == "share":
            share = self._take()
            self._say_of_whole("share", Said(share.text, share.at))
        elif word.text == "oam":
            self._say("oam", True, word)
        elif word.text in PROTOCOLS and self._innermost:
            self._say("protocol", word.text, word)
        elif word.text in PROTOCOLS:
            mend = "write it behind the innermost header only"
            raise NotationError(
                word.at, f"what follows this header says that it is {word.text}, or not", mend
            )
        else:
            raise NotationError(word.at, f"`{word.text[:60]}` says nothing here", or_all(word.text, _KNOWN))

    def _say(self, name: str, value: Any, word: _Word) -> None:
        if name in _OUTERMOST_ONLY and not self._outermost:
            raise NotationError(word.at, f"`{name}` is said of the outermost header only", "take it away")
        if name.startswith("segment") and self._innermost and not self._outermost:
            mend = "say it of the outer headers"
            raise NotationError(word.at, "of the innermost of several headers no SRH can be said", mend)
        _once(name, name in self._written, word.at)
        self._written.add(name)
        self._fields[name] = Said(value, word.at)

    def _say_of_whole(self, name: str, said: Said) -> None:
        _once(name, name in self._whole, said.at)
        self._whole[name] = said

    def _segments(self, opening: _Word) -> None:
        """`[a, *b]`: the last segment first, the active one starred."""
        listed: list[str] = []
        starred: list[Said] = []
        word = self._take()
        while word.text != "]":
            star = word.text.startswith("*")
            if star:
                starred.append(Said(len(listed), word.at))
            listed.append(_segment(replace(word, text=word.text[star:], at=word.at + star), self._names))
            word = self._take()
            if word.text == ",":
                word = self._take()
            elif word.text != "]":
                raise NotationError(
                    word.at, f"`{word.text[:60]}` stands where , or ] should", "write [a, *b]"
                )
        if len(starred) > 1:
            raise NotationError(starred[1].at, "two segments are active", "star the one that is")
        if "segments_left" not in self._written:
            self._fields.pop("segments_left", None)
        self._say("segment_list", listed, opening)
        if starred:
            self._say("segments_left", starred[0].value, _Word("*", starred[0].at))
        if self._peek() == "SL" and starred:
            self._take()
            left = self._take()
            if _number(left, "SL") != starred[0].value:
                what = f"the star is at segment {starred[0].value}, and SL is {left.text}"
                raise NotationError(left.at, what, "the list is in wire order: segment 0 is the last one")


def _once(name: str, again: bool, at: int) -> None:
    if again:
        raise NotationError(at, f"{name.replace('_', ' ')} is said twice", "say it once")


def _address(word: _Word, names: Names) -> str:
    found = names.get(word.text, ())
    if len(found) > 1:
        raise NotationError(
            word.at, f"`{word.text}` has {len(found)} addresses", f"write {' or '.join(found[:4])}"
        )
    try:
        return found[0] if found else str(ip_address(word.text))
    except ValueError:
        mend = "write 10.0.0.1 or fc00:2::a"
        if re.match("@|[A-Za-z].*[.]", word.text):
            mend = or_all(word.text, names)
        elif word.text.startswith(ANY):
            mend = f"a star stands in a segment list, [*fc00:2::a]; here write {word.text[1:60]}"
        raise NotationError(word.at, f"`{word.text[:60]}` is no address", mend) from None


def _segment(word: _Word, names: Names) -> str:
    found = _address(word, names)
    if not isinstance(ip_address(found), IPv6Address):
        raise NotationError(word.at, f"{found} is no segment: those are IPv6", "write fc00:2::a")
    return found


def _number(word: _Word, of: str) -> int:
    if not re.fullmatch(_NUMBER, word.text):
        raise NotationError(word.at, f"`{word.text[:60]}` is no number", f"write {of} and a number")
    return int(word.text, 0)
