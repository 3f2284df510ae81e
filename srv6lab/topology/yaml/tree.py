"""YAML events → a tree of nodes that know their place.

One stack and no recursion, so depth is a number and not a crash. What is wrong but leaves the rest
readable (a repeated key, a tag, an unquoted `::` in a list) is noted, and reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from srv6lab.errors import Location, Problem, TopologyError
from srv6lab.topology.yaml import syntax

MAX_DEPTH = 50
MAX_PARTS = 150_000  # aliases and `<<` counted; a lab of 1,000 nodes has 40,000
MAX_PROBLEMS = 500  # of one kind; nobody reads more, and a hostile file has half a million
MAX_EXCERPT = 400  # a longer source line would bury the message

Mark = tuple[int, int]  # line and column, from 0 as PyYAML counts

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBERED = frozenset({"hmac_keys"})
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_CONSTANTS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_CONSTANTS |= dict.fromkeys(("", "~", "null", "Null", "NULL"))  # type: ignore[arg-type]


@dataclass(slots=True)
class Node:
    """A value and its place; `children` mirrors the data of a collection, `keys` a mapping's keys. `origin` says which
    one it is of those that stand there in one text: `r7, from r[1-20]`."""

    mark: Mark
    data: Any
    children: Any = None
    keys: dict[str, Mark] = field(default_factory=dict)
    parts: int = 1
    origin: str = ""


def location(file: str, lines: tuple[str, ...], mark: Mark) -> Location:
    line, column = min(mark[0], len(lines) - 1), mark[1]
    text = lines[line][:MAX_EXCERPT] if column <= MAX_EXCERPT else ""
    return Location(file, line + 1, column + 1 if line == mark[0] else len(lines[line]) + 1, text.rstrip())


@dataclass(slots=True)
class _Frame:
    """A collection that is still open; a mapping waits for a key, or for the value of `key`."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_mark: Mark = (0, 0)
    keep: bool = True
    waiting: bool = False
    merged: list[Node] = field(default_factory=list)
    address: str = ""


