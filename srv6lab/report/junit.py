"""Verdicts for a CI server, as JUnit XML: a suite an exercise, a case an item."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Sequence

from srv6lab.trace import Item, Status, Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def verdicts_junit(verdicts: Sequence[Verdict]) -> str:
    """What was inconclusive is an error, what failed is a failure."""
    root = xml.Element("testsuites")
    for verdict in verdicts:
        counts = {status: sum(item.status is status for item in verdict.items) for status in Status}
        suite = xml.SubElement(
            root,
            "testsuite",
            name=verdict.exercise,
            tests=str(len(verdict.items)),
            failures=str(counts[Status.FAIL]),
            errors=str(counts[Status.INCONCLUSIVE]),
        )
        for item in verdict.items:
            _case(suite, verdict.exercise, item)
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: xml.Element, exercise: str, item: Item) -> None:
    place = f"{item.point} {item.direction or ''}".strip() if item.point else "lab"
    case = xml.SubElement(suite, "testcase", classname=exercise, name=f"{place} {item.field or item.kind}")
    if item.status is Status.PASS:
        return
    tag = "failure" if item.status is Status.FAIL else "error"
    said = f"expected {item.expected}, captured {item.captured}" if item.expected else item.note
    entry = xml.SubElement(case, tag, type=item.kind, message=_clean(said))
    entry.text = _clean(f"{said}\n{item.note}\n{item.location or ''}".strip())


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
