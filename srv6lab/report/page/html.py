"""The page itself: one HTML file, made of one document and of the files in `assets`; it needs no server and no network.

All that it knows stands in the document, as JSON that no HTML parser can read as anything else. The script and the
style may run because the page's policy names their hashes: nothing that a document brings in could.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from .packed import packed

STYLES = ("base.css", "packet.css", "picture.css", "print.css")
SCRIPTS = (
    "words.js",
    "dom.js",
    "model.js",
    "packet.js",
    "boxes.js",
    "hex.js",
    "geometry.js",
    "picture.js",
    "motion.js",
    "tables.js",
    "causes.js",
    "hop.js",
    "print.js",
    "page.js",
)
# What would end the element or its line; `&` too, for readers that take the page for XML; and halves of characters, which
# UTF-8 can't hold.
_ESCAPED = "<>&\u2028\u2029"
_HALVES = re.compile("[\ud800-\udfff]")


def page(document: Mapping[str, Any]) -> str:
    """The whole file. `document` has the shape that `document.document` gives it."""
    style, script = _joined(STYLES), _joined(SCRIPTS)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "POLICY": html.escape(policy, quote=False),
        "TITLE": html.escape(str(document["lab"])),
        "STYLE": style,
        "DOCUMENT": embedded(packed(document)),
        "SCRIPT": script,
    }
    return _filled(_asset("page.html"), parts)


def embedded(document: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element: no character in it means anything to HTML."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for character in _ESCAPED:
        text = text.replace(character, _escaped(character))
    return _HALVES.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """Each `{{NAME}}` of the template by its part. Parts aren't searched: one could hold another's name."""
    first, *rest = template.split("{{")
    named = (piece.partition("}}") for piece in rest)
    return first + "".join(parts[name] + after for name, _, after in named)


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _joined(names: tuple[str, ...]) -> str:
    return "\n" + "\n".join(_asset(name) for name in names)


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
