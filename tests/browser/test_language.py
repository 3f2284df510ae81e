"""The page in Chinese: chosen by the browser, by the address and by a button, kept, and nothing of its own left in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.browser.test_labs import page_of
from tests.conftest import LABS, SITE

# Words of the page's own: text that is no value of the document (those stand in bdi), and what is said of elements. What
# reasons and causes say is the tool's, and names of fields are RFCs'.
LEFT = r"""
const found = [], sentence = /(?:\b[a-z]+\b[ ,]+){2,}\b[a-z]+\b/;
const texts = document.createTreeWalker(document.querySelector('#page'), NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const { data, parentElement } = texts.currentNode;
  if (!parentElement.closest('bdi, dd, svg, .why, .proxy, .parts, .code, nav small')) found.push(data);
}
for (const one of document.querySelectorAll('[aria-label]')) found.push(one.getAttribute('aria-label'));
return found.filter((words) => sentence.test(words) && !/[\u4e00-\u9fff]/.test(words));
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return page_of(SITE.load(SITE.refer(LABS[0]))[0], tmp_path)


@pytest.fixture
def chinese(browser: Browser) -> Iterator[Browser]:
    """A browser that speaks Chinese."""
    agent = browser.js("return navigator.userAgent")
    browser.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage="zh-CN")
    yield browser
    browser.cdp("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage="en-US")


def spoken(browser: Browser) -> tuple[str, bool]:
    """What the page says it speaks, and whether it does."""
    return browser.js("return document.documentElement.lang"), "没有发送报文" in browser.text("header")


def test_the_page_speaks_the_browsers_language_and_leaves_nothing_in_english(
    chinese: Browser, page: Path
) -> None:
    chinese.open(page, size="phone")
    assert spoken(chinese) == ("zh-CN", True)
    assert chinese.js(LEFT) == []
    assert chinese.js("return document.documentElement.scrollWidth") <= 320
    assert chinese.axe() == []
    assert chinese.complaints() == []


def test_what_is_left_in_english_is_found(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert "Predicted by a model of RFC 8986; no packet was sent." in " ".join(browser.js(LEFT))
    assert "Step through the walk" in browser.js(LEFT)


def test_a_button_changes_the_language_where_the_reader_is_and_it_is_kept(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    browser.js("document.querySelector('#next').click()")
    where = browser.js("return location.hash")
    assert spoken(browser) == ("en", False)
    browser.js("document.querySelector('#language').click()")
    assert spoken(browser) == ("zh-CN", True)
    assert browser.js("return [location.hash, document.activeElement.textContent]") == [where, "English"]
    assert browser.js("return document.querySelector('#where').textContent").startswith("第 2 跳")
    browser.driver.refresh()
    assert spoken(browser) == ("zh-CN", True)
    browser.js("document.querySelector('#language').click()")
    assert spoken(browser) == ("en", False)
    assert browser.complaints() == [f"asked for {browser.address}?lang=zh"]  # when it was read again


def test_the_address_may_say_the_language(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.driver.get(f"{browser.address}?lang=zh")
    assert spoken(browser) == ("zh-CN", True)
    browser.js("document.querySelector('#language').click()")
    browser.driver.refresh()
    assert spoken(browser) == ("en", False)
