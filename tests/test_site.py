"""The site of the documents has all of them, in both languages, and needs no network; `make site` builds it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import make_site
from scripts.make_site import CHINESE, Documents, Unplaced, pages
from tests.browser.chromium import Browser, running
from tests.conftest import LABS, REPOSITORY


def in_nav(nav: Any) -> Iterator[str]:
    """All paths that a list of MkDocs' pages names."""
    if isinstance(nav, str):
        yield nav
    for one in (nav.values() if isinstance(nav, dict) else nav) if not isinstance(nav, str) else ():
        yield from in_nav(one)


def small(root: Path, **files: str) -> Documents:
    """A repository of a README, a lab and these files, whose names have __ for slashes."""
    texts = {
        "README.md": "# Home\n[one](labs/one/README.md)\n",
        "labs/one/README.md": "# one\n",
        "labs/one/topology.yml": "name: one\n",
    }
    for name, text in (
        texts.items() | {name.replace("__", "/") + ".md": text for name, text in files.items()}.items()
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return Documents.of(root)


def test_every_document_and_lab_has_its_page_once() -> None:
    names = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    documents = Documents.of(REPOSITORY)
    named = list(in_nav(documents.nav()))
    assert sorted(name for name in named if not name.endswith(".yml.md")) == sorted(
        name for name in names.stdout.split() if not name.startswith("tests/")
    )
    assert sorted(documents.labs) == sorted(LABS)


def test_labs_come_in_the_order_of_the_course(tmp_path: Path) -> None:
    small(tmp_path, labs__zero__README="# zero\n")
    assert Documents.of(tmp_path).labs == ["one", "zero"]
    (tmp_path / "README.md").write_text("# Home\n(labs/zero/README.md) (labs/one/README.md)\n")
    assert Documents.of(tmp_path).labs == ["zero", "one"]


def test_a_document_without_a_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unplaced, match="names NEWS"):
        small(tmp_path, NEWS="# News\n").nav()


def test_a_link_to_a_file_leads_to_a_page_that_shows_it(tmp_path: Path) -> None:
    text = "# a\n[lab](../labs/one/topology.yml#L1) [one](../labs/one/README.md) [far](https://example.org/x.py)\n`[no](x.py)`\n"
    made = dict(pages(small(tmp_path, docs__a=text + "```\n[no](x.py)\n```\n")))
    assert made["docs/a.md"] == text.replace("topology.yml#L1", "topology.yml.md") + "```\n[no](x.py)\n```\n"
    assert made["labs/one/topology.yml.md"] == "# labs/one/topology.yml\n\n```yaml\nname: one\n```\n"


@pytest.mark.parametrize("target", ["gone.py", "../../../../etc/passwd"])
def test_a_link_that_leads_nowhere_is_refused(target: str, tmp_path: Path) -> None:
    with pytest.raises(Unplaced, match="isn't in the repository"):
        dict(pages(small(tmp_path, docs__a=f"# a\n[x]({target})\n")))


def test_a_shown_file_cannot_end_its_block(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("'''\n````\n<script>\n'''\n")
    shown = make_site.as_page(tmp_path, "x.py").splitlines()
    assert (shown[2], shown[-1]) == ("`````python", "`````")


def test_either_language_leads_to_the_other(tmp_path: Path) -> None:
    documents = small(tmp_path, docs__a="# a\n", **{f"docs__a{CHINESE[:-3]}": "# 甲\n[English](a.md)\n"})
    made = dict(pages(documents))
    assert made["docs/a.md"].startswith("[中文](a.zh-CN.md)")
    assert made["docs/a.zh-CN.md"].count("a.md") == 1
    assert {"中文": [{"甲": "docs/a.zh-CN.md"}]} in documents.nav()


def search(browser: Browser, words: str) -> list[str]:
    """The pages that the site's own search finds."""
    browser.js(
        """document.querySelector('[data-md-toggle=search]').click();
           const field = document.querySelector('.md-search__input');
           field.focus(); field.value = arguments[0];
           field.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true}))""",
        words,
    )
    browser.wait("document.querySelector('.md-search-result__item')")
    return list(
        browser.js("return [...document.querySelectorAll('.md-search-result__link')].map(a => a.href)")
    )


@pytest.mark.prove
def test_the_site_works_from_its_folder_without_a_network(tmp_path: Path) -> None:
    site = tmp_path / "a site"
    subprocess.run([sys.executable, "scripts/make_site.py", "--out", site], cwd=REPOSITORY, check=True)
    outside = re.compile(rf"asked for (?!{re.escape(site.resolve().as_uri())}/|data:)|SEVERE|WARNING")
    for page, words, found in (
        ("index.html", "End.AD4", "docs/behaviors.html"),
        (f"labs/{LABS[0]}/index.html", "服务链", ".zh-CN.html"),
    ):
        with running() as browser:
            browser.open(site / page)
            assert any(found in one for one in search(browser, words))
            assert [one for one in browser.complaints() if outside.match(one)] == []
