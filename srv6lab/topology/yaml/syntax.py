"""What a YAML syntax error means, in the words of someone who writes topologies.

libyaml says "mapping values are not allowed in this context" for an IPv6 address without quotes.
Nothing here reads a file; it only words what the parser found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any

import yaml

from srv6lab.errors import Location, Problem

# An address that YAML misreads ends with a colon (`fc00:1::`) or starts with one (`::1`).
_ADDRESS = re.compile(r"(?<![^\s,\[{:])[0-9A-Fa-f:]*::[0-9A-Fa-f:.]*(?:/[0-9]+)?(?![^\s,\]}#])")

# The start of libyaml's words, what we say, how to mend it. The pure Python parser has its own words.
_SYNTAX: tuple[tuple[str, str, str], ...] = (
    (
        r"mapping values are not allowed",
        "a second `:` stands where a value should be",
        'put the value in "quotes" if the colon belongs to it; else indent as the line above does',
    ),
    (
        r"found unexpected ':'",
        "a `:` stands where none can be",
        'put the value in "quotes" if the colon belongs to it',
    ),
    (r"could not find expected ':'", "no `:` follows this key", "write `key: value`"),
    (
        r"expected ',' or '\]'",
        "a comma or the closing `]` is missing before this place",
        "separate the items with commas and close the list that opens in line {line} with `]`",
    ),
    (
        r"expected ',' or '}'",
        "a comma or the closing `}}` is missing before this place",
        "separate the keys with commas and close the mapping that opens in line {line} with `}}`",
    ),
    (
        r"expected '-' indicator|found '\?'",
        "a key stands where the list's next `- ` should be",
        "indent it below its item, or move it left out of the list that opens in line {line}",
    ),
    (
        r"did not find expected key|expected <block end>",
        "this place fits into no mapping around it",
        "align it with the keys of the mapping that opens in line {line}, and check brackets and quotes",
    ),
    (r"document start", "this line is left of the first key", "start every top key at the left margin"),
    (r"entries are not allowed", "a list can't start here", "put `- ` on a line of its own, below the key"),
    (r"expected (the )?node content", "a value is missing here", 'give one, or "" if it is empty'),
    (r"unknown escape", 'a backslash in "double quotes" starts an unknown escape', "use 'single quotes'"),
)

# What the scanner was at, where it matters more than what it found.
_SCANNED: tuple[tuple[str, str, str], ...] = (
    (r"directive", "a `%` starts a line here", "put the text in quotes; a topology has no directives"),
    (r"anchor|alias", "`&` and `*` start anchors and aliases", "put the text in quotes"),
    (
        r"block scalar",
        "`|` or `>` starts a text on the lines below",
        "put the text there, or in quotes on this line",
    ),
    (r"tag", "`!` starts a tag", "put the text in quotes"),
)


# What looks like a space or a mark of YAML, comes with text that is pasted, and is a letter to YAML.
_BLANK = re.compile("[\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]")
_LIKE = {
    "\uff1a": ":",
    "\uff0c": ",",
    "\u3001": ",",
    "\uff5b": "{",
    "\uff5d": "}",
    "\uff3b": "[",
    "\uff3d": "]",
}
_LIKE |= {
    "\u201c": '"',
    "\u201d": '"',
    "\uff02": '"',
    "\u2018": "'",
    "\u2019": "'",
    "\uff03": "#",
    "\uff0d": "-",
}
_QUOTED = re.compile(r""""[^"]*"|'[^']*'|(?<!\S)#.*""")

_TAB = ("a tab indents this line", "indent with spaces, two a level")


def is_address(text: str) -> bool:
    """Whether a person meant an IPv6 address, perhaps with a prefix length."""
    try:
        IPv6Address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def bare_address(line: str, column: int) -> tuple[int, str] | None:
    """The start and the text of the unquoted address that touches a column of a line."""
    for found in _ADDRESS.finditer(line):
        if found.start() <= column <= found.end() and is_address(found.group()):
            return found.start(), found.group()
    return None


def bare_address_problem(where: Location, address: str) -> Problem:
    what = f"the address {address} isn't in quotes, and YAML reads its `::` as a mapping"
    of_walk = "→" in where.source or "->" in where.source
    mend = "put all of the packet in quotes" if of_walk else f'put the address in quotes: "{address}"'
    return Problem(where, what, mend)


