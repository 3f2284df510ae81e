"""The page is one file without a reference to any other, and no document can say anything to HTML."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from srv6lab.report.page.html import SCRIPTS, STYLES, embedded, page
from srv6lab.report.page.packed import unpacked
from tests.conftest import REPOSITORY

ASSETS = REPOSITORY / "srv6lab" / "report" / "page" / "assets"
MOST = 120_000  # bytes of a page without its document
EMPTY: dict[str, Any] = {
    "schema": 1,
    "lab": "small",
    "description": "",
    "kind": "prediction",
    "made": {"version": "0", "provider": None, "when": None},
    "picture": {"width": 0, "height": 0, "nodes": [], "links": []},
    "sids": {},
    "names": {},
    "exercises": [],
}
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    '"><img src=x onerror=alert(1)>',
    "a\u2028b\u2029c",
    "&lt;/script&gt;",
    "\u202etxt.exe\x1b[31m\x00",
    "{{SCRIPT}} {{POLICY}}",
    "'; alert(1) //",
]


class Elements(HTMLParser):
    """What a parser of HTML finds: elements with their attributes, and the text of each kind of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open][-1] += data


def told(text: str) -> Any:
    """The document that a browser would read off the page."""
    elements = Elements(text)
    (index,) = (i for i, (_, attrs) in enumerate(elements.tags) if attrs.get("id") == "walk")
    before = sum(tag == "script" for tag, _ in elements.tags[:index])
    return unpacked(json.loads(elements.texts["script"][before]))


def test_the_page_holds_the_document() -> None:
    assert told(page(EMPTY)) == EMPTY


@pytest.mark.parametrize("words", HOSTILE)
def test_no_word_of_a_document_is_html(words: str) -> None:
    text = page({**EMPTY, "lab": words, "names": {words: words}})
    assert told(text)["lab"] == words
    assert told(text)["names"] == {words: words}
    assert [tag for tag, _ in Elements(text).tags] == [tag for tag, _ in Elements(page(EMPTY)).tags]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_is_embedded_has_no_character_of_html(words: str) -> None:
    assert not re.search("[<>&\u2028\u2029]", embedded({words: words}))
    assert json.loads(embedded({words: words})) == {words: words}


def test_half_a_character_can_be_written() -> None:
    text = embedded({"a": "\ud800 \udfff"})
    assert text.encode() and json.loads(text) == {"a": "\ud800 \udfff"}


def test_the_title_names_the_lab() -> None:
    (title,) = Elements(page({**EMPTY, "lab": "a <b> & c"})).texts["title"]
    assert title == "a <b> & c – srv6lab"


def test_the_page_is_small_without_its_document() -> None:
    assert len(page(EMPTY).encode()) <= MOST


def test_nothing_in_the_page_names_another_file() -> None:
    text = page(EMPTY)
    assert not re.search(
        r"@import|url\(|https?://(?!www\.w3\.org/2000/svg)|import\s*\(|\bfetch\(|XMLHttp", text
    )
    assert not {"link", "img", "iframe", "object", "embed", "base"} & {tag for tag, _ in Elements(text).tags}
    assert not any({"src", "href"} & attrs.keys() for _, attrs in Elements(text).tags)


def test_only_what_the_policy_names_may_run() -> None:
    elements = Elements(page(EMPTY))
    (policy,) = (a["content"] for _, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for text in (elements.texts["style"][0], elements.texts["script"][-1]):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy


def test_a_document_changes_nothing_that_may_run() -> None:
    hashes = [re.findall("sha256-[^']+", page({**EMPTY, "lab": lab})) for lab in ("one", "two")]
    assert len(hashes[0]) == 2
    assert hashes[0] == hashes[1]


def test_every_asset_is_used_and_small() -> None:
    files = {path.name for path in ASSETS.iterdir()}
    assert files == {*STYLES, *SCRIPTS, "page.html"}
    assert {name for name in files if len((ASSETS / name).read_text("utf-8").splitlines()) > 400} == set()


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_make_elements_through_the_dom_alone(name: str) -> None:
    text = (ASSETS / name).read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|Storage\b", text
    )