class Tree:
    """Events → nodes. One stack and no recursion, so depth is a number and not a crash."""

    def __init__(self, file: str, lines: tuple[str, ...], masks: dict[Mark, str]) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.long_quote: tuple[Mark, int] | None = None  # where the last one starts, and its last line
        self._file, self._lines, self._masks = file, lines, masks
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def read(self, text: str) -> None:
        for event in _events(text):
            mark = (event.start_mark.line, event.start_mark.column)
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event, mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event, mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(str(event.anchor), mark)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._stop(mark, "a second YAML document starts here", "keep one topology in a file")

    @property
    def innermost(self) -> Mark:
        """Where the innermost collection that is still open starts."""
        return self._stack[-1].node.mark if self._stack else (0, 0)

    @property
    def depth(self) -> int:
        """How many collections are open."""
        return len(self._stack)

    def _say(self, mark: Mark, what: str, mend: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(location(self._file, self._lines, mark), what, mend))

    def _stop(self, mark: Mark, what: str, mend: str) -> None:
        raise TopologyError([Problem(location(self._file, self._lines, mark), what, mend)])

    def _tagged(self, event: Any, mark: Mark) -> None:
        if event.tag is not None:
            short = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._say(mark, f"the tag `{short}` isn't allowed", "take the tag away; a topology is plain data")

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        self._tagged(event, mark)
        if event.style in ("'", '"') and event.end_mark and event.end_mark.line > mark[0]:
            self.long_quote = (mark, event.end_mark.line)
        plain = not event.style and mark not in self._masks
        value = self._masks.get(mark) or self._unmasked(event, mark)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.node.data, dict) and not frame.waiting:
            self._key(frame, value, plain, mark)
            return
        if frame is not None and plain and not value and frame.key and syntax.is_address(frame.key + ":"):
            self._silent_trap(frame)
            return
        self._add(Node(mark, _resolve(value) if plain else value), event.anchor)

    def _unmasked(self, event: yaml.ScalarEvent, mark: Mark) -> str:
        """The text of a scalar with the addresses that were masked within its line."""
        value: str = event.value
        for (line, column), address in self._masks.items() if not event.style else ():
            at = column - mark[1]
            if line == mark[0] and at > 0 and value[at : at + len(address)] == "x" * len(address):
                value = value[:at] + address + value[at + len(address) :]
        return value

    def _key(self, frame: _Frame, text: str, plain: bool, mark: Mark) -> None:
        frame.key, frame.key_mark, frame.waiting = text, mark, True
        frame.keep = True
        if plain and not isinstance(_resolve(text), str) and not self._numbers(text):
            shown = f"the key `{text}`" if text else "an empty key"
            self._say(
                mark,
                f"{shown} isn't text",
                f'write "{text}" in quotes, or a name' if text else "name the key",
            )
            frame.keep = False
        elif text in frame.node.keys:
            first = frame.node.keys[text][0] + 1
            self._say(mark, f"the key `{text}` is here twice, first in line {first}", "keep one of the two")
            frame.keep = False

    def _numbers(self, text: str) -> bool:
        """Whether a number is a key here: of a mapping whose things have numbers for names."""
        above = self._stack[-2].key if len(self._stack) > 1 else None
        return above in _NUMBERED and _DECIMAL.fullmatch(text) is not None

    def _silent_trap(self, frame: _Frame) -> None:
        """`[fc00:1::]` reads as a list of mappings without a word: say it, and take the address."""
        frame.address = f"{frame.key}:"
        where = location(self._file, self._lines, frame.key_mark)
        self.problems.append(syntax.bare_address_problem(where, frame.address))
        frame.key, frame.waiting = None, False

    def _open(self, event: yaml.CollectionStartEvent, mark: Mark) -> None:
        self._tagged(event, mark)
        if self.depth >= MAX_DEPTH:
            self._stop(
                mark, f"more than {MAX_DEPTH} levels inside each other", "a topology needs less than ten"
            )
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.node.data, dict) and not frame.waiting:
            if frame.node.mark == (mark[0], mark[1] - 1):
                self._say(frame.node.mark, "`{{ … }}` isn't filled in here", "write the value itself")
            else:
                self._say(mark, "a list or mapping can't be a key", "write a name")
            frame.key, frame.keep, frame.waiting = None, False, True
            frame = None
            self._stack.append(_Frame(_new(event, mark), None, keep=False, address="key"))
            return
        self._stack.append(_Frame(_new(event, mark), event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        node = frame.node
        if frame.address == "key":
            return
        if frame.address and not node.children:
            node = Node(node.mark, frame.address)
        for merged in frame.merged:
            _merge(node, merged)
        self._add(node, frame.anchor)

    def _alias(self, anchor: str, mark: Mark) -> None:
        node = self._anchors.get(anchor)
        if any(frame.anchor == anchor for frame in self._stack):
            self._stop(mark, f"the alias `*{anchor}` stands inside of its own anchor", "write the value out")
        if node is None:
            self._say(
                mark, f"no anchor `&{anchor}` stands before the alias `*{anchor}`", "write the value out"
            )
            node = Node(mark, None)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.node.data, dict) and not frame.waiting:
            self._key(frame, str(node.data), False, mark)
            return
        self._add(node, None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        parent = frame.node
        parent.parts += node.parts
        if parent.parts > MAX_PARTS:
            self._stop(
                parent.mark,
                f"more than {MAX_PARTS} values, aliases counted",
                "a lab needs far less; check the aliases",
            )
        if isinstance(parent.data, list):
            parent.data.append(node.data)
            parent.children.append(node)
            return
        if frame.key == "<<" and frame.keep:
            self._note_merge(frame, node)
        elif frame.keep and frame.key is not None:
            parent.data[frame.key] = node.data
            parent.children[frame.key] = node
            parent.keys[frame.key] = frame.key_mark
        frame.key, frame.waiting = None, False

    def _note_merge(self, frame: _Frame, node: Node) -> None:
        sources = node.children if isinstance(node.data, list) else [node]
        if all(isinstance(one.data, dict) for one in sources):
            frame.merged.extend(sources)
        else:
            self._say(
                frame.key_mark, "`<<` takes mappings only", "give it an alias of a mapping, such as `*common`"
            )


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_LOADER)


def _new(event: yaml.CollectionStartEvent, mark: Mark) -> Node:
    if isinstance(event, yaml.MappingStartEvent):
        return Node(mark, {}, {})
    return Node(mark, [], [])


def _merge(node: Node, other: Node) -> None:
    """What `<<` brings gives way to what the mapping says itself."""
    for key, child in other.children.items():
        if key not in node.data:
            node.data[key] = child.data
            node.children[key] = child
            node.keys[key] = other.keys[key]


def _resolve(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _DECIMAL.fullmatch(text) else text
