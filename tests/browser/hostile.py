"""Documents in which every text is an attack: what a lab's file, a packet or a node may say, and worse."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.browser.chromium import Browser

OUT = "https://out.example"
# pwn() is there in every page that a test opens: whoever calls it has run.
PAYLOADS = (
    "</script><script>pwn()</script>",
    "<!--<script>pwn()",
    "--><img src=x onerror=pwn()>",
    '"><svg onload=pwn()>',
    "'><img src=x onerror=pwn() x='",
    "<svg><script>pwn()</script></svg>",
    "<svg><a xlink:href=javascript:pwn()><text>x</text></a></svg>",
    "</text></svg><img src=x onerror=pwn()>",
    "<svg><animate onbegin=pwn() attributeName=x dur=1s>",
    "</style><script>pwn()</script>",
    "</title><script>pwn()</script>",
    "</textarea></noscript></template></select><img src=x onerror=pwn()>",
    "]]><img src=x onerror=pwn()>",
    "<math><mtext><table><mglyph><style><img src=x onerror=pwn()>",
    f"<iframe srcdoc='<script>parent.pwn()</script>' src='{OUT}/frame'></iframe>",
    f"<base href='{OUT}/'><link rel=stylesheet href='{OUT}/a.css'>",
    f"<meta http-equiv=refresh content='0;url={OUT}/'>",
    f"<form action='{OUT}'><button autofocus onfocus=pwn()>Go</button></form>",
    "<a href=javascript:pwn()>SRH</a>",
    "javascript:pwn()",
    "data:text/html,<script>pwn()</script>",
    f"red;background:url({OUT}/b.png)",
    f"}} * {{ background: url('{OUT}/c.png') }}",
    f"url({OUT}/d.svg#x)",
    f"@import '{OUT}/e.css';",
    '" onmouseover="pwn()" onfocus="pwn()" autofocus="',
    "' style='animation:x' onanimationstart='pwn()",
    "${pwn()}",
    "`+pwn()+`",
    "'+pwn()+'",
    '");pwn();//',
    "{{constructor.constructor('pwn()')()}}",
    "&lt;img src=x onerror=pwn()&gt;",
    "&#60;img src=x onerror=pwn()&#62;",
    "\\u003cimg src=x onerror=pwn()\\u003e",
    "\\x3cscript\\x3epwn()\\x3c/script\\x3e",
    "\u2028pwn()\u2029",
    "\npwn()\n",
    "\x00\x01\x07\x08\x1b[31mred\x1b]0;title\x07\x7f\x9b",
    "\u202eright to left\u2066\u2069\u200f",
    "\ufeff\ufffe\U000e0041",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "length",
    "then",
    '#"],*{}',
    "../../../etc/passwd",
    "%3Cscript%3Epwn()%3C/script%3E",
    "x" * 3000,
    "\u0301" * 200,
    "",
)
# Texts that the page may decide by, so a document with another one isn't a document.
WORDS = {"kind", "status", "leg", "witness", "direction", "field", "bytes", "alone", "role", "path", "side"}


def attacked(document: Mapping[str, Any], keep: set[str] = WORDS) -> tuple[dict[str, Any], list[str]]:
    """The document with an attack in the place of each text, but for those of the keys that are kept, and all that was
    put in. Each is told apart by a number behind it, since names have to differ."""
    numbers, used = itertools.count(), []

    def attack(_: str) -> str:
        number = next(numbers)
        used.append(f"{PAYLOADS[number % len(PAYLOADS)]}{number}")
        return used[-1]

    return {key: _mapped(value, key, attack, keep) for key, value in document.items()}, used


def _mapped(value: Any, key: str, attack: Callable[[str], str], keep: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            attack(one) if key in ("sids", "names") else one: _mapped(inside, one, attack, keep)
            for one, inside in value.items()
        }
    if isinstance(value, list):
        return [_mapped(one, key, attack, keep) for one in value]
    return attack(value) if isinstance(value, str) and key not in keep else value


# Called before any script of a page, so that what runs is seen however it got there.
CANARY = """
globalThis.pwned = [];
globalThis.pwn = () => { globalThis.pwned.push(Error().stack) };
for (const dialog of ['alert', 'confirm', 'prompt', 'open', 'print']) globalThis[dialog] = globalThis.pwn;
"""
# What no document may bring into a page: scripts, frames, forms, addresses, handlers, and styles that load something.
SMUGGLED = """
const own = arguments[0], found = [];
for (const node of document.querySelectorAll('*')) {
  const tag = node.localName;
  if (['img', 'iframe', 'frame', 'object', 'embed', 'base', 'link', 'form', 'math', 'animate', 'set', 'video', 'audio',
       'foreignobject', 'mglyph'].includes(tag)) found.push(tag);
  if (tag === 'meta' && node.httpEquiv === 'refresh') found.push('meta refresh');
  for (const {name, value} of node.attributes) {
    if (/^on/i.test(name)) found.push(`${tag} ${name}=${value}`);
    if (/^(href|src|xlink:href|action|srcdoc|formaction|data)$/i.test(name) && !/^(#|data:image)/.test(value))
      found.push(`${tag} ${name}=${value}`);
    if (/url\\((?!["']?#[\\w-]+["']?\\))|@import/i.test(value) && /^(style|fill|stroke|filter|mask|clip-path|marker.*)$/.test(name))
      found.push(`${tag} ${name}=${value}`);
  }
}
for (const [tag, number] of Object.entries(own)) {
  const there = document.querySelectorAll(tag).length;
  if (there !== number) found.push(`${there} ${tag} in the place of ${number}`);
}
if (Object.keys(Object.prototype).length) found.push(`Object.prototype has ${Object.keys(Object.prototype)}`);
return found;
"""


def texts(document: Any) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for one in document.values() if isinstance(document, dict) else document:
            yield from texts(one)


OWN = {"script": 2, "style": 1, "head > title": 1, "meta": 4}


def smuggled(browser: Browser) -> list[str]:
    """What ran, and what is in the page that no page has."""
    browser.js("document.querySelectorAll('*').forEach(one => one.dispatchEvent(new Event('mouseover')))")
    return [*browser.js("return pwned"), *browser.js(SMUGGLED, OWN)]
