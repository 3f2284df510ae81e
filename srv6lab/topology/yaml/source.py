"""YAML text → a tree of plain data that knows the file, line and column of every part.

Read from the parser's events, not with `yaml.load`: only there are the marks, the repeated keys and
the depth. A scalar stays the author's text unless it is plainly a decimal number, true/false or null,
because YAML 1.1 makes an integer of `10:20:30:40:50:59` and a boolean of `no`. What a key means is
none of this module's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from typing import Any

import yaml

from srv6lab.errors import Location, Problem, TopologyError
from srv6lab.topology.yaml import syntax
from srv6lab.topology.yaml.tree import MAX_DEPTH, Mark, Node, Tree, location

MAX_BYTES = 1_000_000
MAX_TRAPS = 50  # each mended trap costs another pass

Path = tuple[str | int, ...]

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

# A text in the file, by the quotes that it stands in: what stands before it, a character of it, and space.
_HEAD = re.compile(r"(?:[&!]\S*\s+)*(?:[|>][-+0-9]*[ \t]*(?:#.*)?(?=\n))?")
_ESCAPE = r"\\(?:x..|u.{4}|U.{8}|.)"
_WRITTEN = {
    "": re.compile(".?", re.DOTALL),
    "'": re.compile("''|.?", re.DOTALL),
    '"': re.compile(f"{_ESCAPE}|.?", re.DOTALL),
}
_SPACE = {"": re.compile(r"\s*"), "'": re.compile(r"\s*"), '"': re.compile(r"(?:\s|\\[\n nrt_])*")}


@dataclass(frozen=True, slots=True)
class Source:
    """A file's data, plain as pydantic wants it, and where each part stands. The lines of files that it includes follow
    its own: `_files` holds the first line of each, and its name."""

    file: str
    data: Any
    root: Node = field(repr=False)
    _lines: tuple[str, ...] = field(repr=False)
    _files: tuple[tuple[int, str], ...] = ()

    @property
    def includes(self) -> bool:
        """Whether it says what other files say."""
        return bool(self._files)

    @property
    def digest(self) -> bytes:
        """Of its text, and that of the files that it includes, wherever they lie."""
        begins = ",".join(str(first) for first, _ in self._files)
        return blake2b("\n".join((begins, *self._lines)).encode("utf-8", "replace")).digest()

    def locate(self, path: Path, key: bool = False) -> Location:
        """The place of a value or of its key; for what isn't there, of the nearest thing around it."""
        node, mark, origin = self.root, self.root.mark, ""
        for step in path:
            below, key_mark = _step(node, step)
            if below is None:
                break
            node, mark = below, key_mark if key else below.mark
            origin = below.origin or origin
        note = origin if origin.isprintable() else ascii(origin)[1:-1]
        return replace(self.at(mark), note=note) if note else self.at(mark)

    def within(self, text: Node, at: int) -> Mark:
        """The place of a text's character: in the file the text may begin behind an anchor, go on in lines below, and
        have characters written as escapes."""
        if self._lines[text.mark[0]].startswith(text.data, text.mark[1]):
            return text.mark[0], text.mark[1] + at
        rest = "\n".join(self._lines[text.mark[0] : text.mark[0] + len(text.data) + 2])
        place = _behind(_HEAD, rest, text.mark[1])
        quote = rest[place] if rest[place : place + 1] in ("'", '"') else ""
        written, place = _WRITTEN[quote], place + len(quote)
        for _ in range(sum(not one.isspace() for one in text.data[:at])):
            place = _behind(written, rest, _behind(_SPACE[quote], rest, place))
        if not text.data[at : at + 1].isspace() and at < len(text.data):
            place = _behind(_SPACE[quote], rest, place)
        before = rest[:place]
        return text.mark[0] + before.count("\n"), place - (before.rfind("\n") + 1)

    def at(self, mark: Mark) -> Location:
        found = location(self.file, self._lines, mark)
        for first, file in reversed(self._files):
            if mark[0] >= first:
                return replace(found, file=file, line=found.line - first)
        return found

    def including(self, other: Source) -> Source:
        """The same with the lines of another file behind its own; the marks of `other` are moved to there."""
        first = len(self._lines)
        _move(other.root, first)
        return replace(self, _lines=self._lines + other._lines, _files=(*self._files, (first, other.file)))


def _move(root: Node, lines: int) -> None:
    waiting, done = [root], {id(root)}  # aliases are in several places
    while waiting:
        node = waiting.pop()
        node.mark = node.mark[0] + lines, node.mark[1]
        node.keys = {key: (line + lines, column) for key, (line, column) in node.keys.items()}
        below = node.children.values() if isinstance(node.children, dict) else node.children or ()
        fresh = [one for one in below if id(one) not in done]
        done.update(map(id, fresh))
        waiting += {id(one): one for one in fresh}.values()


