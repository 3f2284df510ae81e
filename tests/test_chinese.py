"""A document and its Chinese one say the same: whoever changes one is told what to change in the other, and where.

Held together are what both have alike: headings, code blocks, links, pictures, tables, and the code in the text of each
section. The Chinese text is held to its own rules, which docs/glossary.zh-CN.md tells.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.conftest import LABS, REPOSITORY

CHINESE = ".zh-CN.md"
PAIRS = [
    "README",
    "docs/srv6-primer",
    "docs/teaching",
    "docs/vendors",
    *(f"labs/{name}/README" for name in LABS),
]
ALONE = ["docs/glossary"]  # in Chinese only

HAN = r"[\u3400-\u9fff]"
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
HEADING = re.compile(r"^(#+) (.*)$")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]+`")
# A line of text that begins something of its own.
OWN_LINE = re.compile(r"^\s*($|[#|<>]|[-*+] |\d+\. |!\[|\[(English|中文)\])")


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its parts, each with the number of its line. `text` is all that is no code block."""

    text: tuple[Line, ...]
    blocks: tuple[tuple[int, str], ...]

    @property
    def headings(self) -> list[tuple[int, int, str]]:
        """Line, level, words."""
        found = ((line.number, HEADING.match(line.text)) for line in self.text)
        return [(number, len(match[1]), match[2]) for number, match in found if match]

    @property
    def sections(self) -> list[tuple[int, list[Line]]]:
        """The text below each heading, with the heading's line."""
        found: list[tuple[int, list[Line]]] = [(1, [])]
        for line in self.text:
            if HEADING.match(line.text):
                found.append((line.number, []))
            found[-1][1].append(line)
        return found


def read(text: str) -> Document:
    lines, blocks = [], []
    begun, fence, inside = 0, "", []
    for number, line in enumerate(text.splitlines(), 1):
        mark = FENCE.match(line)
        if fence:
            inside.append(line)
            if line.strip() == fence:
                blocks.append((begun, "\n".join(inside)))
                fence = ""
        elif mark:
            begun, fence, inside = number, mark[1], [line]
        else:
            lines.append(Line(number, line))
    return Document(tuple(lines), tuple(blocks))


def targets(line: str) -> list[str]:
    """Where a line's links and pictures lead, as they would in the English document; anchors are of each language."""
    found = LINK.findall(CODE.sub(lambda code: "c" * len(code[0]), line))
    return [f"{sign}{target.replace(CHINESE, '.md').partition('#')[0] or '#'}" for sign, _, target in found]


def codes(line: str) -> list[str]:
    return CODE.findall(line)


def differences(english: str, chinese: str) -> Iterator[str]:
    """What the two don't have alike: `LINE of the Chinese document: what, and how to mend it`."""
    one, other = read(english), read(chinese)
    yield from _headings(one, other)
    yield from _blocks(one, other)
    for (line, theirs), (mine, ours) in zip(one.sections, other.sections, strict=False):
        yield from _section(line, theirs, mine, ours)


def _headings(one: Document, other: Document) -> Iterator[str]:
    for theirs, ours in zip_longest(one.headings, other.headings):
        if theirs is None:
            yield f"{ours[0]}: the heading “{ours[2]}” has none in English: take it away, or put one there"
        elif ours is None:
            yield f"{other.headings[-1][0]}: no heading for “{theirs[2]}” (English line {theirs[0]}): translate it"
        elif theirs[1] != ours[1]:
            yield f"{ours[0]}: “{ours[2]}” has level {ours[1]}, “{theirs[2]}” (English line {theirs[0]}) {theirs[1]}"
        else:
            continue
        return


def _blocks(one: Document, other: Document) -> Iterator[str]:
    for theirs, ours in zip_longest(one.blocks, other.blocks):
        if theirs is None:
            yield f"{ours[0]}: this code block isn't in English: take it away"
        elif ours is None:
            yield f"1: the code block at English line {theirs[0]} is missing: copy it"
        elif theirs[1] != ours[1]:
            yield f"{ours[0]}: this code block isn't that of English line {theirs[0]}: copy it byte for byte"
        else:
            continue
        return


