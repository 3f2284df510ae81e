"""What engines don't understand in a file of rules: one of them would say so in the midst of `up`, another goes on without the rule.

The engines' own lists of options stand in `engines/`. What an option's value means is left to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from srv6lab.engines import AUTO, ENGINES, named
from srv6lab.engines.engine import Dialect
from srv6lab.errors import Location, Problem
from srv6lab.suggest import closest, did_you_mean

_RULE = re.compile(r"([a-z]+)(\s[^()]*)\((.*)\)")
# Its name, and its value, in which a semicolon stands in quotes or behind a backslash.
_OPTION = re.compile(r'([^\s:;]+)((?:"(?:\\.|[^"\\])*+"|\\.?|[^;\\])*+)(;|$)')
_FIELD = re.compile(r"(?:\[[^\][]*\]|\S)+")
_BEHIND = re.compile(r'\s*:\s*!?\s*"(?:\\.|[^"\\])*+"\s*,')
_PROTOCOLS = ("ip", "icmp", "tcp", "udp")  # of all engines
_WHAT = {
    "variable": "nothing says what `{word}` is",
    "header": "for {who} `{word}` is no protocol, address and port, `->`, address and port",
    "sid": "this rule has no `sid`, the number of its alerts",
    "comma": "{who} {takes} nothing behind the text of a content",
    "end": "{who} {takes} no option without its semicolon",
}
_MEND = {
    "variable": "write `any`, or the addresses or ports themselves",
    "header": "begin it like `alert icmp any any -> any any`",
    "direction": "write `->`, or `<>` for both ways",
    "sid": "give it one that no other rule of the file has: `sid:1000;`",
    "comma": 'write options of their own, such as `content:"…"; nocase;`',
    "end": "write a semicolon behind it",
    "action": "write `alert`",
}


class Finding(NamedTuple):
    """What a dialect doesn't understand: where, which kind of thing it is, and its word."""

    line: int
    column: int
    kind: str
    word: str


def problems(text: str, shown: str, choice: str) -> Iterator[Problem]:
    """What the engines that `choice` names don't understand; `shown` is the file's name for people.

    `auto` may come to each version that an archive has, and a name to any version of that engine: what only others don't
    understand is a warning, and is told once a word.
    """
    lines = text.split("\n")
    dialects = [one for engine in named(choice) for one in engine.dialects]
    found = {one: frozenset(_findings(lines, one)) for one in dialects}
    must = _must(found, choice)
    told = set()
    for one in sorted(frozenset().union(*found.values())):
        deaf = [each for each in dialects if one in found[each]]
        stops = any(each in must for each in deaf)
        if stops or one[2:] not in told:
            told.add(one[2:])
            where = Location(shown, one.line, one.column, lines[one.line - 1].rstrip())
            mend = ", or ".join([_mend(one, deaf), *_others(one, deaf, choice)])
            yield Problem(where, _what(one, deaf), mend, "error" if stops else "warning")


def _must(found: Mapping[Dialect, frozenset[Finding]], choice: str) -> list[Dialect]:
    """Those that must understand all. Of an engine with a name one version is enough: one that is alone with nothing."""
    common = frozenset.intersection(*found.values()) if found else frozenset()
    understood = [one for one, ones in found.items() if ones == common]
    return understood if understood and choice != AUTO else [one for one in found if one.archived]


def _findings(lines: Sequence[str], dialect: Dialect) -> Iterator[Finding]:
    for number, line in enumerate(lines, 1):
        if rule := _RULE.fullmatch(line.strip()):
            start = len(line) - len(line.lstrip()) + 1
            if rule[1] not in dialect.actions:
                yield Finding(number, start, "action", rule[1])
            yield from _of_header(number, start + rule.start(2), rule[2], dialect)
            yield from _of_options(number, start + rule.start(3), rule[3], dialect)


def _of_header(line: int, start: int, text: str, dialect: Dialect) -> Iterator[Finding]:
    fields = [(start + one.start(), one[0]) for one in _FIELD.finditer(text)]
    for variable in re.finditer(r"\$\w+", text):
        yield Finding(line, start + variable.start(), "variable", variable[0])
    if len(fields) != 6 and not (dialect.services and len(fields) == 1):
        yield Finding(line, fields[0][0] if fields else start, "header", text.strip())
        return
    if dialect.protocols and fields[0][1].lower() not in dialect.protocols:
        yield Finding(line, fields[0][0], "protocol", fields[0][1])
    if len(fields) == 6 and fields[3][1] not in ("->", "<>"):
        yield Finding(line, fields[3][0], "direction", fields[3][1])


def _of_options(line: int, start: int, text: str, dialect: Dialect) -> Iterator[Finding]:
    options = list(_OPTION.finditer(text))
    for one in options:
        if (name := one[1].lower()) not in dialect.options:
            yield Finding(line, start + one.start(1), "option", one[1])
        elif name == "content" and not dialect.commas and (behind := _BEHIND.match(one[2])):
            yield Finding(line, start + one.start(2) + behind.end() - 1, "comma", ",")
    if options and not options[-1][3] and not dialect.ends:
        yield Finding(line, start + options[-1].start(1), "end", options[-1][1])
    if all(one[1].lower() != "sid" for one in options):
        yield Finding(line, start, "sid", "")


def _what(one: Finding, deaf: Sequence[Dialect]) -> str:
    titles = [each.title for each in deaf]
    who = f"{', '.join(titles[:-1])} and {titles[-1]}" if titles[1:] else titles[0]
    knows, takes = ("don't know", "take") if titles[1:] else ("doesn't know", "takes")
    told = _WHAT.get(one.kind, f"{{who}} {knows} the {one.kind} `{{word}}`")
    return told.format(who=who, takes=takes, word=one.word)


def _mend(one: Finding, deaf: Sequence[Dialect]) -> str:
    if one.kind in _MEND:
        return _MEND[one.kind]
    word = one.word.lower()
    if one.kind == "protocol":
        base = re.split(r"v?[46]|-", word)[0]
        return f"write `{base}`" if base in _PROTOCOLS else "write `ip`, `icmp`, `tcp` or `udp`"
    known = frozenset.intersection(*(each.options for each in deaf))
    others = [*(each.instead[word] for each in deaf if word in each.instead), *_alike(word)]
    if other := next((one for one in others if re.split("[:;]", one)[0] in known), ""):
        return f"write `{other}`"
    elsewhere = any(word in each.options for engine in ENGINES.values() for each in engine.dialects)
    near = () if elsewhere else closest(word, known)
    return did_you_mean(near) if near else "leave it out"


def _alike(word: str) -> tuple[str, str]:
    """The same option as the other kind of engines spells it: `http.uri` and `http_uri`."""
    return word.replace(".", "_"), word.replace("_", ".")


def _others(one: Finding, deaf: Sequence[Dialect], choice: str) -> Iterator[str]:
    """The engine to name where `auto` comes to one that doesn't know what another does."""
    if choice == AUTO:
        able = [name for name, engine in ENGINES.items() if any(each not in deaf for each in engine.dialects)]
        unable = [name for name, engine in ENGINES.items() if any(each in deaf for each in engine.dialects)]
        yield from (f"say `engine: {name}`" for name in able if name not in unable)
