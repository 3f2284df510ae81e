"""Words in the middle of links, moved up or down where they would lie on others."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Iterable, Sequence

from .paths import number
from .wiring import LABEL, LABEL_LINE

Box = tuple[float, float, float, float]  # left, top, right, bottom
_SHIFTS = tuple(sign * step * LABEL_LINE / 2 for step in range(1, 9) for sign in (1, -1))


def clear(links: Sequence[xml.Element], cards: Iterable[Box]) -> None:
    """Move the words of each of these groups as little as it takes; where there is no room at all they stay."""
    fixed = list(cards)
    boxes = {text: _box(text) for group in links for text in group.findall("text")}
    for group in links:
        words = [text for text in group.findall("text") if text.get("class") == "prefix"]
        others = fixed + [box for text, box in boxes.items() if text not in words]
        free = (by for by in (0.0, *_SHIFTS) if _free([_moved(boxes[word], by) for word in words], others))
        if shift := next(free, 0.0):
            for word in words:
                word.set("y", number(float(word.get("y", "0")) + shift))
                boxes[word] = _moved(boxes[word], shift)


def _box(text: xml.Element) -> Box:
    x, y = float(text.get("x", "0")), float(text.get("y", "0"))
    width = len("".join(text.itertext())) * LABEL
    left = x - width * {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", ""), 0.0)
    return left, y - 8, left + width, y + 2


def _moved(box: Box, by: float) -> Box:
    return box[0], box[1] + by, box[2], box[3] + by


def _free(boxes: Iterable[Box], others: Sequence[Box]) -> bool:
    return not any(_meet(one, other) for one in boxes for other in others)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