def _section(line: int, theirs: list[Line], mine: int, ours: list[Line]) -> Iterator[str]:
    """Tables row by row; of the rest what stands anywhere in the section, since sentences have another order."""
    rows, own = [[one for one in some if one.text.startswith("|")] for some in (theirs, ours)]
    if len(rows) != len(own):
        yield f"{mine}: {len(own)} rows of tables, in English (line {line}) {len(rows)}: translate the same rows"
        return
    for row, translated in zip(rows, own, strict=True):
        wanted, found = [
            (one.text.replace(r"\|", "").count("|"), sorted(codes(one.text)), sorted(targets(one.text)))
            for one in (row, translated)
        ]
        for what, want, have in zip(("cells", "code", "links"), wanted, found, strict=True):
            if want != have:
                yield f"{translated.number}: {what} {have}, in English (line {row.number}) {want}"
    for what, parts in (("code", codes), ("links", targets)):
        want, have = [Counter(parts(_running(some))) for some in (theirs, ours)]
        if what == "code":  # how often a sentence says a name is its own affair
            want, have = Counter(set(want)), Counter(set(have))
        if missing := sorted((want - have).elements()):
            yield f"{mine}: the section lacks {what} of the English one (line {line}): {', '.join(missing)}"
        if more := sorted((have - want).elements()):
            yield f"{mine}: the section has {what} that the English one (line {line}) has not: {', '.join(more)}"


def _running(lines: list[Line]) -> str:
    """The text beside the tables in one line: English sentences and links go on in the next one."""
    return " ".join(one.text.strip() for one in lines if not one.text.startswith("|"))


# What stands for code in a line when its words are looked at.
NAME = "\ufffc"


def prose(line: str) -> str:
    """A line's words: links by their texts, code by one letter."""
    text = CODE.sub(NAME, line)
    text = LINK.sub(lambda link: "" if "://" in link[3] else link[2], text)
    text = re.sub(r"(?<=[，。：；？！])[*][*] ", "", text)  # bold that ends so needs the blank
    return re.sub(r"</?\w[^>]*>|\*\*?|https?://\S+", "", text)


RULES = (
    (rf"{HAN}[ ]?[,;:?!]", "punctuation of half width after Chinese: ，；：？！"),
    (rf"{HAN}\.(?=\s|$|[“”（）])", "a full stop of half width after Chinese: 。"),
    (rf"{HAN} ?\(|\) ?{HAN}", "brackets of half width in Chinese: （）"),
    (rf"{HAN}[A-Za-z0-9{NAME}]|[A-Za-z0-9%{NAME}]{HAN}", "no blank between Chinese and Latin: put one"),
    (
        r"[ ][，。：；？！、（）]|[，。：；？！、（）][ ](?!\|)",
        "a blank beside punctuation of full width: take it away",
    ),
    (rf"{HAN}[ ]{HAN}", "a blank between two Chinese characters: take it away"),
    (r"您", "the reader is 你"),
)
# A span that CommonMark doesn't end where a Chinese character comes next.
BOLD = re.compile(r"[*][*]([^*]+)[*][*]")
# Words in a row that are of a sentence and no name; what the tool says may be quoted.
SENTENCE = re.compile(r"\b(?:[a-z]+(?:'[a-z]+)?,? ){3,}[a-z]+\b")


def mistakes(chinese: str) -> Iterator[str]:
    """What the text breaks of the rules of Chinese documents."""
    before: Line | None = None
    for line in read(chinese).text:
        words = prose(line.text)
        for pattern, what in RULES:
            if found := re.search(pattern, words.strip()):
                at = words.strip()[max(0, found.start() - 8) : found.end() + 8]
                yield f"{line.number}: {what} (“{at.replace(NAME, '`…`')}”)"
        bold = [(one[1][-1], line.text[one.end() : one.end() + 1]) for one in BOLD.finditer(line.text)]
        if any(last in "，。：；？！）”" and re.match(HAN, after) for last, after in bold):
            yield f"{line.number}: Markdown doesn't end bold so: put a blank behind **"
        if found := SENTENCE.search(re.sub(r"“[^”]*”", "", words)):
            yield f"{line.number}: left in English: “{found[0]}”"
        if before and not OWN_LINE.match(line.text) and _goes_on(before):
            yield f"{line.number}: a paragraph goes on in a second line, which shows as a blank: join them"
        before = line


