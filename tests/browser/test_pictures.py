"""Pictures of labs in a real browser, where texts have the sizes that fonts give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.report.picture.svg import picture_svg
from srv6lab.topology.load import load
from tests.browser.chromium import Browser
from tests.conftest import SITE, some_labs
from tests.small import SMALL, planned
from tests.test_graph import HOSTILE, called
from tests.test_picture import PUBLIC

# The texts that lie on each other or on a card that isn't theirs, leave their card or the picture, or are too small.
CLASHES = """
const said = [], texts = [...document.querySelectorAll('text')].filter(t => t.textContent.trim());
const paper = document.querySelector('.paper').getBoundingClientRect();
const meet = (a, b, room) => a.left < b.right - room && b.left < a.right - room && a.top < b.bottom - room && b.top < a.bottom - room;
const boxes = texts.map(t => t.getBoundingClientRect());
texts.forEach((t, i) => {
  const box = boxes[i], card = t.closest('.node');
  if (parseFloat(getComputedStyle(t).fontSize) < 10) said.push(`${t.textContent} is small`);
  if (box.left < paper.left || box.right > paper.right || box.top < paper.top || box.bottom > paper.bottom)
    said.push(`${t.textContent} is outside`);
  for (let j = i + 1; j < texts.length; j++)
    if (meet(box, boxes[j], 2.5)) said.push(`${t.textContent} meets ${texts[j].textContent}`);
  for (const rect of document.querySelectorAll('.node > rect')) {
    const edge = rect.getBoundingClientRect();
    if (rect.parentNode === card) {
      if (box.left < edge.left || box.right > edge.right || box.top < edge.top || box.bottom > edge.bottom)
        said.push(`${t.textContent} leaves its card`);
    } else if (meet(box, edge, 1)) said.push(`${t.textContent} is on a card`);
  }
});
return said;
"""


def opened(browser: Browser, folder: Path, plan: Plan, *, dark: bool = False) -> Browser:
    path = folder / "it.svg"
    path.write_text(picture_svg(plan), "utf-8")
    return browser.open(path, size="projector", dark=dark)


@pytest.mark.parametrize("name", some_labs())
def test_every_text_of_a_lab_can_be_read(name: str, browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, SITE.load(SITE.refer(name))[0])
    assert browser.js(CLASHES) == []
    assert browser.complaints() == []


@pytest.mark.prove
@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_every_text_of_a_lab_of_somebody_else_can_be_read(
    path: Path, browser: Browser, tmp_path: Path
) -> None:
    read = load(path, path.name)
    opened(browser, tmp_path, plan(read.topology, read.source.locate, read.files))
    assert browser.js(CLASHES) == []


def test_texts_on_each_other_are_seen(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, planned(SMALL))
    browser.js(
        "document.querySelectorAll('.link text').forEach(t => { t.setAttribute('x', 200); t.style.fontSize = '9px' })"
    )
    said = browser.js(CLASHES)
    assert {"is small", "meets"} <= {word for one in said for word in ("is small", "meets") if word in one}
    browser.js("document.querySelector('.node text').setAttribute('x', -50)")
    assert any("is outside" in one for one in browser.js(CLASHES))


def test_light_and_dark_have_contrast(browser: Browser, tmp_path: Path) -> None:
    """WCAG AA: 4.5 between each text and what is behind it."""
    for dark in (False, True):
        opened(browser, tmp_path, planned(SMALL), dark=dark)
        assert browser.js(CONTRAST) >= 4.5


CONTRAST = """
const light = color => {
  const [r, g, b] = color.match(/[0-9.]+/g).map(n => n / 255).map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const fill = one => light(getComputedStyle(one).fill);
const paper = fill(document.querySelector('.paper'));
return Math.min(...[...document.querySelectorAll('text, tspan')].map(t => {
  const card = t.closest('.node');
  return ratio(fill(t), card ? fill(card.querySelector('rect')) : paper);
}));
"""


def test_hostile_names_run_nothing(browser: Browser, tmp_path: Path) -> None:
    for text in (*HOSTILE, "<img src=x onerror=alert(1)>", "javascript:alert(1)"):
        opened(browser, tmp_path, called(planned(SMALL), text))
        assert (
            browser.js("return document.querySelectorAll('script, img, a, foreignObject, [onerror]').length")
            == 0
        )
        assert browser.js("return document.querySelectorAll('.node').length") == 4
        assert browser.complaints() == []
