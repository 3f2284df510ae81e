"""What may stand in the file of a service's rules: rules, comments, empty lines.

Snort reads that file as a part of its configuration, in which a line may load a program or write any file; so every other
line is refused, for whichever engine it is meant. Some options of rules do such things, too: those are the lab's own
commands, and `up` asks whether they are trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from srv6lab.errors import Location, Problem

ACTIONS = ("alert", "log", "pass", "drop", "reject")
# What runs a script or writes a file, in Suricata or in Snort.
RUNNING = frozenset(
    ("lua", "luajit", "luaxform", "filestore", "dataset", "datarep", "logto", "react", "resp")
)
_RULE = re.compile(rf"({'|'.join(ACTIONS)})\s[^()]*\((.*)\)")
_OPTION = re.compile(r'\s*([A-Za-z0-9_.]+)\s*((?:"(?:\\.|[^"\\])*"|\\.|[^;"\\])*);?')
_MEND = 'each line is a rule, such as `alert icmp any any -> any any (msg:"seen"; sid:1000;)`, or a comment after #'


def problems(text: str, shown: str) -> Iterator[Problem]:
    """What is no rule; `shown` is the file's name for people."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        where = Location(shown, number, len(line) - len(line.lstrip()) + 1, line.rstrip())
        if bare.endswith("\\"):  # engines differ in what they then take for one line
            yield Problem(
                where, "this goes on in the next line", "write each rule, and each comment, in one line"
            )
        elif not bare or bare[0] == "#" or _RULE.fullmatch(bare):
            continue
        elif (word := bare.split()[0][:40]) in ACTIONS:
            what = "this is no whole rule: an action, which packets it is for, and its options in parentheses"
            yield Problem(where, what, _MEND)
        else:
            what = f"`{word}` begins no rule, and only rules can stand in this file"
            yield Problem(where, what, _MEND)


def running(text: str) -> tuple[str, ...]:
    """The rules with an option that runs a script or writes a file."""
    rules = (_RULE.fullmatch(line.strip()) for line in text.split("\n"))
    return tuple(
        one[0]
        for one in rules
        if one and any(name[1].lower() in RUNNING for name in _OPTION.finditer(one[2]))
    )
