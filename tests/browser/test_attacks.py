"""No text of a lab, of a packet or of a node runs as script, becomes an element, or makes the page ask for anything.

Chromium is told to ignore the page's policy, so what is held is that nothing needs it; the policy has a test of its
own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from srv6lab.report.page import html
from tests.browser.chromium import Browser
from tests.browser.conftest import Checked
from tests.browser.hostile import OWN, PAYLOADS, SMUGGLED, attacked, smuggled, texts
from tests.browser.walk import Walk, in_page


def of(document: dict[str, Any], folder: Path) -> Path:
    path = folder / "walk.html"
    path.write_text(html.page(document), encoding="utf-8")
    return path


def test_what_is_smuggled_in_is_seen(lawless: Walk, tmp_path: Path) -> None:
    """As HTML the payloads do something; some of those that run by themselves, which are all caught."""
    path = tmp_path / "page.html"
    active = [one for one in PAYLOADS if "onerror" in one or "<script>" in one or "iframe" in one]
    for payload in active[::3]:
        path.write_text(f"<!doctype html><title>x</title><style></style><p>{payload}", encoding="utf-8")
        lawless.browser.open(path)
        lawless.browser.wait("document.readyState === 'complete'")
        assert smuggled(lawless.browser), payload


def test_hostile_texts_stay_texts(lawless: Walk, checked: Checked, tmp_path: Path) -> None:
    """Every text that an author, a packet or a node can choose, at every hop; each is seen as it stands."""
    document, used = attacked(checked.alone("failed"))
    assert len(used) > len(PAYLOADS)
    lawless.open(of(document, tmp_path))
    every = lawless.every(f"((...arguments) => {{{SMUGGLED}}})({json.dumps(OWN)})")
    assert [one for walk in every for one in walk if one] == []
    assert smuggled(lawless.browser) == []
    assert lawless.browser.complaints() == []
    said = lawless.browser.js("return document.body.textContent")
    exercise = document["exercises"][0]
    for text in (
        document["lab"],
        document["description"],
        exercise["description"],
        *texts(exercise["suspects"]),
    ):
        assert not text.isprintable() or text in said


def test_texts_that_the_page_decides_by_are_texts_too(
    lawless: Walk, checked: Checked, tmp_path: Path
) -> None:
    """No document has them otherwise; one that did might not be drawn, but would run nothing."""
    document, _ = attacked(checked.document, set())
    lawless.open(of(document, tmp_path))
    assert smuggled(lawless.browser) == []


@pytest.mark.parametrize("word", ["__proto__", "constructor"])
def test_words_that_every_object_knows_are_names_like_others(
    lawless: Walk, checked: Checked, tmp_path: Path, word: str
) -> None:
    """As the name of an exercise, a probe, a node, a behavior or an address, to the letter."""
    document = json.loads(json.dumps(checked.alone("passed")))
    exercise = document["exercises"][0]
    hop = exercise["probes"][0]["walks"][0]["hops"][0]
    exercise["name"] = exercise["probes"][0]["id"] = hop["behavior"] = hop["node"] = word
    hop["captured"][0]["fields"]["source"] = hop["predicted"]["source"] = word
    document["names"] |= {word: "whose address it is"}
    document["sids"] |= {word: {"node": word, "behavior": word, "what": word}}
    lawless.open(of(document, tmp_path), word)
    assert lawless.here().startswith(f"{word}/{word}/")
    assert word in lawless.browser.text("#hop")
    lawless.every("0")
    assert smuggled(lawless.browser) == []
    assert lawless.browser.complaints() == []


def test_document_ends_where_its_element_does(checked: Checked) -> None:
    """For every reader of HTML: no `<` in it, and what is in it is read back as it was."""
    document, _ = attacked(dict(checked.document))
    text = html.page(document)
    inside = text.partition('id="walk">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(inside)
    assert text.count("</script>") == 2
    assert in_page(text) == json.loads(json.dumps(document))


def test_hostile_addresses_lead_nowhere(lawless: Walk, checked: Checked) -> None:
    """Neither does one with which the page is opened, nor any that comes later, change where it is."""
    here = lawless.open(checked.page, "__proto__/x").here()
    points = [*(quote(one[:200]) for one in PAYLOADS), *PAYLOADS, "%", "%ff%fe", "a/b/../.."]
    assert lawless.browser.driver.execute_async_script(TRIED, points) == len(points)
    assert lawless.here() == here
    assert smuggled(lawless.browser) == []
    assert lawless.browser.complaints() == []


# Goes to one address after the other, each when the page has seen the one before.
TRIED = """
const [points, done] = arguments, next = turn => {
  if (turn === points.length) return done(turn);
  const before = location.hash;
  location.hash = points[turn];
  location.hash === before ? next(turn + 1) : addEventListener('hashchange', () => next(turn + 1), {once: true});
};
next(0);
"""


def test_policy_lets_only_the_pages_own_script_run(
    browser: Browser, checked: Checked, tmp_path: Path
) -> None:
    """Should a text ever become an element: it has no right to run, to be styled, or to ask for anything."""
    text = checked.page.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy and "default-src 'none'" in policy[1]
    assert not re.search(r"unsafe|\*|http|data:", policy[1])
    own = "<script>window.ran = 1</script><img src='https://out.example/i' onerror='window.ran = 1'><iframe src='data:,x'></iframe>"
    path = tmp_path / "walk.html"
    path.write_text(text.replace("<body>", f"<body>{own}"), encoding="utf-8")
    browser.open(path)
    assert browser.js("return window.ran === undefined")
    complaints = browser.complaints()
    for refused in ("Executing inline script", "Loading the image", "Framing"):
        assert any(refused in one and "Content Security Policy" in one for one in complaints), refused
