"""The harness: what a page does wrong is told, and of a good page nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.chromium import SIZES, Browser

GOOD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Good</title>
<style>@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } }</style>
<main><h1>Good</h1><button id="b">Press</button><output id="o"></output></main>
<script>b.onclick = () => { o.textContent = 'pressed' }; addEventListener('keydown', e => { o.textContent = e.key })</script>
"""


def page(folder: Path, text: str) -> Path:
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_is_told_of_a_good_page(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, GOOD))
    assert browser.axe() == []
    assert browser.complaints() == []


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("console.log('left over')", "left over"),
        ("null.gone", "TypeError"),
        ("fetch('https://out.example/x').catch(() => 0)", "asked for https://out.example/x"),
        ("new WebSocket('ws://out.example/x')", "asked for ws://out.example/x"),
        ("new Image().src = 'beside.png'", "beside.png"),
        (
            "document.head.insertAdjacentHTML('beforeend', '<style>@import url(http://out.example/a.css)</style>')",
            "a.css",
        ),
    ],
)
def test_script_that_errs_talks_or_asks_is_told(
    browser: Browser, tmp_path: Path, script: str, told: str
) -> None:
    browser.open(page(tmp_path, f"{GOOD}<script>{script}</script>"))
    said: list[str] = []
    while not any(told in one for one in said):  # it hangs, and the test with it, if it is never told
        said += browser.complaints()


def test_axe_finds_what_a_screen_reader_can_not_name(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, GOOD.replace(">Press<", "><")))
    assert any(one.startswith("button-name: #b") for one in browser.axe())


def test_keys_reach_the_page(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, GOOD))
    browser.press("ARROW_RIGHT")
    assert browser.text("#o") == "ArrowRight"
    browser.press("TAB", "ENTER")
    assert browser.wait("o.textContent === 'pressed'")


@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_the_windows(browser: Browser, tmp_path: Path, size: str) -> None:
    browser.open(page(tmp_path, GOOD), size=size)
    assert tuple(browser.js("return [innerWidth, innerHeight]")) == SIZES[size]


def test_dark_and_still_are_asked_for(browser: Browser, tmp_path: Path) -> None:
    asked = (
        "return ['(prefers-color-scheme: dark)', '(prefers-reduced-motion)'].map(q => matchMedia(q).matches)"
    )
    browser.open(page(tmp_path, GOOD), dark=True, still=True)
    assert browser.js(asked) == [True, True]
    browser.media(dark=False, still=False)
    assert browser.js(asked) == [False, False]


def test_nothing_is_left_of_the_page_before(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, f"{GOOD}<script>localStorage.theme = 'dark'; console.log('said')</script>"))
    browser.open(page(tmp_path, GOOD))
    assert browser.js("return localStorage.length") == 0
    assert browser.complaints() == []
