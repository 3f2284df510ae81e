"""The page speaks English and Chinese: whatever its scripts say has its words in both, and no more than that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from srv6lab.report.page.html import SCRIPTS
from tests.conftest import REPOSITORY

ASSETS = REPOSITORY / "srv6lab/report/page/assets"
STRING = r'"((?:[^"\\]|\\.)*)"'
# Names that both languages have from RFCs and from programs.
ALIKE = frozenset({"Locator", "SR policies", "binding SID {0}"})


def texts() -> dict[str, str]:
    return {name: (ASSETS / name).read_text("utf-8") for name in SCRIPTS}


def spoken(script: str) -> Iterator[str]:
    """What a script says: first words of say(), of headings and choices, members of said([…]), and what is counted."""
    for call in re.finditer(rf"\b(?:say|section|choices)\(\s*{STRING}", script):
        yield json.loads(f'"{call[1]}"')
    for call in re.finditer(r"\bsaid\(\[(.*?)\]\)", script, re.DOTALL):
        yield from re.findall(STRING, call[1])
    for call in re.finditer(rf"\bplural\((?:[^()]|\([^()]*\))*?,\s*{STRING}\)", script):
        yield from (f"{{0}} {call[1]}", f"{{0}} {call[1]}s")


def chinese(script: str) -> dict[str, str]:
    """The table of words.js."""
    (table,) = re.findall(r"const CHINESE = \{\n(.*?)\n\};", script, re.DOTALL)
    table = re.sub(r"^\s*//.*$", "", table, flags=re.MULTILINE)
    pairs = re.findall(rf"(?:{STRING}|(\w+)):\s+{STRING},", table)
    return {json.loads(f'"{quoted}"') if quoted else bare: words for quoted, bare, words in pairs}


def wrong(scripts: Mapping[str, str]) -> list[str]:
    """What one of the languages lacks, and how to mend it."""
    table = chinese(scripts["words.js"])
    said = {words: name for name, script in scripts.items() for words in spoken(script)}
    found = [
        f"{name} says “{words}”: put it into CHINESE in words.js"
        for words, name in said.items()
        if words not in table
    ]
    found += [
        f"nothing says “{words}” any more: take it out of CHINESE in words.js"
        for words in table
        if words not in said
    ]
    for words, told in table.items():
        if sorted(re.findall(r"\{\d\}", words)) != sorted(re.findall(r"\{\d\}", told)):
            found.append(f"“{words}” has other parts than “{told}”")
        if not re.search(r"[\u4e00-\u9fff]", told) and words not in ALIKE and re.search(r"[a-z]{2}", told):
            found.append(f"“{words}” is still English: “{told}”")
    return sorted(found)


def test_whatever_the_page_says_has_its_words_in_both_languages() -> None:
    assert wrong(texts()) == []


def test_the_scripts_say_something() -> None:
    assert sum(len(set(spoken(script))) for script in texts().values()) > 150


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"stands alone": "孤证"', '"stands alone": "alone"', "“stands alone” is still English"),
        ('"复制链接"', '"复制 {0}"', "“Copy link” has other parts"),
        ('"Copy link": ', '"Copy a link": ', "hop.js says “Copy link”"),
        ('"Copy link": ', '"Copy a link": ', "nothing says “Copy a link” any more"),
        ('"{0} thing": "{0} 项", ', "", "tables.js says “{0} thing”"),
    ],
)
def test_a_word_that_one_language_lacks_is_told(old: str, new: str, told: str) -> None:
    scripts = texts()
    assert old in scripts["words.js"]
    scripts["words.js"] = scripts["words.js"].replace(old, new)
    assert any(one.startswith(told) for one in wrong(scripts))
