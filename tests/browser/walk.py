"""The page as its reader has it: what is chosen, what stands in its tables, which bytes are lit. Only this file knows how
the page is built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srv6lab.report.page.packed import unpacked
from tests.browser.chromium import Browser

# A cell's value without what is said beside it: whose words it is, what it was, that it stands alone.
_BARE = """
const bare = cell => { const copy = cell.cloneNode(true);
  copy.querySelectorAll('small, .alone, .linux, .spoken, .arrow, [aria-hidden=true]').forEach(one => one.remove());
  return copy.textContent.trim(); };
const whole = cell => cell.textContent.replace(/\\s+/g, ' ').trim();
"""
_STACK = """
const stack = () => [...document.querySelectorAll('#hop .stack table')].map(table => {
  const witnesses = [...table.tHead.rows[0].cells].slice(1).map(whole);
  return [whole(table.caption), [...table.tBodies[0].rows].map(row => {
    const [name, ...cells] = row.cells;
    return [bare(name), Object.fromEntries(cells.map((cell, index) => [witnesses[index], bare(cell)]))];
  })];
});
"""
# Clicks through all walks of the exercise that is chosen, hop by hop, as a reader would.
_EVERY = """
const [visit, done] = [arguments[0], [...arguments].at(-1)];
const links = what => [...document.querySelectorAll('#pickers .choice')]
  .filter(one => one.querySelector('.label').textContent === what).flatMap(one => [...one.querySelectorAll('a')]);
const follow = link => new Promise(arrived => {
  if (location.hash === link.hash) return arrived();
  addEventListener('hashchange', arrived, {once: true});
  link.click();
});
const each = async () => {
  const found = [];
  for (const probe in links('Probe')) {
    await follow(links('Probe')[probe]);
    for (const walk in links('Walk')) {
      await follow(links('Walk')[walk]);
      const hops = [];
      for (const hop of document.querySelectorAll('#strip [data-hop]')) {
        await follow(hop);
        hops.push(STATE);
      }
      found.push(hops);
    }
  }
  return found;
};
each().then(done, wrong => done({wrong: `${wrong}`}));
"""
Stack = list[tuple[str, list[tuple[str, dict[str, str]]]]]


def in_page(page: str) -> Any:
    """The document that a page was made of."""
    return unpacked(json.loads(page.partition('id="walk">')[2].partition("</script>")[0]))


def _shown(value: Any) -> str:
    return "–" if value in (None, "") else str(value)


def rows_of(verdict: dict[str, Any]) -> list[list[str]]:
    """The table that a verdict should be, but for what is noted of each item."""
    return [
        [
            item["kind"],
            item["status"],
            " ".join(filter(None, (item["point"], item["direction"]))) or "–",
            *(_shown(item[key]) for key in ("probe", "field", "expected", "predicted", "captured", "alone")),
        ]
        for item in verdict["items"]
    ]


class Walk:
    """A page that is open in a browser."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def open(self, page: Path, point: str = "", **how: Any) -> Walk:
        self.browser.open(page, point, **how)
        return self

    def here(self) -> str:
        """The address of the hop that is shown, as the walk's line of it says."""
        return str(
            self.browser.js("return document.querySelector('#strip [aria-current=step]').hash.slice(1)")
        )

    def address(self) -> str:
        """The address that the browser shows, behind its #."""
        return str(self.browser.js("return decodeURIComponent(location.hash.slice(1))"))

    def said(self) -> str:
        """Which hop of how many it is, in words."""
        return self.browser.text("#where")

    def lines(self, what: str = "hash.slice(1)") -> list[str]:
        """The addresses of the hops of the walk that is chosen, or something else of its lines."""
        script = f"return [...document.querySelectorAll('#strip [data-hop]')].map(one => one.{what})"
        return list(self.browser.js(script))

    def part(self, name: str) -> list[str]:
        """What the rows of the tables of a kind say, each in one text."""
        script = "return [...document.querySelectorAll(arguments[0])].map(row => row.textContent)"
        return list(self.browser.js(script, f"[data-part-of={name}] tbody tr"))

    def go(self, point: str) -> None:
        """To a hop, by its address."""
        self.browser.js("location.hash = arguments[0]", point)
        self.browser.wait(
            "document.querySelector('#strip [aria-current=step]').hash.slice(1) === arguments[0]", point
        )

    def stack(self) -> Stack:
        """The headers of the hop, each with its fields: what each witness says."""
        stack: Stack = self.browser.js(f"{_BARE}{_STACK}return stack()")
        return stack

    def every(self, state: str = "stack()") -> list[list[Any]]:
        """Of each walk of the exercise, what an expression gives at each of its hops, by default their headers."""
        script = f"{_BARE}{_STACK}{_EVERY}".replace("STATE", state)
        found = self.browser.driver.execute_async_script(script)
        assert isinstance(found, list), found
        return found

    def play(self) -> None:
        """Press the key that plays and pauses, which is the letter P without shift."""
        self.browser.press("P".lower())

    def table(self, heading: str) -> list[list[str]]:
        """The rows of the tables below a heading."""
        script = f"""{_BARE} const section = [...document.querySelectorAll('section')].find(one =>
          one.querySelector('h2')?.textContent === arguments[0]);
          return section ? [...section.querySelectorAll('tbody tr')].map(row => [...row.cells].map(bare)) : []"""
        return list(self.browser.js(script, heading))

    def choose_value(self, number: int) -> tuple[tuple[str, str], str]:
        """Click the n-th captured value of the headers: its header and its name, and the value."""
        script = f"""{_BARE} const value = document.querySelectorAll('#hop button.value')[arguments[0]];
          if (value.getAttribute('aria-pressed') !== 'true') value.click();
          return [whole(value.closest('table').caption), bare(value.closest('tr').cells[0]), bare(value)]"""
        header, name, value = self.browser.js(script, number)
        return (header.partition(" + ")[0], name), value  # "IPv6 + new here"

    def lit(self) -> list[int]:
        """Which bytes are lit."""
        return list(
            self.browser.js("return [...document.querySelectorAll('.byte.lit')].map(one => +one.dataset.at)")
        )

    def bytes(self) -> str:
        """The bytes of the packet, in hex."""
        return str(
            self.browser.js(
                "return [...document.querySelectorAll('#hop .byte')].map(one => one.textContent).join('')"
            )
        )