def _behind(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _step(node: Node, step: str | int) -> tuple[Node | None, Mark]:
    if isinstance(node.children, dict) and step in node.children:
        return node.children[step], node.keys[str(step)]
    if isinstance(node.children, list) and isinstance(step, int) and 0 <= step < len(node.children):
        return node.children[step], node.children[step].mark
    return None, node.mark


def parse(text: str | bytes, file: str) -> Source:
    """The file's tree, or a TopologyError with everything that is wrong with it as YAML."""
    source, problems = examine(text, file)
    if problems:
        raise TopologyError(problems)
    return source


def examine(text: str | bytes, file: str) -> tuple[Source, tuple[Problem, ...]]:
    """The file's tree as far as it can be trusted, with its problems; raises where none of it can.

    An unquoted `::` or a repeated key leaves the rest readable, so that the loader can go on and show
    the author everything in one run.
    """
    decoded = _decode(text, file)
    lines = tuple(_BREAK.split(decoded))
    tree, traps = _Traps(decoded, file, lines).build()
    problems = [*traps, *tree.problems]
    if tree.root is None or not isinstance(tree.root.data, dict):
        what = (
            "the file is empty" if tree.root is None or tree.root.data is None else _not_a_mapping(tree.root)
        )
        mark = tree.root.mark if tree.root and tree.root.data is not None else (0, 0)
        mend = "start with `name:`, `nodes:` and `links:` at the left margin"
        raise TopologyError([*problems, Problem(location(file, lines, mark), what, mend)])
    return Source(file, tree.root.data, tree.root, lines), tuple(problems)


def _not_a_mapping(root: Node) -> str:
    kind = "a list" if isinstance(root.data, list) else "a single value"
    return f"the file holds {kind}, not a topology's keys"


def _decode(text: str | bytes, file: str) -> str:
    """Text without a byte order mark, or the place of the first thing that is no text."""
    if len(text) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES // 1000} kB"
        raise TopologyError(
            [Problem(Location(file, 1, 1), what, "a topology is small; is this the right file?")]
        )
    if isinstance(text, bytes):
        text = _from_utf8(text, file)
    text = text.removeprefix("\ufeff")
    if found := _FORBIDDEN.search(text):
        what = f"the character U+{ord(found.group()):04X} can't stand in a YAML file"
        mend = "take it out; if the file isn't text at all, name another"
        raise TopologyError([Problem(_place(text[: found.start()], file), what, mend)])
    return text


def _from_utf8(text: bytes, file: str) -> str:
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        what, mend = "the file is UTF-16, not UTF-8", "save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)"
        raise TopologyError([Problem(Location(file, 1, 1), what, mend)])
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        what = f"the byte 0x{text[error.start]:02x} isn't UTF-8 (byte {error.start} of the file)"
        before = text[: error.start].decode().removeprefix("\ufeff")
        raise TopologyError([Problem(_place(before, file), what, "save the file as UTF-8")]) from None


def _place(before: str, file: str) -> Location:
    lines = _BREAK.split(before)
    return Location(file, len(lines), len(lines[-1]) + 1)


class _Traps:
    """Builds the tree; where an unquoted `::` breaks the syntax, notes it and reads on.

    The address is masked by as many letters, so that every other column stays true, and the builder
    puts the meant address in the mask's place.
    """

    def __init__(self, text: str, file: str, lines: tuple[str, ...]) -> None:
        self.file, self.lines = file, lines
        self.text, self.masked, self.masks = text, list(lines), dict[Mark, str]()

    def build(self) -> tuple[Tree, list[Problem]]:
        found: list[Problem] = []
        while True:
            tree = Tree(self.file, self.lines, self.masks)
            try:
                tree.read(self.text)
                return tree, found
            except yaml.MarkedYAMLError as error:
                trap = self._unmask(error) if len(found) < MAX_TRAPS else None
                if trap is None:
                    where = partial(location, self.file, self.lines)
                    problem = (
                        self._too_deep(error)
                        or syntax.pasted(error, where)
                        or syntax.syntax_error(error, where, tree.innermost, tree.long_quote)
                    )
                    raise TopologyError([*found, *tree.problems, problem]) from None
                found.append(trap)
            except TopologyError as error:
                raise TopologyError([*found, *tree.problems, *error.problems]) from None

    def _too_deep(self, error: yaml.MarkedYAMLError) -> Problem | None:
        """What is too deep before the error, if anything is. libyaml reads ahead of its events, and newer ones
        stop at a depth of their own: so what stands before the error is read again by itself."""
        mark = error.problem_mark
        if mark is None:
            return None
        before = self.masked[: mark.line + 1]
        before[-1:] = [line[: mark.column] for line in before[mark.line :]]
        tree = Tree(self.file, self.lines, self.masks)
        try:
            tree.read("\n".join(before))
        except TopologyError as found:
            return found.problems[0] if tree.depth == MAX_DEPTH else None
        except yaml.YAMLError:
            return None
        return None

    def _unmask(self, error: yaml.MarkedYAMLError) -> Problem | None:
        """The address at the error's place, masked from now on; nothing if it isn't one."""
        mark = error.problem_mark
        if mark is None or mark.line >= len(self.masked):
            return None
        token = syntax.bare_address(self.masked[mark.line], mark.column)
        if token is None:
            return None
        start, address = token
        line = self.masked[mark.line]
        self.masked[mark.line] = line[:start] + "x" * len(address) + line[start + len(address) :]
        self.text = "\n".join(self.masked)
        self.masks[(mark.line, start)] = address
        return syntax.bare_address_problem(location(self.file, self.lines, (mark.line, start)), address)