def pasted(error: yaml.MarkedYAMLError, locate: Callable[[tuple[int, int]], Location]) -> Problem | None:
    """A character beside a syntax error, in its line or in one of the two before it, that only looks like YAML's own."""
    mark: Any = error.problem_mark or error.context_mark
    for line in range(mark.line, max(-1, mark.line - 3), -1) if mark is not None else ():
        source = locate((line, 0)).source
        plain = _QUOTED.sub(lambda found: "x" * len(found.group()), source)
        for column, char in enumerate(plain):
            if _confuses(plain[:column], char, here=line == mark.line):
                own = _LIKE.get(char)
                like, mend = (
                    (f"`{own}`", f"write `{own}`") if own else ("a space", "write a plain space, or nothing")
                )
                shown = f"`{char}` (U+{ord(char):04X})" if own else f"the character U+{ord(char):04X}"
                return Problem(
                    locate((line, column)), f"{shown} looks like {like}, and is a letter to YAML", mend
                )
    return None


def _confuses(before: str, char: str, here: bool) -> bool:
    """Whether a character stands where YAML's own would matter; in the words of a text it wouldn't."""
    if _BLANK.match(char):
        return here or re.search(r"(?:^|[:,-])\s*$", before) is not None
    if _LIKE.get(char) == ":":
        return not re.search(r":(?:\s|$)", before)
    return here and char in _LIKE


def syntax_error(
    error: yaml.MarkedYAMLError,
    locate: Callable[[tuple[int, int]], Location],
    innermost: tuple[int, int],
    long_quote: tuple[tuple[int, int], int] | None,
) -> Problem:
    """One problem for one syntax error, at the place where the author has to look.

    `innermost` is where the innermost open collection starts, for a file that ends too early;
    `long_quote` the last quoted text of several lines, for a quote that was meant to close before.
    """
    text = error.problem or ""
    mark: Any = error.problem_mark or error.context_mark
    opened: Any = error.context_mark or mark
    if "unexpected end of stream" in text and "quoted" in (error.context or ""):
        return Problem(locate(_at(opened)), "the quote that opens here is never closed", "close it")
    if "simple key" in (error.context or ""):
        mark = opened
    where = locate(_at(mark))
    if not where.source and "flow" in (error.context or ""):
        return Problem(locate(innermost), "the bracket that opens here is never closed", "close it")
    if long_quote and mark is not None and long_quote[1] == mark.line:
        what = f"the quote that opens here closes in line {mark.line + 1} only"
        return Problem(locate(long_quote[0]), what, "close it where the text ends")
    if odd := _odd_bracket(where, text):
        return Problem(where, *odd)
    if "tab character" in text:
        return Problem(where, *_TAB)
    if "cannot start any token" in text:
        return _stray_character(where)
    for pattern, what, mend in _SYNTAX:
        if re.search(pattern, text):
            return Problem(where, what.format(), mend.format(line=opened.line + 1))
    for pattern, what, mend in _SCANNED:
        if re.search(pattern, f"{error.context} {text}"):
            return Problem(where, what, mend)
    return Problem(where, f"this isn't YAML: {text}", "compare with a topology that loads")


def _at(mark: Any) -> tuple[int, int]:
    return (mark.line, mark.column) if mark is not None else (0, 0)


def _odd_bracket(where: Location, text: str) -> tuple[str, str] | None:
    """What a bracket at the place of the error says better than the parser."""
    here = where.source[where.column - 1 : where.column]
    if "unexpected ':'" in text and where.source[where.column : where.column + 1] in (",", "}", "]"):
        return "no value follows this `:`", "give one, or take the key away"
    if here and here in "]}" and re.search("expected key|block end|indicator", text):
        return f"this `{here}` closes nothing", "take it away, or open it before"
    if here and here in "[{" and "could not find expected ':'" in text:
        return f"this `{here}` fits to nothing above it", "start with `- ` if it is an item of the list above"
    return None


def _stray_character(where: Location) -> Problem:
    char = where.source[where.column - 1 : where.column]
    if char in ("\t", ""):
        return Problem(where, *_TAB)
    return Problem(where, f"no value can start with `{char}`", "put the value in quotes")
