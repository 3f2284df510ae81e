"""Texts of authors and of packets on their way into other languages: what can't be shown is marked, and what those
languages would read as their own is written otherwise."""

from __future__ import annotations

import unicodedata

_MARK = "\ufffd"
# Control characters, such that turn the direction of a text or can't be seen, halves of characters, and ends of lines.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MERMAID = frozenset('#;"`<>&%')
_SLASH = "\u29f5"  # looks like a backslash; of a real one before an n Mermaid makes the end of a line, of its entity too
_DOT = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})


def plain(text: str) -> str:
    """On one line, with a mark for each character that isn't shown as itself."""
    return "".join(_MARK if unicodedata.category(char) in _UNSEEN else char for char in text)


def mermaid_message(text: str) -> str:
    """For a message or a note of a Mermaid sequence: a semicolon would end it, and a number sign begin an entity."""
    return plain(text).replace(";", ",").replace("#", "").replace("%%", "%")


def mermaid_label(text: str) -> str:
    """For a label in quotation marks of a Mermaid flowchart: what may end it, or be HTML or Markdown, becomes an entity,
    `#` and the character's number."""
    shown = plain(text).replace("\\", _SLASH)
    return "".join(f"#{ord(char)};" if char in _MERMAID else char for char in shown)


def dot(text: str) -> str:
    """A quoted string of Graphviz, in which a backslash, a quotation mark and what looks like an entity are themselves. No text becomes a label in
    HTML: those begin with `<`, without quotation marks."""
    return f'"{plain(text).translate(_DOT)}"'