def _goes_on(line: Line) -> bool:
    return not re.match(r"^\s*([#|<]|$)", line.text)


def anchors(text: str) -> set[str]:
    """GitHub's, of the headings, and those that are written down."""
    named = {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for _, _, words in read(text).headings}
    return named | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def lost(path: Path, text: str) -> Iterator[str]:
    """Links that lead nowhere, or to a document in English that there is in Chinese."""
    for line in read(text).text:
        for sign, _, target in LINK.findall(CODE.sub("", line.text)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            there = path.parent / name if name else path
            if not there.exists():
                yield f"{line.number}: nothing is at {target}"
            elif anchor and anchor not in anchors(there.read_text("utf-8")):
                yield f"{line.number}: {there.name} has no heading for #{anchor}: {sorted(anchors(there.read_text('utf-8')))}"
            elif not sign and _in_chinese(path, there):
                yield f"{line.number}: {target} is there in Chinese: link to {_chinese(there).name}"


def _chinese(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".md") + CHINESE)


def _in_chinese(path: Path, there: Path) -> bool:
    translated = there.name.endswith(".md") and not there.name.endswith(CHINESE)
    return translated and _chinese(there).exists() and _chinese(there) != path


def problems(path: Path) -> list[str]:
    """All that is wrong with a Chinese document, its own lines first."""
    text = path.read_text("utf-8")
    english = path.with_name(path.name.replace(CHINESE, ".md"))
    found = [*mistakes(text), *lost(path, text)]
    if english.exists():
        original = english.read_text("utf-8")
        found += differences(original, text)
        if f"[中文]({path.name})" not in original or f"[English]({english.name})" not in text:
            found.append(
                f"3: below their first headings: [中文]({path.name}) there, [English]({english.name}) here"
            )
    return [f"{path.relative_to(REPOSITORY)}:{one}" for one in found]


@pytest.mark.parametrize("name", [*PAIRS, *ALONE])
def test_a_document_and_its_chinese_one_say_the_same(name: str) -> None:
    path = REPOSITORY / f"{name}{CHINESE}"
    assert path.is_file(), f"{name}.md has no Chinese one: write it by docs/glossary.zh-CN.md"
    assert problems(path) == []


def test_no_chinese_document_is_forgotten() -> None:
    found = {
        str(path.relative_to(REPOSITORY))
        for pattern in ("*", "docs/*", "labs/*/*")
        for path in REPOSITORY.glob(pattern + CHINESE)
    }
    assert found == {f"{name}{CHINESE}" for name in (*PAIRS, *ALONE)}


ENGLISH = """\
# One

[中文](one.zh-CN.md)

See `invoke labs`, and [two](two.md#b).

![A picture](a.svg)

## B

| what | how |
|---|---|
| it | `run` |

```sh
invoke labs
```
"""
TRANSLATED = """\
# 一

[English](one.md)

见 `invoke labs` 和[第二篇](two.zh-CN.md#二)。

![图](a.svg)

## 二

| 什么 | 怎么做 |
|---|---|
| 它 | `run` |

```sh
invoke labs
```
"""


def test_what_is_the_same_has_no_difference() -> None:
    assert list(differences(ENGLISH, TRANSLATED)) == []
    assert list(mistakes(TRANSLATED)) == []


