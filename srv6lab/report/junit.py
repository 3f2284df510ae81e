"""Verdicts for a CI server, as JUnit XML: a suite an exercise, a case an item."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Sequence

from srv6lab.evidence.verdict import Item, NothingJudged, Status, Verdict

_NOT_TEXT = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOTHING = NothingJudged(status=Status.INCONCLUSIVE, note="nothing was judged")


def verdicts_junit(verdicts: Sequence[Verdict]) -> str:
    """What was inconclusive is an error, what failed is a failure."""
    root = xml.Element("testsuites")
    for verdict in verdicts:
        items = verdict.items or (_NOTHING,)  # a suite without a case counts as passed
        counts = {status: sum(item.status is status for item in items) for status in Status}
        suite = xml.SubElement(
            root,
            "testsuite",
            name=verdict.exercise,
            tests=str(len(items)),
            failures=str(counts[Status.FAIL]),
            errors=str(counts[Status.INCONCLUSIVE]),
        )
        for item in items:
            _case(suite, verdict.exercise, item)
    xml.indent(root)
    return xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: xml.Element, exercise: str, item: Item) -> None:
    place = f"{item.point} {item.direction or ''}".strip() if item.point else "lab"
    probe = f", probe {item.probe}" if item.probe else ""
    name = f"{place} {item.field or item.kind}{probe}"
    case = xml.SubElement(suite, "testcase", classname=exercise, name=name)
    if item.status is Status.PASS:
        return
    tag = "failure" if item.status is Status.FAIL else "error"
    said = item.witnesses() or item.note
    entry = xml.SubElement(case, tag, type=item.kind, message=_clean(said))
    more = item.note if said != item.note else ""
    entry.text = _clean("\n".join(filter(None, (said, more, str(item.location or "")))))


def _clean(text: str) -> str:
    return _NOT_TEXT.sub("\ufffd", text)