DIFFERENT = {
    "a heading of another level": ("## 二", "### 二", "9: “二” has level 3"),
    "a heading too few": ("## 二\n", "", "1: no heading for “B” (English line 9)"),
    "a heading too many": ("```sh", "## 三\n\n```sh", "15: the heading “三” has none in English"),
    "another command": ("sh\ninvoke labs", "sh\ninvoke lab", "15: this code block isn't that of English line 15"),
    "a block too few": ("```sh\ninvoke labs\n```\n", "", "1: the code block at English line 15 is missing"),
    "a block too many": ("## 二", "```\nx\n```\n\n## 二", "9: this code block isn't that of English line 15"),
    "another link": ("two.zh-CN.md", "three.md", "1: the section lacks links of the English one (line 1): two.md"),
    "no picture": ("![图](a.svg)", "", "1: the section lacks links of the English one (line 1): !a.svg"),
    "other code in the text": ("`invoke labs` ", "`labs` ", "1: the section has code that the English one"),
    "a row too few": ("| 它 | `run` |\n", "", "9: 2 rows of tables, in English (line 9) 3"),
    "a cell too many": ("| 它 |", "| 它 | 也 |", "13: cells 4, in English (line 13) 3"),
    "other code in a row": ("`run`", "`ran`", "13: code ['`ran`'], in English (line 13) ['`run`']"),
    "a link in a row": ("| 它 |", "| [它](x.md) |", "13: links ['x.md'], in English (line 13) []"),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_difference_is_told_with_its_line(case: str) -> None:
    old, new, told = DIFFERENT[case]
    assert TRANSLATED.count(old) == 1
    found = list(differences(ENGLISH, TRANSLATED.replace(old, new)))
    assert any(one.startswith(told) for one in found), found


BROKEN = {
    "逗号,半角": "1: punctuation of half width",
    "问号?": "1: punctuation of half width",
    "句号.": "1: a full stop of half width",
    "句号. 然后": "1: a full stop of half width",
    "括号(半角)里": "1: brackets of half width",
    "用SRv6": "1: no blank between Chinese and Latin",
    "SRv6 报文3个": "1: no blank between Chinese and Latin",
    "看`ping`吧": "1: no blank between Chinese and Latin",
    "[SRv6](a.md)报文": "1: no blank between Chinese and Latin",
    "报文 ，然后": "1: a blank beside punctuation",
    "报文， 然后": "1: a blank beside punctuation",
    "报文 然后": "1: a blank between two Chinese",
    "**是谁？**看": "1: Markdown doesn't end bold so",
    "您好": "1: the reader is 你",
    "报文。 The packet goes over the wire.": "1: left in English: “packet goes over the wire”",
    "第一行，\n第二行。": "2: a paragraph goes on in a second line",
    "- 第一行，\n  第二行。": "2: a paragraph goes on in a second line",
}


@pytest.mark.parametrize("text", BROKEN)
def test_text_that_no_chinese_reader_would_write_is_told(text: str) -> None:
    assert any(one.startswith(BROKEN[text]) for one in mistakes(text)), list(mistakes(text))


@pytest.mark.parametrize(
    "text",
    [
        "见 RFC 8986 第 4.1 节：End.X 和 `a, b` 都行（见下）。",
        "1. 第一\n2. 第二",
        "**是谁？** 看",
        "[display srv6-te policy of a candidate path](http://a.example/b)",
        "“如果……会怎样”，`ping`：[表](a.md)。",
        "| 一 | 二 |\n|---|---|\n| 三， | 四 |",
    ],
)
def test_good_text_is_left_alone(text: str) -> None:
    assert list(mistakes(text)) == []


def test_links_that_lead_nowhere_or_to_english_are_told(tmp_path: Path) -> None:
    for name, text in {"a.md": "# A\n", "a.zh-CN.md": "# 甲\n", "b.md": "# B\n"}.items():
        (tmp_path / name).write_text(text, "utf-8")
    page = tmp_path / "page.zh-CN.md"
    text = "[好](a.zh-CN.md#甲)\n\n[英](a.md)\n\n[锚](b.md#c)\n\n[无](c.md)\n\n[只有英文](b.md#b)\n"
    found = list(lost(page, text))
    assert [one.partition(",")[0][:45] for one in found] == [
        "3: a.md is there in Chinese: link to a.zh-CN.",
        "5: b.md has no heading for #c: ['b']",
        "7: nothing is at c.md",
    ]
